use alloc::string::String;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply};
use crate::types::Secret;

/// `EXTERNAL`: the server knows who we are from elsewhere, as from the certificate of the client. RFC 4422 appendix A
///
/// ```text
///  C: A1 AUTHENTICATE EXTERNAL =                          with SASL-IR
/// ```
#[derive(Debug)]
pub struct External {
    acting_for: Option<String>,
}

impl External {
    /// A login as whoever the server takes us for.
    pub fn new() -> Self {
        External { acting_for: Some(String::new()) }
    }

    /// A login that acts for `user`.
    ///
    /// # Errors
    /// [`InvalidCredentials::Separator`] for a name with a NUL.
    pub fn acting_for(user: impl Into<String>) -> Result<Self, InvalidCredentials> {
        let user = user.into();
        if user.contains('\0') {
            return Err(InvalidCredentials::Separator);
        }
        Ok(External { acting_for: Some(user) })
    }
}

impl Default for External {
    fn default() -> Self {
        External::new()
    }
}

impl Mechanism for External {
    fn name(&self) -> &str {
        "EXTERNAL"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.acting_for.take().map(Secret::from)
    }

    fn respond(&mut self, _: &[u8]) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Unexpected)
    }

    fn is_complete(&self) -> bool {
        self.acting_for.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_for_whom_it_acts_or_nothing_and_says_it_once() {
        for (mut external, said) in [
            (External::new(), &b""[..]),
            (External::acting_for("fred@example.com").expect("no NUL"), b"fred@example.com"),
        ] {
            assert!(!external.is_complete());
            assert_eq!(external.initial_response().expect("a first word").expose(), said);
            assert!(external.is_complete() && external.initial_response().is_none());
            assert_eq!(external.respond(b"").map(drop), Err(ExchangeError::Unexpected));
        }
        assert_eq!(External::acting_for("a\0b").map(drop), Err(InvalidCredentials::Separator));
    }
}
