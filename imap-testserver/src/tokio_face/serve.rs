use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;

use rustls::ProtocolVersion;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::options::Bindings;
use crate::session::{Output, Session};

/// A stream that a session can run over.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Duplex for S {}

/// Puts TLS over streams.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    pub(super) end_point: Vec<u8>,
}

impl Tls {
    /// Puts it over one, and tells the session what it can be bound to.
    pub(super) async fn accept(&self, stream: impl Duplex, session: &mut Session) -> io::Result<Box<dyn Duplex>> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, tls) = stream.get_ref();
        let exporter = match tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => {
                tls.export_keying_material(vec![0; 32], b"EXPORTER-Channel-Binding", Some(&[])).ok()
            }
            _ => None,
        };
        session.bind(Bindings { exporter, end_point: Some(self.end_point.clone()) });
        Ok(Box::new(stream))
    }
}

/// Moves bytes between a stream and a session until one of them ends.
pub(super) async fn serve(mut session: Session, mut stream: Box<dyn Duplex>, tls: Tls) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        while let Some(output) = session.next_output() {
            match output {
                Output::Bytes(bytes) => {
                    stream.write_all(&bytes).await?;
                    stream.flush().await?;
                }
                Output::Pause(time) => tokio::time::sleep(time).await,
                Output::StartTls => {
                    stream = tls.accept(stream, &mut session).await?;
                    session.tls_begun();
                }
                Output::Close => return stream.shutdown().await,
            }
        }
        match next_read(&mut session, &mut stream, &mut buffer).await? {
            Some(0) => return stream.shutdown().await,
            Some(n) => session.receive(&buffer[..n]),
            None => {}
        }
    }
}

/// Waits for bytes of the client, or for something to tell it: `None`.
async fn next_read(session: &mut Session, stream: &mut dyn Duplex, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let mut read = pin!(stream.read(buffer));
    poll_fn(|cx| {
        if let Poll::Ready(n) = read.as_mut().poll(cx) {
            return Poll::Ready(n.map(Some));
        }
        // First the waker, then the look: nothing falls between them.
        session.watch(cx.waker());
        session.look();
        if session.has_output() { Poll::Ready(Ok(None)) } else { Poll::Pending }
    })
    .await
}
