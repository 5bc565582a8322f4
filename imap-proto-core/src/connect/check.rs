use std::boxed::Box;
use std::string::String;
use std::time::Duration;

use super::beside::beside;
use super::failure::is_of_the_network;
use super::within::within;
use super::{Connector, Runtime};
use crate::error::{Error, LoginRefusal, Misuse, Phase, ProxyFailure, Refused};
use crate::sasl::ExchangeError;
use crate::types::Code;
use crate::wire::Condition;

/// What became of a login that was only tried: see [`Connector::check_login`].
#[derive(Clone, Debug)]
#[must_use = "it is all that is known of the credentials"]
#[non_exhaustive]
pub enum LoginCheck {
    /// The server has let us in with these credentials.
    Accepted,
    /// The server let us in before we said who we are (PREAUTH): the credentials were not tried. RFC 9051 §7.1.4
    NotAsked,
    /// The server does not take these credentials: its code and its words are within. To try them again is no use, and may
    /// lock the account.
    Rejected(Box<Refused>),
    /// The server is there and can't say for now: it says so by a code or in words (see [`LoginRefusal::Unavailable`]), or said BYE.
    /// The credentials may be good; trying again later may help.
    Unavailable(Error),
    /// Neither other credentials nor time helps, but another setting does: the server offers no way to log in that is allowed
    /// ([`Error::NoMechanism`]) or no STARTTLS; TLS can't be agreed upon, the certificate being not trusted among others; it
    /// refuses as of [`LoginRefusal::Configuration`]; a proxy refuses; or the credentials are missing, or have octets that can't be sent.
    Misconfigured(Error),
    /// The server, or the proxy, was not reached, the connection to it was lost, or it fell silent. Nothing is known of the credentials.
    Unreachable(Error),
    /// Whoever provides the tokens had none, for want of a network too: [`Error::Token`] has its words; or it did not answer in
    /// time. The server was not asked.
    NoToken(Error),
    /// The server broke the protocol, or could not prove that it knows the password: what it says is not to be believed.
    Broken(Error),
}

impl core::fmt::Display for LoginCheck {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            LoginCheck::Accepted => f.write_str("the credentials are accepted"),
            LoginCheck::NotAsked => f.write_str("the server asks for no credentials"),
            LoginCheck::Rejected(refused) => write!(f, "the credentials are rejected: {refused}"),
            LoginCheck::Unavailable(error) => write!(f, "the server can't say for now: {error}"),
            LoginCheck::Misconfigured(error) => write!(f, "something has to be set up first: {error}"),
            LoginCheck::Unreachable(error) => write!(f, "the server is not reached: {error}"),
            LoginCheck::NoToken(error) => write!(f, "there is no token to log in with: {error}"),
            LoginCheck::Broken(error) => write!(f, "the server is not to be believed: {error}"),
        }
    }
}

/// How long LOGOUT may take. The answer is known before it.
const GOODBYE: Duration = Duration::from_secs(5);

impl<R: Runtime> Connector<R> {
    /// Tries the credentials: connects, logs in, and logs out again.
    ///
    /// Every limit of time is that of [`connect`](Self::open), so that it ends with an answer; LOGOUT adds five seconds at most. A
    /// wrong password counts with the server as any does: many of them lock accounts after a few. It needs no executor. Dropped
    /// half-way the connection is closed.
    ///
    /// ```
    /// use imap_proto_core::connect::{Connector, LoginCheck, Runtime};
    ///
    /// async fn verdict<R: Runtime>(connector: Connector<R>) -> String {
    ///     match connector.check_login().await {
    ///         LoginCheck::Accepted | LoginCheck::NotAsked => "welcome".into(),
    ///         LoginCheck::Rejected(refused) => format!("not with this password: {}", refused.text),
    ///         LoginCheck::Misconfigured(error) => format!("something has to be set up first: {error}"),
    ///         LoginCheck::Unavailable(error) | LoginCheck::Unreachable(error) => format!("try again later: {error}"),
    ///         other => format!("no answer: {other}"),
    ///     }
    /// }
    /// ```
    pub async fn check_login(&self) -> LoginCheck {
        if self.credentials.is_none() {
            return LoginCheck::of(Error::Misuse(Misuse::NoCredentials));
        }
        self.around().run(self.try_login()).await.unwrap_or_else(LoginCheck::of)
    }

