use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::string::String;
use std::vec::Vec;

use super::transfer::broken;
use crate::error::Error;

/// What came of addresses that were tried in vain.
pub(super) type Failures = Vec<(SocketAddr, io::Error)>;

/// The same error, with what was being done.
pub(super) fn failed(error: io::Error, what: String) -> Error {
    Error::Transport(broken(in_context(error, what)))
}

/// What it was made of stays within reach as its source.
fn in_context(error: io::Error, what: String) -> io::Error {
    #[derive(Debug)]
    struct InContext(String, io::Error);

    impl fmt::Display for InContext {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}: {}", self.0, self.1)
        }
    }

    impl StdError for InContext {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.1)
        }
    }

    io::Error::new(error.kind(), InContext(what, error))
}

/// One error for all: that of the only address, or each with its address.
pub(super) fn summary(mut failures: Failures) -> io::Error {
    #[derive(Debug)]
    struct All(Failures);

    impl fmt::Display for All {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for (number, (address, error)) in self.0.iter().enumerate() {
                let separator = if number > 0 { "; " } else { "" };
                write!(f, "{separator}{address}: {error}")?;
            }
            Ok(())
        }
    }

    impl StdError for All {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0.last().map(|(_, error)| error as _)
        }
    }

    match (failures.len(), failures.pop()) {
        (_, None) => io::Error::new(io::ErrorKind::NotFound, "the host has no address"),
        (1, Some((_, only))) => only,
        (_, Some(last)) => {
            let kind = last.1.kind();
            failures.push(last);
            io::Error::new(kind, All(failures))
        }
    }
}

/// True when TLS was spoken, and the certificate is what was wrong.
pub(super) fn is_about_certificate(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// True unless something in the chain says that it stays as it is: TLS that finds fault, or an argument that can't be.
pub(super) fn is_of_the_network(error: &(dyn StdError + 'static)) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, PermissionDenied, Unsupported};
    for one in chain(error) {
        let is_final =
            |error: &io::Error| matches!(error.kind(), InvalidData | InvalidInput | PermissionDenied | Unsupported);
        if one.is::<rustls::Error>() || one.downcast_ref().is_some_and(is_final) {
            return false;
        }
    }
    true
}

/// The error and all below it. An `io::Error` leaves out the one that it was made of, and goes on with that one's source.
pub(super) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let below = |error: &&'a (dyn StdError + 'static)| {
        let error: &'a (dyn StdError + 'static) = *error;
        match error.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    };
    std::iter::successors(Some(error), below)
}
