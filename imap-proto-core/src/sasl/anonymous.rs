use alloc::string::String;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply};
use crate::types::Secret;

/// `ANONYMOUS`: a guest, who may leave word of himself. RFC 4505
///
/// ```text
///  C: A1 AUTHENTICATE ANONYMOUS c2lyaGM=                  with SASL-IR
/// ```
#[derive(Debug)]
pub struct Anonymous {
    trace: Option<String>,
}

/// RFC 4505 §2
const LONGEST: usize = 255;

impl Anonymous {
    /// A guest who says `trace` of himself: an email address, or any word without an `@`, or nothing.
    ///
    /// # Errors
    /// [`InvalidCredentials::Unprepared`] for more than 255 characters, and for control characters.
    pub fn new(trace: impl Into<String>) -> Result<Self, InvalidCredentials> {
        let trace = trace.into();
        if trace.chars().count() > LONGEST || trace.chars().any(char::is_control) {
            return Err(InvalidCredentials::Unprepared);
        }
        Ok(Anonymous { trace: Some(trace) })
    }
}

impl Mechanism for Anonymous {
    fn name(&self) -> &str {
        "ANONYMOUS"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.trace.take().map(Secret::from)
    }

    fn respond(&mut self, _: &[u8]) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Unexpected)
    }

    fn is_complete(&self) -> bool {
        self.trace.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_of_the_rfc_is_said_once() {
        let mut guest = Anonymous::new("sirhc").expect("a trace");
        assert!(!guest.is_complete());
        assert_eq!(guest.initial_response().expect("a first word").expose(), b"sirhc");
        assert!(guest.is_complete() && guest.initial_response().is_none());
        assert_eq!(guest.respond(b"").map(drop), Err(ExchangeError::Unexpected));
    }

    #[test]
    fn a_trace_is_short_and_printable() {
        assert!(Anonymous::new("\u{e9}".repeat(LONGEST)).is_ok());
        for trace in ["x".repeat(LONGEST + 1), "a\0b".into(), "a\r\nb".into()] {
            assert_eq!(Anonymous::new(trace).map(drop), Err(InvalidCredentials::Unprepared));
        }
    }
}