    async fn try_login(&self) -> Result<LoginCheck, Error> {
        let (client, mut driver) = self.dial().await?;
        let view = beside(&mut driver, client.view()).await?;
        // However it ends: the server has let us in.
        let logout = beside(&mut driver, client.logout());
        let _ = within(&self.runtime, GOODBYE, Phase::Command, &self.host, logout).await;
        Ok(if view.is_preauthenticated() { LoginCheck::NotAsked } else { LoginCheck::Accepted })
    }
}

impl LoginCheck {
    /// What an error of [`open`](Connector::open) or [`connect`](Connector::open) says of the credentials.
    pub fn of(error: Error) -> Self {
        match (error.login_refusal(), error) {
            (Some(LoginRefusal::Credentials), Error::Refused(refused)) => LoginCheck::Rejected(refused),
            (Some(LoginRefusal::Credentials), Error::Exchange(ExchangeError::Server(words))) => {
                LoginCheck::rejected(Condition::No, None, words)
            }
            (
                None,
                Error::Bye {
                    code: code @ Some(Code::AuthenticationFailed | Code::AuthorizationFailed | Code::Expired),
                    text,
                },
            ) => LoginCheck::rejected(Condition::Bye, code, text),
            (Some(LoginRefusal::Unavailable), error) => LoginCheck::Unavailable(error),
            (Some(_), error) => LoginCheck::Misconfigured(error),
            (None, error) => match &error {
                Error::Bye { code: Some(Code::PrivacyRequired | Code::ContactAdmin | Code::NoPerm), .. } => {
                    LoginCheck::Misconfigured(error)
                }
                Error::Bye { .. } => LoginCheck::Unavailable(error),
                // STARTTLS is among the refused, and what is left out of what the server can do.
                Error::Refused(_) | Error::Unsupported(_) | Error::Misuse(_) => LoginCheck::Misconfigured(error),
                Error::Transport(cause) if !is_of_the_network(&**cause) => LoginCheck::Misconfigured(error),
                Error::Token(_) | Error::Timeout { phase: Phase::Token, .. } => LoginCheck::NoToken(error),
                Error::Transport(_) | Error::Unreachable { .. } | Error::Timeout { .. } | Error::Closed(_) => {
                    LoginCheck::Unreachable(error)
                }
                Error::Proxy(proxy) => match proxy.failure {
                    ProxyFailure::Unreachable(_) | ProxyFailure::ServerUnreachable { .. } => {
                        LoginCheck::Unreachable(error)
                    }
                    _ => LoginCheck::Misconfigured(error),
                },
                _ => LoginCheck::Broken(error),
            },
        }
    }

