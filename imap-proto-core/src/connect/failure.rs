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
