use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{ExchangeError, InvalidCredentials, Mechanism, Reply, escaped};
use crate::types::Secret;

/// `OAUTHBEARER` (RFC 7628) and `XOAUTH2`: an access token in place of a password; for TLS only.
///
/// `XOAUTH2` is what Google and Microsoft had before the RFC. The two differ in what is said first, and in the answer to a
/// refusal.
///
/// ```text
///  C: A1 AUTHENTICATE OAUTHBEARER bixhPWFsaWNlLAFhdXRoPUJlYXJlciB0b2tlbgEB
///  S: + eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=              where the token is refused: why, in JSON
///  C: AQ==                                                XOAUTH2: an empty line
///  S: A1 NO
/// ```
pub struct Bearer {
    name: &'static str,
    message: Option<Secret>,
    /// What a refusal is answered with.
    resigned: &'static str,
    reason: Option<String>,
}

/// The server's reason may have the token in it.
impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bearer {
    /// `OAUTHBEARER`: a login as `user` by an access token. Some servers want to be told which they are taken for: `server` is
    /// its host and port (RFC 7628 §3.1).
    ///
    /// # Errors
    /// [`InvalidCredentials::Separator`] for a control character in any of them: `\x01` is what parts the fields.
    pub fn standard(user: &str, token: &Secret, server: Option<(&str, u16)>) -> Result<Self, InvalidCredentials> {
        let mut head = format!("n,a={},\x01", escaped(user));
        if let Some((host, port)) = server {
            check(host.as_bytes())?;
            head.push_str(&format!("host={host}\x01port={port}\x01"));
        }
        check(user.as_bytes())?;
        Self::new("OAUTHBEARER", &head, token, "\x01")
    }

    /// `XOAUTH2`: the same, as it was before the RFC.
    ///
    /// # Errors
    /// As [`standard`](Self::standard).
    pub fn xoauth2(user: &str, token: &Secret) -> Result<Self, InvalidCredentials> {
        check(user.as_bytes())?;
        Self::new("XOAUTH2", &format!("user={user}\x01"), token, "")
    }

    fn new(name: &'static str, head: &str, token: &Secret, resigned: &'static str) -> Result<Self, InvalidCredentials> {
        check(token.expose())?;
        let mut message = Zeroizing::new(Vec::with_capacity(head.len() + token.expose().len() + 32));
        for part in [head.as_bytes(), b"auth=Bearer ", token.expose(), b"\x01\x01"] {
            message.extend_from_slice(part);
        }
        let message = Some(Secret::from(core::mem::take(&mut *message)));
        Ok(Bearer { name, message, resigned, reason: None })
    }
}

/// Control characters part the fields.
fn check(field: &[u8]) -> Result<(), InvalidCredentials> {
    if field.iter().any(u8::is_ascii_control) { Err(InvalidCredentials::Separator) } else { Ok(()) }
}

impl Mechanism for Bearer {
    fn name(&self) -> &str {
        self.name
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.message.take()
    }

    /// The one challenge says why the token is refused, and wants an answer that adds nothing. RFC 7628 §3.2.3
    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        if self.reason.is_some() {
            return Err(ExchangeError::Unexpected);
        }
        self.reason = Some(crate::error::uncleaned(challenge));
        Ok(Reply::Say(Secret::from(self.resigned)))
    }

    fn is_complete(&self) -> bool {
        self.message.is_none() && self.reason.is_none()
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::say;
    use super::*;

    fn first(bearer: &mut Bearer) -> Secret {
        bearer.initial_response().expect("a first word")
    }

    #[test]
    fn the_message_is_that_of_the_rfc() {
        let token = Secret::new("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        let server = Some(("server.example.com", 143));
        let mut bearer = Bearer::standard("user@example.com", &token, server).expect("clean");
        // RFC 7628 §4.1
        let rfc = "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRj\
            Mk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB";
        assert_eq!(&*crate::sasl::encode(first(&mut bearer).expose()), rfc.as_bytes());
        assert!(bearer.is_complete() && bearer.initial_response().is_none());
    }

    #[test]
    fn that_of_xoauth2_has_the_name_and_the_token_and_is_said_once() {
        let mut xoauth2 = Bearer::xoauth2("alice@example.org", &Secret::new("ya29.token")).expect("they are clean");
        assert_eq!(first(&mut xoauth2).expose(), b"user=alice@example.org\x01auth=Bearer ya29.token\x01\x01");
        assert!(xoauth2.is_complete() && xoauth2.initial_response().is_none());
    }

    #[test]
    fn the_reason_of_a_refusal_is_kept_and_answered_once() {
        let token = Secret::new("token");
        let reason = r#"{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}"#;
        for (bearer, answer) in
            [(Bearer::standard("alice", &token, None), &b"\x01"[..]), (Bearer::xoauth2("alice", &token), b"")]
        {
            let mut bearer = bearer.expect("they are clean");
            first(&mut bearer);
            assert_eq!(say(&mut bearer, reason.as_bytes()), answer);
            assert_eq!(bearer.reason(), Some(reason));
            assert!(!bearer.is_complete(), "an OK after a refusal is not to be believed");
            assert_eq!(bearer.respond(b"again").map(drop), Err(ExchangeError::Unexpected));
        }
    }

    #[test]
    fn no_field_can_reach_into_the_next() {
        let mut bearer = Bearer::standard("a,b=c", &Secret::new("token"), None).expect("it is escaped");
        assert_eq!(first(&mut bearer).expose(), b"n,a=a=2Cb=3Dc,\x01auth=Bearer token\x01\x01");
        for (user, token, host) in
            [("a\x01b", "t", "h"), ("a", "t\x01auth=x", "h"), ("a\r\n", "t", "h"), ("a", "t\0", "h")]
        {
            assert_eq!(Bearer::xoauth2(user, &Secret::new(token)).map(drop), Err(InvalidCredentials::Separator));
            let bearer = Bearer::standard(user, &Secret::new(token), Some((host, 993)));
            assert_eq!(bearer.map(drop), Err(InvalidCredentials::Separator));
        }
        let bearer = Bearer::standard("a", &Secret::new("t"), Some(("h\x01", 993)));
        assert_eq!(bearer.map(drop), Err(InvalidCredentials::Separator));
    }
}
