#[cfg(feature = "http-proxy")]
mod http;
#[cfg(feature = "socks5")]
mod socks5;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::string::String;

use crate::client::Wire;
use crate::error::ProxyFailure;
use crate::types::Secret;

/// A proxy, through which a [`Connector`](super::Connector) reaches its server.
///
/// It is told the name of the server and looks it up, so that nothing of it is asked at home. Its own password goes to it in clear
/// text, as both protocols have it.
///
/// ```
/// # #[cfg(feature = "socks5")]
/// # fn example() {
/// use imap_proto_core::connect::Proxy;
///
/// let proxy = Proxy::socks5("proxy.example.org", 1080).credentials("alice", "secret");
/// assert_eq!(proxy.to_string(), "socks5://proxy.example.org:1080");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    login: Option<ProxyLogin>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    #[cfg(feature = "socks5")]
    Socks5,
    #[cfg(feature = "http-proxy")]
    Http,
}

/// Who we are to the proxy.
#[derive(Clone, Debug)]
struct ProxyLogin {
    user: String,
    password: Secret,
}

impl Proxy {
    /// A SOCKS5 proxy, 1080 being its usual port. RFC 1928
    #[cfg(feature = "socks5")]
    pub fn socks5(host: impl Into<String>, port: u16) -> Self {
        Proxy { kind: Kind::Socks5, host: host.into(), port, login: None }
    }

    /// An HTTP proxy that is asked to CONNECT, over clear text. Many allow no other port than 443. RFC 9110 §9.3.6
    #[cfg(feature = "http-proxy")]
    pub fn http(host: impl Into<String>, port: u16) -> Self {
        Proxy { kind: Kind::Http, host: host.into(), port, login: None }
    }

    /// A name and a password for the proxy: of RFC 1929 for SOCKS5, which offers to go without them too; of the Basic scheme
    /// for HTTP (RFC 7617), sent unasked.
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.login = Some(ProxyLogin { user: user.into(), password: password.into() });
        self
    }

    /// What is to be dialled.
    pub(super) fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Has the proxy connect to the server. What the server says is left in the wire, to the octet.
    pub(super) async fn tunnel<W: Wire + Send>(&self, wire: W, host: &str, port: u16) -> Result<W, ProxyFailure> {
        let is_of_name = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:".contains(&octet);
        if host.is_empty() || host.len() > 255 || !host.bytes().all(is_of_name) {
            return Err(ProxyFailure::Unsendable("the name of the server"));
        }
        match self.kind {
            #[cfg(feature = "socks5")]
            Kind::Socks5 => socks5::tunnel(wire, self.login.as_ref(), host, port).await,
            #[cfg(feature = "http-proxy")]
            Kind::Http => http::tunnel(wire, self.login.as_ref(), host, port).await,
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            #[cfg(feature = "socks5")]
            Kind::Socks5 => "socks5",
            #[cfg(feature = "http-proxy")]
            Kind::Http => "http",
        };
        write!(f, "{scheme}://{}", Authority(&self.host, self.port))
    }
}

/// Host and port, as in a URL. RFC 3986 §3.2
struct Authority<'a>(&'a str, u16);

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Authority(host, port) = self;
        match host.parse() {
            Ok(IpAddr::V6(_)) => write!(f, "[{host}]:{port}"),
            _ => write!(f, "{host}:{port}"),
        }
    }
}
