use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use imap_proto_core::connect::{self, Carries, Route, Runtime, Secured, Spawn, TlsFacts};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::TokioWire;

/// Opens connections on tokio: [`connect::Connector`] says how.
///
/// ```no_run
/// use imap_tokio::{Connector, Credentials};
///
/// # async fn run() -> Result<(), imap_tokio::Error> {
/// let login = Credentials::password("alice", "secret");
/// let client = Connector::new("imap.example.org").credentials(login).connect().await?;
/// # client.logout().await
/// # }
/// ```
pub type Connector = connect::Connector<Tokio>;

/// A connection on tokio that is opened again when it was lost: [`connect::Reconnecting`] says how.
///
/// ```no_run
/// use imap_tokio::{Connector, Credentials, connect::ReconnectPolicy};
///
/// # async fn run() -> Result<(), imap_tokio::Error> {
/// let login = Credentials::password("alice", "secret");
/// let session = Connector::new("imap.example.org").credentials(login).reconnecting(ReconnectPolicy::default());
/// let inbox = session.select("INBOX").await?;
/// println!("{} messages", inbox.get().await?.exists());
/// # session.logout().await
/// # }
/// ```
pub type Reconnecting = connect::Reconnecting<Tokio>;

/// A mailbox of a [`Reconnecting`].
pub type ReconnectingMailbox = connect::ReconnectingMailbox<Tokio>;

/// The current runtime of tokio, for a [`Connector`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

/// A stream that a connection can run over: any of tokio's.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for S {}

impl Runtime for Tokio {
    type Stream = Box<dyn Duplex>;
    type Wire = TokioWire<Box<dyn Duplex>>;
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }

    async fn connect(&self, route: Route) -> io::Result<Box<dyn Duplex>> {
        let socket = if route.to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_nodelay(true)?;
        if let Some(time) = route.keep_alive {
            SockRef::from(&socket).set_tcp_keepalive(&TcpKeepalive::new().with_time(time))?;
        }
        if let Some(address) = route.from {
            socket.bind(SocketAddr::new(address, 0))?;
        }
        Ok(Box::new(socket.connect(route.to).await?))
    }

    async fn secure(
        &self,
        stream: Box<dyn Duplex>,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Secured<Box<dyn Duplex>>> {
        let stream = TlsConnector::from(config).connect(name, stream).await?;
        let tls = TlsFacts::of(stream.get_ref().1);
        Ok(Secured { stream: Box::new(stream), tls })
    }

    fn wire(&self, began: Instant, stream: Box<dyn Duplex>) -> Self::Wire {
        TokioWire::from_parts(began, stream)
    }

    fn take_apart(&self, wire: Self::Wire) -> (Instant, Box<dyn Duplex>) {
        wire.into_parts()
    }
}

impl Spawn for Tokio {
    fn spawn(&self, future: impl Future<Output: Send + 'static> + Send + 'static) {
        tokio::spawn(future);
    }
}

impl<S: Duplex> Carries<S> for Tokio {
    fn carry(&self, stream: S) -> Box<dyn Duplex> {
        Box::new(stream)
    }
}
