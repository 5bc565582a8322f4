//! Sessions over streams and loopback ports.

mod identity;
mod serve;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::options::Channel;
use crate::server::TestServer;

pub(crate) use identity::Identity;
pub use identity::TlsError;
use serve::Tls;

/// How long it takes to try again where no connection could be taken.
const BREATH: Duration = Duration::from_millis(50);
/// How much a stream in memory holds before its writer waits.
const PIPE: usize = 64 << 10;

impl TestServer {
    /// Opens a connection in memory, without TLS; STARTTLS works on it. It is served by a task of the current runtime until the
    /// stream is dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(PIPE);
        let this = self.clone();
        tokio::spawn(async move { this.serve_stream(server).await });
        client
    }

    /// Serves one connection until it ends, beginning in the clear. Dropping it drops the stream.
    ///
    /// # Errors
    /// Those of the stream, and of TLS after STARTTLS.
    pub async fn serve_stream<S>(&self, stream: S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let tls = self.tls().map_err(io::Error::other)?;
        serve::serve(self.session(Channel::Clear), Box::new(stream), tls).await
    }

    /// Listens on a free port of 127.0.0.1, in the clear and with STARTTLS.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn listen_plain(&self) -> io::Result<Listener> {
        self.listen(Channel::Clear).await
    }

    /// Listens on a free port of 127.0.0.1, with TLS from the first byte.
    ///
    /// # Errors
    /// When there is no port, or no certificate could be made.
    pub async fn listen_tls(&self) -> io::Result<Listener> {
        self.listen(Channel::Tls).await
    }

    /// The certificate of the server's own authority in DER, for clients to trust. Made at the first call, for this server alone.
    ///
    /// # Errors
    /// [`TlsError`] when it could not be made.
    pub fn ca_der(&self) -> Result<Vec<u8>, TlsError> {
        Ok(self.shared.tls.get()?.ca.to_vec())
    }

    /// The same certificate in PEM, as other clients want it in a file.
    ///
    /// # Errors
    /// [`TlsError`] when it could not be made.
    pub fn ca_pem(&self) -> Result<String, TlsError> {
        Ok(self.shared.tls.get()?.ca_pem.clone())
    }

    /// A configuration for clients that trusts the server's authority and nobody else. The certificate is for `localhost`,
    /// `127.0.0.1` and `::1`.
    ///
    /// # Errors
    /// [`TlsError`] when no certificate could be made.
    pub fn client_tls(&self) -> Result<Arc<rustls::ClientConfig>, TlsError> {
        Ok(self.shared.tls.get()?.client.clone())
    }

    fn tls(&self) -> Result<Tls, TlsError> {
        let made = self.shared.tls.get()?;
        Ok(Tls { acceptor: TlsAcceptor::from(made.server.clone()), end_point: made.end_point.clone() })
    }

    async fn listen(&self, channel: Channel) -> io::Result<Listener> {
        let tls = self.tls().map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(self.clone(), listener, tls, channel)).abort_handle();
        Ok(Listener { address, task })
    }
}

/// A port that is listened on. Dropping it closes the port and the connections that came through it.
#[derive(Debug)]
#[must_use = "dropping it closes the port"]
pub struct Listener {
    address: SocketAddr,
    task: AbortHandle,
}

impl Listener {
    /// The address to connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The connections belong to this task, so that they end with it.
async fn accept(server: TestServer, listener: TcpListener, tls: Tls, channel: Channel) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // A connection that was given up, or no file is left: neither ends the port.
            tokio::time::sleep(BREATH).await;
            continue;
        };
        // Answers go in many small pieces when a script says so.
        let _ = stream.set_nodelay(true);
        let (server, tls) = (server.clone(), tls.clone());
        connections.spawn(async move {
            let mut session = server.session(channel);
            let stream: Box<dyn serve::Duplex> = match channel {
                Channel::Clear => Box::new(stream),
                Channel::Tls => tls.accept(stream, &mut session).await?,
            };
            serve::serve(session, stream, tls).await
        });
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
    }
}
