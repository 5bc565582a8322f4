use alloc::format;
use alloc::string::String;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;

use super::{ExchangeError, Mechanism, Reply};
use crate::types::Secret;

/// `CRAM-MD5`: the password is not sent, and the server has to keep it as it is. RFC 2195
///
/// For servers that have nothing better. It does not show who the server is, and MD5 is broken elsewhere.
///
/// ```text
///  C: A1 AUTHENTICATE CRAM-MD5
///  S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
///  C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
/// ```
#[derive(Debug)]
pub struct CramMd5 {
    user: String,
    password: Option<Secret>,
}

impl CramMd5 {
    /// A login as `user`.
    pub fn new(user: impl Into<String>, password: &Secret) -> Self {
        CramMd5 { user: user.into(), password: Some(password.clone()) }
    }
}

impl Mechanism for CramMd5 {
    fn name(&self) -> &str {
        "CRAM-MD5"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        let password = self.password.take().ok_or(ExchangeError::Unexpected)?;
        // Any length will do for a key.
        let mac = Hmac::<Md5>::new_from_slice(password.expose()).map_err(|_| ExchangeError::Malformed)?;
        let digest = mac.chain_update(challenge).finalize().into_bytes();
        let hex: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(Reply::Say(Secret::from(format!("{} {hex}", self.user))))
    }

    fn is_complete(&self) -> bool {
        self.password.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::say;
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_rfc_and_is_given_once() {
        let mut cram = CramMd5::new("tim", &Secret::new("tanstaaftanstaaf"));
        assert!(cram.initial_response().is_none() && !cram.is_complete());
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(say(&mut cram, challenge), b"tim b913a602c7eda7a495b4e6e7334d3890");
        assert!(cram.is_complete());
        assert_eq!(cram.respond(challenge).map(drop), Err(ExchangeError::Unexpected));
    }
}
