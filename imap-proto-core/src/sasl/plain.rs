use alloc::string::String;

use zeroize::Zeroizing;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply};
use crate::types::Secret;

/// `PLAIN`: a name and a password, in UTF-8 and unprotected: for TLS only. RFC 4616
///
/// ```text
///  C: A1 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==          with SASL-IR
///
///  C: A1 AUTHENTICATE PLAIN
///  S: +
///  C: AGFsaWNlAHNlY3JldA==                                without
/// ```
#[derive(Debug)]
pub struct Plain {
    message: Option<Secret>,
}

impl Plain {
    /// A login as `user`, acting for nobody else.
    ///
    /// # Errors
    /// [`InvalidCredentials::Separator`] for a name or password with a NUL, which is what parts the fields.
    pub fn new(user: impl Into<String>, password: &Secret) -> Result<Self, InvalidCredentials> {
        let user = user.into();
        if user.contains('\0') || password.expose().contains(&0) {
            return Err(InvalidCredentials::Separator);
        }
        let mut message = Zeroizing::new(alloc::vec::Vec::with_capacity(user.len() + password.expose().len() + 2));
        message.push(0);
        message.extend_from_slice(user.as_bytes());
        message.push(0);
        message.extend_from_slice(password.expose());
        Ok(Plain { message: Some(Secret::from(core::mem::take(&mut *message))) })
    }
}

impl Mechanism for Plain {
    fn name(&self) -> &str {
        "PLAIN"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.message.take()
    }

    /// There are no challenges beside the empty one that asks for the initial response.
    fn respond(&mut self, _: &[u8]) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Unexpected)
    }

    fn is_complete(&self) -> bool {
        self.message.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_that_of_the_rfc_and_is_said_once() {
        let mut plain = Plain::new("tim", &Secret::new("tanstaaftanstaaf")).expect("no NUL");
        assert!(!plain.is_complete());
        let said = plain.initial_response().expect("a first word");
        assert_eq!(said.expose(), b"\0tim\0tanstaaftanstaaf");
        assert!(plain.is_complete() && plain.initial_response().is_none());
        assert!(plain.respond(b"").is_err());
    }

    #[test]
    fn no_field_can_reach_into_the_next() {
        for (user, password) in [("a\0b", "secret"), ("alice", "se\0cret")] {
            assert_eq!(Plain::new(user, &Secret::new(password)).map(drop), Err(InvalidCredentials::Separator));
        }
    }
}
