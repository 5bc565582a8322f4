//! What is logged of a connection is logged inside its span, whoever polls its driver.

#[cfg(feature = "tracing")]
mod on {
    use std::future::Future;

    use tracing::{Instrument, Span};

    #[derive(Clone, Debug)]
    pub(in super::super) struct Around(Span);

    impl Around {
        pub(in super::super) fn connection(host: &str) -> Self {
            Around(tracing::info_span!(target: "imap", "imap", host))
        }

        pub(in super::super) fn run<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
            future.instrument(self.0)
        }
    }

    pub(in super::super) fn not_reached(address: std::net::SocketAddr, error: &std::io::Error) {
        tracing::debug!(target: "imap", %address, %error, "not reached");
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::future::Future;

    #[derive(Clone, Debug)]
    pub(in super::super) struct Around;

    impl Around {
        pub(in super::super) fn connection(_: &str) -> Self {
            Around
        }

        pub(in super::super) fn run<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
            future
        }
    }

    pub(in super::super) fn not_reached(_: std::net::SocketAddr, _: &std::io::Error) {}
}

#[cfg(not(feature = "tracing"))]
pub(super) use off::*;
#[cfg(feature = "tracing")]
pub(super) use on::*;
