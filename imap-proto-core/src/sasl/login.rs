use alloc::string::String;

use super::{ExchangeError, Mechanism, Reply};
use crate::types::Secret;

/// `LOGIN`: the name and the password, each when it is asked for, unprotected: for TLS only.
///
/// It was never standardised. What the server calls the two differs, and their order does not.
///
/// ```text
///  C: A1 AUTHENTICATE LOGIN
///  S: + VXNlcm5hbWU6
///  C: YWxpY2U=
///  S: + UGFzc3dvcmQ6
///  C: c2VjcmV0
/// ```
#[derive(Debug)]
pub struct Login {
    user: Option<String>,
    password: Option<Secret>,
}

impl Login {
    /// A login as `user`.
    pub fn new(user: impl Into<String>, password: &Secret) -> Self {
        Login { user: Some(user.into()), password: Some(password.clone()) }
    }
}

impl Mechanism for Login {
    fn name(&self) -> &str {
        "LOGIN"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, _: &[u8]) -> Result<Reply, ExchangeError> {
        let said = self.user.take().map(Secret::from).or_else(|| self.password.take());
        said.map(Reply::Say).ok_or(ExchangeError::Unexpected)
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
    fn the_name_and_the_password_are_said_once_each_in_this_order() {
        let mut login = Login::new("alice", &Secret::new("secret"));
        assert!(login.initial_response().is_none() && !login.is_complete());
        assert_eq!(say(&mut login, b"Username:"), b"alice");
        assert!(!login.is_complete());
        assert_eq!(say(&mut login, b"whatever it asks"), b"secret");
        assert!(login.is_complete());
        assert_eq!(login.respond(b"Password:").map(drop), Err(ExchangeError::Unexpected));
    }
}
