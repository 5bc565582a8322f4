//! What a scenario needs of a runtime beside its connector.

use std::fmt::Debug;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use imap_proto_core::client::{BodyStream, Source};
use imap_proto_core::connect::{Carries, Connector, Runtime, Spawn};

use crate::pipe::Pipe;

/// How long anything may take on a busy machine before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime with its adapter.
pub(crate) trait Harness: Copy + Send + Sync + 'static {
    /// What the adapter's connector is made on.
    type Runtime: Spawn + Carries<Pipe> + Default + Clone + Debug;

    /// Runs a future to its end.
    fn run(self, work: impl Future<Output = ()>);

    /// Runs it beside others, and gives what it ended with.
    fn spawn<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static;

    /// The octets as a reader of that runtime, made a source by the adapter.
    fn source(self, octets: Vec<u8>) -> Source;

    /// Reads a body to its end through the adapter's reader.
    fn read(self, body: BodyStream) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    fn connector(self, host: &str) -> Connector<Self::Runtime> {
        Connector::new(host)
    }

    fn sleep(self, time: Duration) -> impl Future<Output = ()> + Send {
        async move { Self::Runtime::default().sleep(time).await }
    }

    /// Waits for a thread without keeping others from theirs.
    fn joined<T: Send>(self, thread: JoinHandle<T>) -> impl Future<Output = T> + Send {
        async move {
            while !thread.is_finished() {
                self.sleep(Duration::from_millis(1)).await;
            }
            thread.join().expect("it does not panic")
        }
    }

    /// Waits for something that has to happen.
    fn soon<T: Send>(self, future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
        async move {
            let (mut future, mut time) = (pin!(future), pin!(self.sleep(PATIENCE)));
            std::future::poll_fn(|cx| {
                let done = future.as_mut().poll(cx);
                assert!(done.is_ready() || time.as_mut().poll(cx).is_pending(), "it hangs");
                done
            })
            .await
        }
    }
}

/// Polls a future once.
pub(crate) async fn begun<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx))).await
}

#[derive(Clone, Copy)]
pub(crate) struct TokioOnOneThread;

#[derive(Clone, Copy)]
pub(crate) struct TokioOnSeveral;

#[derive(Clone, Copy)]
pub(crate) struct Smol;

#[derive(Clone, Copy)]
pub(crate) struct AsyncStd;

macro_rules! tokio_harness {
    ($name:ident, $builder:expr) => {
        impl Harness for $name {
            type Runtime = imap_tokio::Tokio;

            fn run(self, work: impl Future<Output = ()>) {
                $builder.enable_all().build().expect("a runtime").block_on(work);
            }

            fn spawn<T: Send + 'static>(
                self,
                work: impl Future<Output = T> + Send + 'static,
            ) -> impl Future<Output = T> + Send + 'static {
                let task = tokio::spawn(work);
                async move { task.await.expect("it does not panic") }
            }

            fn source(self, octets: Vec<u8>) -> Source {
                imap_tokio::read_from(io::Cursor::new(octets))
            }

            async fn read(self, body: BodyStream) -> io::Result<Vec<u8>> {
                let mut octets = Vec::new();
                let mut reader = imap_tokio::BodyReader::new(body);
                tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut octets).await?;
                Ok(octets)
            }
        }
    };
}

tokio_harness!(TokioOnOneThread, tokio::runtime::Builder::new_current_thread());
tokio_harness!(TokioOnSeveral, tokio::runtime::Builder::new_multi_thread().worker_threads(3));

impl Harness for Smol {
    type Runtime = imap_async_std::AsyncIo<imap_async_std::smol::Smol>;

    fn run(self, work: impl Future<Output = ()>) {
        smol::block_on(work);
    }

    fn spawn<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        smol::spawn(work)
    }

    fn source(self, octets: Vec<u8>) -> Source {
        imap_async_std::smol::read_from(smol::io::Cursor::new(octets))
    }

    async fn read(self, body: BodyStream) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        let mut reader = imap_async_std::smol::BodyReader::new(body);
        smol::io::AsyncReadExt::read_to_end(&mut reader, &mut octets).await?;
        Ok(octets)
    }
}

impl Harness for AsyncStd {
    type Runtime = imap_async_std::AsyncIo<imap_async_std::async_std::AsyncStd>;

    fn run(self, work: impl Future<Output = ()>) {
        async_std::task::block_on(work);
    }

    fn spawn<T: Send + 'static>(
        self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send + 'static {
        async_std::task::spawn(work)
    }

    fn source(self, octets: Vec<u8>) -> Source {
        imap_async_std::async_std::read_from(async_std::io::Cursor::new(octets))
    }

    async fn read(self, body: BodyStream) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        let mut reader = imap_async_std::async_std::BodyReader::new(body);
        async_std::io::ReadExt::read_to_end(&mut reader, &mut octets).await?;
        Ok(octets)
    }
}
