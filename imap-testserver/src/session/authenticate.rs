use std::hash::{BuildHasher, Hasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use imap_proto_core::types::Capability;

use super::answer::{Answer, Bad, Outcome, bad, no, ok};
use super::args::Args;
use super::scram::{Proof, Scram};
use super::{Session, Waiting};

/// What the next response to a challenge is.
#[derive(Debug, Default)]
pub(super) enum Exchange {
    #[default]
    Plain,
    /// The first words of a mechanism.
    ScramFirst(String),
    ScramLast(Scram),
    /// Nothing, from this user.
    ScramProved(String),
}

/// What no other exchange has.
fn nonce() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", number(), number())
}

impl Session {
    pub(super) fn login(&mut self, mut args: Args<'_>) -> Outcome {
        let (user, password) = (args.astring()?, args.astring()?);
        args.end()?;
        if !self.shared.options.allows_login(self.channel) {
            return no("[PRIVACYREQUIRED] Not without TLS");
        }
        self.log_in(&user, &password)
    }

    /// RFC 9051 §6.2.2, with the initial response of RFC 4959.
    pub(super) fn authenticate(&mut self, tag: &str, mut args: Args<'_>) -> Outcome {
        let mechanism = args.word()?;
        let initial = match args.is_empty() {
            true => None,
            false => Some(args.next()?.atom().ok_or(Bad("Base64 expected".into()))?),
        };
        args.end()?;
        if initial.is_some() && !self.has(&Capability::SaslIr) {
            return bad("No initial response is taken");
        }
        let known = mechanism == "PLAIN" || Scram::has(&mechanism);
        let capability = Capability::Auth(mechanism.as_str().into());
        if !self.has(&capability) || !known {
            return no("[CANNOT] No such mechanism");
        }
        // Without TLS there is nothing to bind to either.
        if !self.shared.options.allows_login(self.channel) || !self.capabilities().has(&capability) {
            return no("[PRIVACYREQUIRED] Not without TLS");
        }
        self.exchange = if mechanism == "PLAIN" { Exchange::Plain } else { Exchange::ScramFirst(mechanism) };
        match initial {
            Some(response) => self.authenticate_response(tag, if response == b"=" { b"" } else { response }),
            None => self.challenge(tag, ""),
        }
    }

    fn challenge(&mut self, tag: &str, text: &str) -> Outcome {
        self.waiting = Waiting::Response { tag: tag.to_owned() };
        self.go_on(text);
        Ok(Answer::Later)
    }

    /// The response to a challenge.
    pub(super) fn authenticate_response(&mut self, tag: &str, line: &[u8]) -> Outcome {
        if line == b"*" {
            return bad("Cancelled");
        }
        let Ok(message) = BASE64.decode(line) else { return bad("Base64 expected") };
        match std::mem::take(&mut self.exchange) {
            Exchange::Plain => self.plain(&message),
            Exchange::ScramFirst(mechanism) => {
                let (offered, nonce) = (self.capabilities(), nonce());
                let begun = Scram::begin(&mechanism, &message, &offered, &self.bindings, &nonce)?;
                let Some((scram, answer)) = begun else {
                    return no("[AUTHENTICATIONFAILED] Not bound as it should be");
                };
                self.exchange = Exchange::ScramLast(scram);
                self.challenge(tag, &BASE64.encode(answer))
            }
            Exchange::ScramLast(scram) => {
                let password = self.shared.password(&scram.user);
                match password.map(|password| scram.end(&message, &password)) {
                    Some(Proof::Right(proof)) => {
                        self.exchange = Exchange::ScramProved(scram.user);
                        self.challenge(tag, &BASE64.encode(proof))
                    }
                    _ => no("[AUTHENTICATIONFAILED] Wrong name or password"),
                }
            }
            Exchange::ScramProved(user) => {
                let password = self.shared.password(&user).unwrap_or_default();
                self.log_in(user.as_bytes(), &password)
            }
        }
    }

    /// RFC 4616 §2: `message = [authzid] UTF8NUL authcid UTF8NUL passwd`
    fn plain(&mut self, message: &[u8]) -> Outcome {
        let mut fields = message.split(|byte| *byte == 0);
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(authorize), Some(user), Some(password), None) if authorize.is_empty() || authorize == user => {
                self.log_in(user, password)
            }
            (Some(_), Some(_), Some(_), None) => no("[AUTHORIZATIONFAILED] Not for somebody else"),
            _ => no("[AUTHENTICATIONFAILED] No message of PLAIN"),
        }
    }

    fn log_in(&mut self, user: &[u8], password: &[u8]) -> Outcome {
        let Some(account) = self.shared.log_in(user, password) else {
            return no("[AUTHENTICATIONFAILED] Wrong name or password");
        };
        self.admit(account);
        let capabilities = self.capabilities();
        ok(format!("[CAPABILITY {capabilities}] Logged in"))
    }
}
