use std::boxed::Box;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::string::String;
use std::sync::Arc;
use std::time::Duration;
use std::vec::Vec;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};

use crate::client::Wire;

/// What a runtime brings, so that a [`Connector`](super::Connector) can open connections on it.
///
/// Every future may be dropped before its end, and takes with it what it had opened.
pub trait Runtime: Send + Sync + 'static {
    /// A byte stream: of TCP, of TLS, or of the caller's.
    type Stream: Send + 'static;
    /// The same with a clock.
    type Wire: Wire + Send + 'static;
    /// A moment of that clock.
    type Instant: Copy + Send + 'static;

    /// The moment it is.
    fn now(&self) -> Self::Instant;

    /// Waits.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Looks up the addresses of a host, in the order in which they are to be tried.
    fn resolve(&self, host: String, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;

    /// Connects to one address by TCP, without Nagle's delay: commands are small and wait for their answers, and it would
    /// be paid each time.
    fn connect(&self, route: Route) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Puts TLS over a stream.
    fn secure(
        &self,
        stream: Self::Stream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> impl Future<Output = io::Result<Secured<Self::Stream>>> + Send;

    /// Makes a wire of a stream, for a connection that began then.
    fn wire(&self, began: Self::Instant, stream: Self::Stream) -> Self::Wire;

    /// When the connection of a wire began, and its stream.
    fn take_apart(&self, wire: Self::Wire) -> (Self::Instant, Self::Stream);
}

/// A runtime that polls what it is given, until its end.
pub trait Spawn: Runtime {
    /// Polls a future in the background. Whoever spawns it does not wait for it.
    fn spawn(&self, future: impl Future<Output: Send + 'static> + Send + 'static);
}

/// A runtime whose connections may run over streams of the caller's of type `S`.
#[diagnostic::on_unimplemented(
    message = "`{S}` is no stream that a connection of `{Self}` can run over",
    note = "it has to be readable and writable by the traits of that runtime, `Send`, `Unpin` and `'static`"
)]
pub trait Carries<S>: Runtime {
    /// Makes a stream of the runtime's of it.
    fn carry(&self, stream: S) -> Self::Stream;
}

/// One way to a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Route {
    /// Where to.
    pub to: SocketAddr,
    /// The address of this machine to begin at.
    pub from: Option<IpAddr>,
    /// After how long a silence TCP asks whether the peer is still there.
    pub keep_alive: Option<Duration>,
}

impl Route {
    /// A way without wishes.
    pub fn new(to: SocketAddr) -> Self {
        Route { to, from: None, keep_alive: None }
    }
}

/// A stream with TLS over it.
#[derive(Debug)]
pub struct Secured<S> {
    /// The stream.
    pub stream: S,
    /// What TLS tells of it.
    pub tls: TlsFacts,
}

/// What is known of a TLS session, for channel binding.
#[derive(Clone)]
#[non_exhaustive]
pub struct TlsFacts {
    /// What both ends derive and nobody else can, for `tls-exporter`; of TLS 1.3 alone, where every session has its own.
    /// RFC 9266
    pub exporter: Option<[u8; 32]>,
    /// The server's own certificate, for `tls-server-end-point`. RFC 5929 §4
    pub end_certificate: Option<CertificateDer<'static>>,
}

/// RFC 9266 §2
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

impl TlsFacts {
    /// Asks a session whose handshake is done.
    pub fn of(session: &ClientConnection) -> Self {
        let exporter = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => session.export_keying_material([0; 32], EXPORTER_LABEL, Some(&[])).ok(),
            _ => None,
        };
        let end_certificate = session.peer_certificates().and_then(|chain| chain.first());
        TlsFacts { exporter, end_certificate: end_certificate.map(|certificate| certificate.clone().into_owned()) }
    }
}

impl fmt::Debug for TlsFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsFacts").field("has_exporter", &self.exporter.is_some()).finish_non_exhaustive()
    }
}

/// An attempt under way, or the waiting beside it.
pub(super) type Pending<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