    /// What was said of the credentials in another way than by the answer to the command.
    fn rejected(condition: Condition, code: Option<Code>, text: String) -> Self {
        let command = "AUTHENTICATE".into();
        LoginCheck::Rejected(Box::new(Refused { command, condition, code, text, reason: None }))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::string::ToString;
    use std::sync::Arc;

    use super::super::stage::{Does, Stage};
    use super::*;
    use crate::error::{Closed, Violation};
    use crate::sasl::{AuthMethod, Credentials, InvalidCredentials, Refresh, TokenFuture, TokenProvider};

    const READY: &str = "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\r\n";

    fn alice() -> Credentials {
        Credentials::password("alice", "secret")
    }

    fn checked(stage: &Stage, change: impl FnOnce(Connector<Stage>) -> Connector<Stage>) -> LoginCheck {
        let connector = change(stage.connector().credentials(alice()));
        let check = stage.run(connector.check_login());
        assert_eq!(stage.open(), 0, "the connection is closed");
        check
    }

    macro_rules! server {
        ($greeting:expr $(, $key:literal => $answer:literal)*) => {
            Stage::imap(&[("", $greeting) $(, ($key, $answer))*])
        };
    }

    #[test]
    fn a_login_that_is_taken_is_followed_by_logout() {
        let stage = server!(READY, "LOGOUT" => "* BYE see you\r\n% OK done\r\n<").in_chunks(1);
        assert_eq!(checked(&stage, Connector::plaintext).to_string(), "the credentials are accepted");
        assert!(stage.heard().ends_with("LOGOUT\r\n"), "{}", stage.heard());
    }

    #[test]
    fn each_answer_of_a_server_is_told_for_what_it_is() {
        for (stage, expected) in [
            (server!("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n"), "the server asks for no credentials"),
            (
                server!(READY, "AUTHENTICATE" => "% NO [AUTHENTICATIONFAILED] wrong\r\n"),
                "the credentials are rejected: AUTHENTICATE refused: [AUTHENTICATIONFAILED] wrong",
            ),
            (
                server!(READY, "AUTHENTICATE" => "% NO wrong\r\n"),
                "the credentials are rejected: AUTHENTICATE refused: wrong",
            ),
            (
                server!("* OK [CAPABILITY IMAP4rev1] hi\r\n", "LOGIN" => "% NO [EXPIRED] over\r\n"),
                "the credentials are rejected: LOGIN refused: [EXPIRED] over",
            ),
            (
                server!(READY, "AUTHENTICATE" => "% NO [UNAVAILABLE] later\r\n"),
                "the server can't say for now: AUTHENTICATE refused: [UNAVAILABLE] later",
            ),
            (
                server!(READY, "AUTHENTICATE" => "* BYE too many\r\n<"),
                "the server can't say for now: the server closed the connection: too many",
            ),
            (
                server!(READY, "AUTHENTICATE" => "* BYE [AUTHENTICATIONFAILED] wrong\r\n<"),
                "the credentials are rejected: AUTHENTICATE refused: [AUTHENTICATIONFAILED] wrong",
            ),
            (
                server!(READY, "AUTHENTICATE" => "* BYE too many\r\n% NO [AUTHENTICATIONFAILED] wrong\r\n"),
                "the credentials are rejected: AUTHENTICATE refused: [AUTHENTICATIONFAILED] wrong",
            ),
            (
                server!(READY, "AUTHENTICATE" => "* BYE too many\r\n"),
                "the server can't say for now: the server closed the connection: too many",
            ),
            (server!("* BYE go away\r\n<"), "the server can't say for now: the server closed the connection: go away"),
            (
                server!("* BYE [PRIVACYREQUIRED] not so\r\n<"),
                "something has to be set up first: the server closed the connection: [PRIVACYREQUIRED] not so",
            ),
            (
                server!(READY, "AUTHENTICATE" => "% NO [PRIVACYREQUIRED] not so\r\n"),
                "something has to be set up first: AUTHENTICATE refused: [PRIVACYREQUIRED] not so",
            ),
            (
                server!(READY, "AUTHENTICATE" => "% BAD what\r\n"),
                "something has to be set up first: AUTHENTICATE refused: what",
            ),
            (
                server!("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n"),
                "something has to be set up first: no way to log in: the server offers nothing, and allowed here is",
            ),
            (server!("hello\r\n"), "the server is not to be believed: protocol violation: no greeting"),
            (server!("<"), "the server is not reached: the connection is closed"),
            (server!(READY, "AUTHENTICATE" => "<"), "the server is not reached: the connection is closed"),
            (server!(""), "the server is not reached: timed out"),
            (server!(READY, "AUTHENTICATE" => ""), "the server is not reached: timed out"),
        ] {
            let found = checked(&stage, Connector::plaintext).to_string();
            assert!(found.starts_with(expected), "{found} is not {expected}");
        }
    }

    #[test]
    fn the_answer_stands_whatever_becomes_of_logout() {
        for (answer, time) in [
            ("", GOODBYE),
            ("rubbish\r\n", GOODBYE),
            ("<", Duration::ZERO),
            ("% NO not now\r\n", Duration::ZERO),
            ("* BYE\r\n<", Duration::ZERO),
        ] {
            let table: &'static [_] = std::vec![("", READY), ("LOGOUT", answer)].leak();
            let stage = Stage::imap(table);
            assert_eq!(checked(&stage, Connector::plaintext).to_string(), "the credentials are accepted", "{answer}");
            assert_eq!(stage.now(), time, "{answer}");
        }
    }

    #[test]
    fn what_is_in_the_way_of_tls_is_told_for_what_it_is() {
        let refused = |_| Err(io::ErrorKind::ConnectionRefused.into());
        assert!(
            checked(&Stage::new(refused), |c| c)
                .to_string()
                .starts_with("the server is not reached: connecting to mail.example:993")
        );
        let silent = Stage::new(|_| Ok(Box::new(|_: &[u8]| Does::Says(std::vec![]))));
        for (with, expected) in [
            (
                (|| io::Error::other(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)))
                    as fn() -> io::Error,
                "something has to be set up first: TLS with mail.example:993: invalid peer certificate",
            ),
            (
                || io::Error::other(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)),
                "something has to be set up first: TLS with mail.example:993 (a port for STARTTLS",
            ),
            (|| io::ErrorKind::UnexpectedEof.into(), "the server is not reached: TLS with mail.example:993"),
            (|| io::ErrorKind::ConnectionReset.into(), "the server is not reached: TLS with mail.example:993"),
        ] {
            let found = checked(&silent.clone().tls_fails(with), |connector| connector).to_string();
            assert!(found.starts_with(expected), "{found}");
        }
        assert_eq!(silent.tls_with(), ["mail.example"; 4]);
        let no_name = Connector::on(silent.clone(), "mail example").address("192.0.2.1").credentials(alice());
        let found = silent.run(no_name.check_login()).to_string();
        assert!(found.starts_with("something has to be set up first: TLS with "), "{found}");

