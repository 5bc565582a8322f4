use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use imap_proto_core::connect::{self, Carries, Route, Runtime, Secured, TlsFacts};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::FuturesWire;

/// Opens connections on any executor: [`connect::Connector`] says how. Nothing is spawned, so that there is no `connect`:
/// [`open`](connect::Connector::open) leaves the driver to the caller.
///
/// Each feature for a runtime has one of the same name that spawns, in the module of that runtime.
pub type Connector = connect::Connector<AsyncIo>;

/// Sockets and timers of the crate `async-io`, which smol and async-std have in common and which work on any executor, for a
/// [`Connector`]; and the executor that spawns, where there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncIo<E = ()> {
    #[cfg_attr(not(any(feature = "smol", feature = "async-std")), expect(dead_code, reason = "nothing is spawned"))]
    pub(crate) executor: E,
}

/// A stream that a connection can run over: any of `futures-io`.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for S {}

impl<E: Send + Sync + 'static> Runtime for AsyncIo<E> {
    type Stream = Box<dyn Duplex>;
    type Wire = FuturesWire<Box<dyn Duplex>, fn(Instant) -> Timer, Timer>;
    type Instant = Instant;

    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, time: Duration) {
        Timer::after(time).await;
    }

    async fn resolve(&self, host: String, port: u16) -> io::Result<Vec<SocketAddr>> {
        blocking::unblock(move || Ok((host, port).to_socket_addrs()?.collect())).await
    }

    async fn connect(&self, route: Route) -> io::Result<Box<dyn Duplex>> {
        let socket = Socket::new(Domain::for_address(route.to), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(time) = route.keep_alive {
            socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time))?;
        }
        if let Some(address) = route.from {
            socket.bind(&SocketAddr::new(address, 0).into())?;
        }
        match socket.connect(&route.to.into()) {
            Err(error) if !is_under_way(&error) => return Err(error),
            _ => {}
        }
        let stream = Async::new_nonblocking(TcpStream::from(socket))?;
        stream.writable().await?;
        match stream.get_ref().take_error()? {
            Some(error) => Err(error),
            None => Ok(Box::new(stream)),
        }
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
        FuturesWire::from_parts(began, stream, Timer::at)
    }

    fn take_apart(&self, wire: Self::Wire) -> (Instant, Box<dyn Duplex>) {
        let (began, stream, _) = wire.into_parts();
        (began, stream)
    }
}

impl<E: Send + Sync + 'static, S: Duplex> Carries<S> for AsyncIo<E> {
    fn carry(&self, stream: S) -> Box<dyn Duplex> {
        Box::new(stream)
    }
}

/// True when a socket that does not wait has begun to connect.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_in_progress = error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error());
    #[cfg(not(unix))]
    let is_in_progress = false;
    is_in_progress || error.kind() == io::ErrorKind::WouldBlock
}
