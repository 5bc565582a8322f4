use std::error::Error as StdError;
use std::io;

use super::super::failure::{chain, is_of_the_network};
use crate::error::{Closed, Error, LoginRefusal, Phase, ProxyFailure};
use crate::types::Code;

/// True where the same may succeed later, without anybody doing anything about it.
pub(super) fn may_pass(error: &Error) -> bool {
    match error {
        Error::Refused(refused) => {
            refused.is_not_connected() || refused.login_refusal() == Some(LoginRefusal::Unavailable)
        }
        Error::Bye { code: Some(Code::PrivacyRequired | Code::ContactAdmin | Code::NoPerm), .. } => false,
        Error::Bye { .. } => !would_lock_the_account(error),
        Error::Timeout { phase, .. } => *phase != Phase::Operation,
        Error::Unreachable { .. } | Error::Closed(Closed::EndOfStream) => true,
        Error::Transport(cause) => is_of_the_network(&**cause),
        Error::Proxy(proxy) => {
            matches!(proxy.failure, ProxyFailure::Unreachable(_) | ProxyFailure::ServerUnreachable { .. })
        }
        Error::Exchange(_) => error.login_refusal() == Some(LoginRefusal::Unavailable),
        Error::Token(cause) => has_io(&**cause) && is_of_the_network(&**cause),
        _ => false,
    }
}

/// True where the server has judged the credentials: the same again would be counted with those that are wrong.
pub(super) fn would_lock_the_account(error: &Error) -> bool {
    use Code::{AuthenticationFailed, AuthorizationFailed, Expired};
    match error {
        Error::Bye { code, .. } => matches!(code, Some(AuthenticationFailed | AuthorizationFailed | Expired)),
        error => error.login_refusal() == Some(LoginRefusal::Credentials),
    }
}

fn has_io(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|one| one.is::<io::Error>())
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::boxed::Box;
    use std::string::{String, ToString};
    use std::sync::Arc;

    use super::super::super::failure::failed;
    use super::*;
    use crate::error::{NoMechanism, Refused, Violation};
    use crate::sasl::ExchangeError;
    use crate::wire::Condition;

    fn refused(command: &'static str, code: Option<Code>, text: &str) -> Error {
        let (command, text) = (command.into(), text.to_string());
        Error::Refused(Box::new(Refused { command, condition: Condition::No, code, text, reason: None }))
    }

    fn bye(code: Option<Code>) -> Error {
        Error::Bye { code, text: String::new() }
    }

    fn of_io(kind: io::ErrorKind) -> Error {
        failed(kind.into(), "connecting to mail.example:993".to_string())
    }

    fn of_tls(error: rustls::Error) -> Error {
        failed(io::Error::new(io::ErrorKind::InvalidData, error), "TLS with mail.example:993".to_string())
    }

    /// In the words of SCRAM.
    fn said(words: &str) -> Error {
        Error::Exchange(ExchangeError::Server(words.to_string()))
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn late(phase: Phase) -> Error {
        Error::Timeout { phase, limit: SECOND }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let server = String::from("mail.example:993");
        let token = |kind| Error::Token(Arc::new(io::Error::from(kind)));
        let signed_out: Box<dyn StdError + Send + Sync> = "signed out".into();
        let no_way = NoMechanism { offered: std::vec![], allowed: std::vec![] };
        for (error, expected) in [
            (refused("LOGIN", None, "wrong"), false),
            (refused("AUTHENTICATE", Some(Code::AuthenticationFailed), "wrong"), false),
            (refused("LOGIN", Some(Code::PrivacyRequired), "TLS first"), false),
            (refused("LOGIN", Some(Code::Unavailable), "later"), true),
            (refused("AUTHENTICATE", Some(Code::InUse), "later"), true),
            (refused("SELECT", None, "User is authenticated but not connected."), true),
            (refused("SELECT", Some(Code::NonExistent), "no such mailbox"), false),
            (Error::NoMechanism(Box::new(no_way)), false),
            (bye(None), true),
            (bye(Some(Code::Unavailable)), true),
            (bye(Some(Code::Expired)), false),
            (late(Phase::Greeting), true),
            (late(Phase::Command), true),
            (late(Phase::Operation), false),
            (Error::Unreachable { phase: Phase::Connect, limit: SECOND, server }, true),
            (Error::Closed(Closed::EndOfStream), true),
            (Error::Closed(Closed::LoggedOut), false),
            (Error::Closed(Closed::ByOwner), false),
            (Error::Protocol(Violation::StartTlsInjection), false),
            (of_io(io::ErrorKind::ConnectionRefused), true),
            (of_io(io::ErrorKind::NotFound), true),
            (of_io(io::ErrorKind::UnexpectedEof), true),
            (of_io(io::ErrorKind::InvalidInput), false),
            (of_tls(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)), false),
            (Error::Transport(Arc::new(rustls::Error::FailedToGetRandomBytes)), false),
            (token(io::ErrorKind::TimedOut), true),
            (token(io::ErrorKind::PermissionDenied), false),
            (Error::Token(signed_out.into()), false),
            (said("no-resources"), true),
            (said("invalid-proof"), false),
            (said("other-error"), false),
            (Error::InDoubt(Box::new(bye(None))), false),
            (Error::Cancelled, false),
        ] {
            assert_eq!(may_pass(&error), expected, "{error:?}");
        }
    }
}
