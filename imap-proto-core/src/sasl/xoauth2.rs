use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply, bearer};
use crate::types::Secret;

/// `XOAUTH2`: an access token in place of a password, as Google and Microsoft take it; for TLS only.
///
/// ```text
///  C: A1 AUTHENTICATE XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0b2tlbgEB
///  S: + eyJzdGF0dXMiOiI0MDEifQ==                          where the token is refused: why, in JSON
///  C:
///  S: A1 NO
/// ```
#[derive(Debug)]
pub struct XOAuth2 {
    message: Option<Secret>,
    reason: Option<String>,
}

impl XOAuth2 {
    /// A login as `user` by an access token.
    ///
    /// # Errors
    /// [`InvalidCredentials::Separator`] for a control character in either: `\x01` is what parts the fields.
    pub fn new(user: &str, token: &Secret) -> Result<Self, InvalidCredentials> {
        bearer::check(user, token)?;
        let mut message = Zeroizing::new(Vec::with_capacity(user.len() + token.expose().len() + 32));
        for part in [b"user=", user.as_bytes(), b"\x01auth=Bearer ", token.expose(), b"\x01\x01"] {
            message.extend_from_slice(part);
        }
        Ok(XOAuth2 { message: Some(Secret::from(core::mem::take(&mut *message))), reason: None })
    }
}

impl Mechanism for XOAuth2 {
    fn name(&self) -> &str {
        "XOAUTH2"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.message.take()
    }

    /// The one challenge says why the token is refused, and wants an empty answer.
    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        bearer::refused(&mut self.reason, challenge)?;
        Ok(Reply::Say(Secret::from("")))
    }

    fn is_complete(&self) -> bool {
        self.message.is_none()
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::say;
    use super::*;

    #[test]
    fn the_message_has_the_name_and_the_token_and_is_said_once() {
        let mut xoauth2 = XOAuth2::new("alice@example.org", &Secret::new("ya29.token")).expect("they are clean");
        let said = xoauth2.initial_response().expect("a first word");
        assert_eq!(said.expose(), b"user=alice@example.org\x01auth=Bearer ya29.token\x01\x01");
        assert!(xoauth2.is_complete() && xoauth2.initial_response().is_none());
    }

    #[test]
    fn the_reason_of_a_refusal_is_kept_and_answered_once() {
        let mut xoauth2 = XOAuth2::new("alice", &Secret::new("token")).expect("they are clean");
        xoauth2.initial_response();
        let reason = r#"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#;
        assert_eq!(say(&mut xoauth2, reason.as_bytes()), b"");
        assert_eq!(xoauth2.reason(), Some(reason));
        assert_eq!(xoauth2.respond(b"again").map(drop), Err(ExchangeError::Unexpected));
    }

    #[test]
    fn no_field_can_reach_into_the_next() {
        for (user, token) in [("a\x01b", "t"), ("a", "t\x01auth=x"), ("a\r\n", "t"), ("a", "t\0")] {
            assert_eq!(XOAuth2::new(user, &Secret::new(token)).map(drop), Err(InvalidCredentials::Separator));
        }
    }
}
