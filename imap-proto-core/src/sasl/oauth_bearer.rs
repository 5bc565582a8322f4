use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply, bearer, escaped};
use crate::types::Secret;

/// `OAUTHBEARER`: an access token in place of a password; for TLS only. RFC 7628
///
/// ```text
///  C: A1 AUTHENTICATE OAUTHBEARER bixhPWFsaWNlLAFhdXRoPUJlYXJlciB0b2tlbgEB
///  S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=              where the token is refused: why, in JSON
///  C: AQ==
///  S: A1 NO
/// ```
#[derive(Debug)]
pub struct OAuthBearer {
    message: Option<Secret>,
    reason: Option<String>,
}

impl OAuthBearer {
    /// A login as `user` by an access token. Some servers want to be told which they are taken for: `server` is its host and
    /// port (RFC 7628 §3.1).
    ///
    /// # Errors
    /// [`InvalidCredentials::Separator`] for a control character in any of them: `\x01` is what parts the fields.
    pub fn new(user: &str, token: &Secret, server: Option<(&str, u16)>) -> Result<Self, InvalidCredentials> {
        bearer::check(user, token)?;
        let mut head = format!("n,a={},\x01", escaped(user));
        if let Some((host, port)) = server {
            bearer::check(host, token)?;
            head.push_str(&format!("host={host}\x01port={port}\x01"));
        }
        let mut message = Zeroizing::new(Vec::with_capacity(head.len() + token.expose().len() + 32));
        for part in [head.as_bytes(), b"auth=Bearer ", token.expose(), b"\x01\x01"] {
            message.extend_from_slice(part);
        }
        Ok(OAuthBearer { message: Some(Secret::from(core::mem::take(&mut *message))), reason: None })
    }
}

impl Mechanism for OAuthBearer {
    fn name(&self) -> &str {
        "OAUTHBEARER"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.message.take()
    }

    /// The one challenge says why the token is refused, and wants `\x01` for an answer. RFC 7628 §3.2.3
    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        bearer::refused(&mut self.reason, challenge)?;
        Ok(Reply::Say(Secret::from("\x01")))
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
    fn the_message_is_that_of_the_rfc() {
        let token = Secret::new("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let mut bearer =
            OAuthBearer::new("user@example.com", &token, Some(("server.example.com", 143))).expect("clean");
        let said = bearer.initial_response().expect("a first word");
        // RFC 7628 §4.1
        let rfc = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRj\
            Mk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB";
        assert_eq!(&*crate::sasl::encode(said.expose()), rfc.as_bytes());
        assert!(bearer.is_complete() && bearer.initial_response().is_none());
    }

    #[test]
    fn the_reason_of_a_refusal_is_kept_and_answered_once() {
        let mut bearer = OAuthBearer::new("alice", &Secret::new("token"), None).expect("they are clean");
        bearer.initial_response();
        let reason = r#"{"status":"invalid_token","scope":"example_scope"}"#;
        assert_eq!(say(&mut bearer, reason.as_bytes()), b"\x01");
        assert_eq!(bearer.reason(), Some(reason));
        assert_eq!(bearer.respond(b"again").map(drop), Err(ExchangeError::Unexpected));
    }

    #[test]
    fn no_field_can_reach_into_the_next() {
        let mut bearer = OAuthBearer::new("a,b=c", &Secret::new("token"), None).expect("it is escaped");
        let said = bearer.initial_response().expect("a first word");
        assert_eq!(said.expose(), b"n,a=a=2Cb=3Dc,\x01auth=Bearer token\x01\x01");
        for (user, token, host) in [("a\x01b", "t", "h"), ("a", "t\x01", "h"), ("a", "t", "h\x01")] {
            let bearer = OAuthBearer::new(user, &Secret::new(token), Some((host, 993)));
            assert_eq!(bearer.map(drop), Err(InvalidCredentials::Separator));
        }
    }
}