        let without = server!("* OK [CAPABILITY IMAP4rev1] hi\r\n");
        assert!(
            checked(&without, Connector::starttls)
                .to_string()
                .starts_with("something has to be set up first: the server does not offer")
        );
        let refuses = server!("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", "STARTTLS" => "% NO not today\r\n");
        assert!(
            checked(&refuses, Connector::starttls)
                .to_string()
                .starts_with("something has to be set up first: STARTTLS refused")
        );
        let early = server!("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n");
        assert!(
            checked(&early, Connector::starttls)
                .to_string()
                .starts_with("the server is not to be believed: protocol violation: PREAUTH")
        );
    }

    struct Nobody;

    impl TokenProvider for Nobody {
        fn token(&self, _: Refresh) -> TokenFuture<'_> {
            Box::pin(async { Err("nobody has signed in".into()) })
        }
    }

    struct Asleep;

    impl TokenProvider for Asleep {
        fn token(&self, _: Refresh) -> TokenFuture<'_> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_provider_that_never_answers_is_given_up() {
        let stage = server!("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\r\n");
        let asleep = |c: Connector<Stage>| c.plaintext().credentials(Credentials::provided("alice", Asleep));
        let found = checked(&stage, asleep).to_string();
        assert_eq!(found, "there is no token to log in with: timed out after 300s, waiting for the access token");
        assert_eq!(stage.now(), Duration::from_secs(300));
    }

    #[test]
    fn nothing_is_dialled_without_credentials_and_none_is_sent_that_is_not_there() {
        let stage = server!("* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\r\n");
        let found = stage.run(stage.connector().plaintext().check_login());
        assert_eq!(found.to_string(), "something has to be set up first: no credentials to log in with");
        assert!(stage.looked_up().is_empty());
        let tokens =
            checked(&stage, |connector| connector.plaintext().credentials(Credentials::provided("alice", Nobody)));
        assert_eq!(tokens.to_string(), "there is no token to log in with: no access token: nobody has signed in");
        let nul = checked(&stage, |connector| {
            connector
                .plaintext()
                .credentials(Credentials::password("ali\0ce", "secret").allow([AuthMethod::LoginCommand]))
        });
        assert!(nul.to_string().starts_with("something has to be set up first: "), "{nul:?}");
    }

    #[test]
    fn what_an_error_says_of_the_credentials() {
        let server = |words: &str| Error::Exchange(ExchangeError::Server(words.into()));
        for (error, expected) in [
            (server("invalid-proof"), "the credentials are rejected: AUTHENTICATE refused: invalid-proof"),
            (server("unknown-user"), "the credentials are rejected: AUTHENTICATE refused: unknown-user"),
            (server("no-resources"), "the server can't say for now: authentication: the server says: no-resources"),
            (
                server("channel-binding-not-supported"),
                "something has to be set up first: authentication: the server says",
            ),
            (
                Error::Exchange(ExchangeError::Signature),
                "the server is not to be believed: authentication: the server does not prove",
            ),
            (Error::Protocol(Violation::StartTlsInjection), "the server is not to be believed: protocol violation"),
            (Error::Misuse(InvalidCredentials::NoToken.into()), "something has to be set up first: "),
            (Error::Closed(Closed::EndOfStream), "the server is not reached: "),
            (Error::Transport(Arc::new(io::Error::from(io::ErrorKind::BrokenPipe))), "the server is not reached: "),
            (Error::Transport(Arc::new(rustls::Error::NoCertificatesPresented)), "something has to be set up first: "),
        ] {
            let found = LoginCheck::of(error).to_string();
            assert!(found.starts_with(expected), "{found} is not {expected}");
        }
    }

    #[test]
    fn a_check_that_is_dropped_half_way_closes_the_connection() {
        let stage = server!(READY, "AUTHENTICATE" => "");
        let connector = stage.connector().plaintext().credentials(alice());
        let mut check = Box::pin(connector.check_login());
        assert!(stage.run_until_it_waits(&mut check));
        assert_eq!(stage.open(), 1);
        drop(check);
        assert_eq!(stage.open(), 0);
    }
}
