use std::net::IpAddr;
use std::string::String;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::vec::Vec;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

#[cfg(any(feature = "socks5", feature = "http-proxy"))]
use super::proxy::Proxy;
use super::trust::{Identity, Trust};
use crate::config::Config;
use crate::connection::Security;
use crate::sasl::Credentials;

/// Opens connections: TCP, TLS, greeting, login.
///
/// TLS is implicit, on port 993, unless [`starttls`](Self::starttls) or [`plaintext`](Self::plaintext) is asked for. The server's
/// certificate is checked against its name and the roots of the web, unless [`root`](Self::root),
/// `platform_roots` or [`tls_config`](Self::tls_config) says otherwise.
///
/// A host with several addresses is tried at all of them, those of IPv6 and IPv4 in turns, each a quarter of a second after
/// the one before or as soon as that has failed, and the first to answer is taken. RFC 8305
///
/// `R` is the runtime. Users name the type of their runtime's crate, which is this one for that runtime.
#[derive(Clone, Debug)]
pub struct Connector<R> {
    pub(super) runtime: R,
    pub(super) host: String,
    pub(super) address: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) local_address: Option<IpAddr>,
    pub(super) tcp_keep_alive: Option<Duration>,
    pub(super) security: Security,
    pub(super) trust: Trust,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) credentials: Option<Credentials>,
    pub(super) config: Arc<Config>,
    #[cfg(feature = "compress")]
    pub(super) compress: bool,
    #[cfg(any(feature = "socks5", feature = "http-proxy"))]
    pub(super) proxy: Option<Proxy>,
    pub(super) connect_within: Duration,
    pub(super) tls_within: Duration,
}

/// How long TCP and TLS may each take.
const PATIENCE: Duration = Duration::from_secs(30);

impl<R: Default> Connector<R> {
    /// A connector to `host`: implicit TLS on port 993, no credentials.
    pub fn new(host: impl Into<String>) -> Self {
        Self::on(R::default(), host)
    }
}

/// All that change nothing have one in common: a program may have ten thousand connections.
static DEFAULT: LazyLock<Arc<Config>> = LazyLock::new(Arc::default);

impl<R> Connector<R> {
    /// The same on a runtime that has to be named, as one that a test has made up.
    pub fn on(runtime: R, host: impl Into<String>) -> Self {
        Connector {
            runtime,
            host: host.into(),
            address: None,
            port: None,
            local_address: None,
            tcp_keep_alive: None,
            security: Security::ImplicitTls,
            trust: Trust::default(),
            identity: None,
            credentials: None,
            config: DEFAULT.clone(),
            #[cfg(feature = "compress")]
            compress: false,
            #[cfg(any(feature = "socks5", feature = "http-proxy"))]
            proxy: None,
            connect_within: PATIENCE,
            tls_within: PATIENCE,
        }
    }

    /// Logs in. Without it the connection is left unauthenticated, unless the server greets with PREAUTH.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Begins in clear text on port 143 and requires STARTTLS. RFC 9051 §6.2.1
    pub fn starttls(mut self) -> Self {
        self.security = Security::StartTls;
        self
    }

    /// Stays in clear text on port 143, password and all. For tests and loopback.
    pub fn plaintext(mut self) -> Self {
        self.security = Security::Plaintext;
        self
    }

    /// Compresses the connection after the login, where the server offers it. RFC 4978
    ///
    /// It is no error where the server does not offer it, refuses, or says that the connection is compressed at another layer,
    /// nor where nobody logs in: all goes on uncompressed then, and [`View::is_compressed`](crate::View::is_compressed) tells. It is a
    /// part of connecting: the answer has the time that a login has. The TLS of this crate never compresses.
    #[cfg(feature = "compress")]
    pub fn compress(mut self) -> Self {
        self.compress = true;
        self
    }

    /// Another port than 993 or 143.
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Another host or address to dial; the certificate is still checked against the host's name.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// Reaches the server through a proxy, which looks up the host's name: nothing of it is looked up here, unless
    /// [`address`](Self::address) says where to.
    ///
    /// The proxy's own host is dialled as a server's would be, from [`local_address`](Self::local_address) where that is set. TLS is put
    /// over the tunnel as over TCP, to the server: the proxy reads nothing of it. [`connect_within`](Self::connect_within) counts
    /// until the proxy says that the server is reached.
    #[cfg(any(feature = "socks5", feature = "http-proxy"))]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// The address of this machine to connect from. The server's addresses of the other family are left out then.
    pub fn local_address(mut self, address: impl Into<IpAddr>) -> Self {
        self.local_address = Some(address.into());
        self
    }

    /// After how long a silence TCP asks whether the peer is still there; never unless set. Servers don't notice it, unlike
    /// the NOOP of [`Config::keep_alive`]. Whole seconds count, and how often it asks before it gives up is the system's to say.
    pub fn tcp_keep_alive(mut self, silence: Duration) -> Self {
        self.tcp_keep_alive = Some(silence);
        self
    }

    /// Trusts a private root, beside others given so, and no longer those of the web.
    pub fn root(mut self, certificate: CertificateDer<'static>) -> Self {
        self.trust = self.trust.with_root(certificate);
        self
    }

    /// Judges certificates as the operating system does, with the roots that it and its administrator trust.
    #[cfg(feature = "platform-roots")]
    pub fn platform_roots(mut self) -> Self {
        self.trust = Trust::Platform;
        self
    }

    /// Another TLS configuration. Whatever it says holds, roots included, but for a
    /// [`client_certificate`](Self::client_certificate) beside it.
    pub fn tls_config(mut self, tls: Arc<ClientConfig>) -> Self {
        self.trust = Trust::Config(tls);
        self
    }

    /// Shows a certificate to a server that asks for one: the chain, its own first, and its private key.
    ///
    /// Connecting fails with [`Error::Transport`](crate::Error::Transport) when the key is not that of the certificate.
    pub fn client_certificate(mut self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Self {
        self.identity = Some(Arc::new(Identity { chain, key }));
        self
    }

    /// How long TCP may take, the look-up of the host's name included, and TLS over it, each of them; 30 seconds unless set.
    /// The rest of the handshake has its limits in [`Config`]: `greeting` and `handshake`.
    pub fn patience(self, patience: Duration) -> Self {
        self.connect_within(patience).tls_within(patience)
    }

    /// How long TCP may take, the look-up of the host's name and all its addresses included, and a proxy where there is one; 30
    /// seconds unless set. Where that is
    /// little, the next address is tried sooner, so that each of them is.
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect_within = time;
        self
    }

    /// How long the TLS handshake may take; 30 seconds unless set.
    pub fn tls_within(mut self, time: Duration) -> Self {
        self.tls_within = time;
        self
    }

    /// Changes limits and deadlines.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}
