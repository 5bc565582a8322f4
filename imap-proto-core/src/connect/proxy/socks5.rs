use std::io;
use std::pin::Pin;
use std::str;
use std::string::ToString;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio_socks::Error as SocksError;
use tokio_socks::io::AsyncSocket;
use tokio_socks::tcp::Socks5Stream;

use super::ProxyLogin;
use crate::client::Wire;
use crate::error::ProxyFailure;

/// Has a SOCKS5 proxy connect. It is read to the end of its answer and not beyond.
pub(super) async fn tunnel<W: Wire + Send>(
    wire: W,
    login: Option<&ProxyLogin>,
    host: &str,
    port: u16,
) -> Result<W, ProxyFailure> {
    let socket = Socket(wire);
    let connected = match login {
        None => Socks5Stream::connect_with_socket(socket, (host, port)).await,
        Some(ProxyLogin { user, password }) => {
            let unsendable = ProxyFailure::Unsendable("a password that is not UTF-8");
            let password = str::from_utf8(password.expose()).map_err(|_| unsendable)?;
            Socks5Stream::connect_with_password_and_socket(socket, (host, port), user, password).await
        }
    };
    connected.map(|stream| stream.into_inner().0).map_err(failure)
}

/// The octets of a wire.
struct Socket<W>(W);

impl<W: Wire> AsyncSocket for Socket<W> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, into).map_err(io::Error::other)
    }

    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, &[from]).map_err(io::Error::other)
    }
}

/// Whose doing it is. The name of the server was looked at before, so that what is wrong with an address is the proxy's.
fn failure(error: SocksError) -> ProxyFailure {
    let says = error.to_string();
    match error {
        SocksError::Io(error) => ProxyFailure::Unreachable(Arc::new(error)),
        SocksError::NoAcceptableAuthMethods
        | SocksError::AuthorizationRequired
        | SocksError::PasswordAuthFailure(_) => ProxyFailure::Login { says },
        SocksError::ConnectionNotAllowedByRuleset
        | SocksError::CommandNotSupported
        | SocksError::AddressTypeNotSupported => ProxyFailure::Refused { says },
        SocksError::GeneralSocksServerFailure
        | SocksError::NetworkUnreachable
        | SocksError::HostUnreachable
        | SocksError::ConnectionRefused
        | SocksError::TtlExpired => ProxyFailure::ServerUnreachable { says },
        SocksError::InvalidAuthValues(_) => ProxyFailure::Unsendable("a name or password of this length"),
        _ => ProxyFailure::Protocol(says),
    }
}
