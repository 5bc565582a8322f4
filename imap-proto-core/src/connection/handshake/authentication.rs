use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::error::{Closed, Error, LoginRefusal, Refused, Violation};
use crate::sasl::{
    AnyMechanism, AuthMethod, ChannelBinding, Credentials, ExchangeError, InvalidCredentials, Offer, Refresh, Reply,
    encode,
};
use crate::types::Secret;

/// Challenges that are answered in one exchange, whoever's mechanism it is.
const MOST_ANSWERS: u8 = 16;
/// In place of a server's words that have a secret in them.
const WITHHELD: &str = "(the server repeated what it was told)";

/// How we log in: by what, and how far it has come.
#[derive(Debug)]
pub(super) struct Authentication {
    credentials: Credentials,
    pub(super) binding: ChannelBinding,
    /// What the provider gave last.
    token: Option<Secret>,
    /// What became of the first token, after which another was asked for by force. That is done once.
    refused: Option<RefusedToken>,
    /// That token was wanted on another connection, which is done once.
    moved: bool,
    exchange: Option<Exchange>,
    /// The first words of the exchange as they are on the wire.
    said: Zeroizing<Vec<u8>>,
}

/// A token that was refused, in which words, and what of it nobody is to see.
#[derive(Debug)]
struct RefusedToken {
    refusal: Box<Refused>,
    token: Option<Secret>,
    said: Zeroizing<Vec<u8>>,
}

/// An exchange under way.
#[derive(Debug)]
struct Exchange {
    mechanism: AnyMechanism,
    /// What waits for the server's first `+`, where the command could not have it.
    initial: Option<Secret>,
    /// True when it has something to work out before it answers.
    works: bool,
    /// It has said something.
    spoke: bool,
    answers: u8,
    /// Why it does not go on.
    failed: Option<ExchangeError>,
}

/// How to go on with an exchange.
pub(super) enum Next {
    Say(Secret),
    /// There is something to work out.
    Work,
    /// The exchange is to be cancelled.
    Cancel,
}

impl Authentication {
    pub(super) fn new(credentials: Credentials) -> Self {
        Authentication {
            credentials,
            binding: ChannelBinding::None,
            token: None,
            refused: None,
            moved: false,
            exchange: None,
            said: Zeroizing::default(),
        }
    }

    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// True when a token has to be asked for before the login can begin.
    pub(super) fn lacks_token(&self) -> bool {
        self.credentials.provider().is_some() && self.token.is_none()
    }

    pub(super) fn refresh(&self) -> Refresh {
        if self.refused.is_some() { Refresh::Forced } else { Refresh::IfExpired }
    }

    pub(super) fn take_token(&mut self, token: Secret) {
        self.token = Some(token);
    }

    /// Nothing of the exchange has left.
    pub(super) fn unsaid(&mut self) {
        self.exchange = None;
    }

    /// True where a token that was renewed by force may be tried on another connection, as this one has ended so: some servers
    /// close along with a refusal. Not where that token was answered. An end without a word may still be that of the first one.
    pub(super) fn may_move(&self, error: &Error) -> bool {
        let has_code = matches!(error, Error::Bye { code: Some(_), .. });
        let is_answered = |exchange: &Exchange| has_code || exchange.mechanism.reason().is_some();
        let is_answer = self.exchange.as_ref().is_some_and(is_answered);
        let is_end = matches!(error, Error::Bye { .. } | Error::Closed(Closed::EndOfStream) | Error::Transport(_));
        self.refused.is_some() && self.token.is_some() && !self.moved && is_end && !is_answer
    }

    /// Forgets the connection: the next one is the last.
    pub(super) fn move_on(&mut self) {
        (self.moved, self.exchange, self.binding) = (true, None, ChannelBinding::None);
    }

    /// Why the first token was refused.
    pub(super) fn refusal(&self) -> Option<&Refused> {
        self.refused.as_ref().map(|refused| &*refused.refusal)
    }

    /// Begins an exchange: the name of its mechanism, and what goes with the command.
    pub(super) fn begin(
        &mut self,
        method: &AuthMethod,
        offer: &Offer<'_>,
        takes_initial: bool,
    ) -> Result<(String, Option<Secret>), InvalidCredentials> {
        let name = alloc::string::ToString::to_string(method);
        let mut mechanism = self.credentials.mechanism(&name, self.token.as_ref(), offer)?;
        let mut initial = mechanism.initial_response();
        self.said = initial.as_ref().map(|said| encode(said.expose())).unwrap_or_default();
        let sent = if takes_initial { initial.take() } else { None };
        let name = mechanism.name().into();
        let spoke = sent.is_some();
        self.exchange = Some(Exchange { mechanism, initial, works: false, spoke, answers: 0, failed: None });
        Ok((name, sent))
    }

    /// What is said to a challenge; `None` for one that is no Base64.
    pub(super) fn challenged(&mut self, challenge: Option<&[u8]>) -> Next {
        let Some(exchange) = self.exchange.as_mut().filter(|exchange| exchange.answers < MOST_ANSWERS) else {
            return self.failed(ExchangeError::Unexpected);
        };
        exchange.answers += 1;
        // What the first `+` says besides is of no interest to a client that speaks first.
        let reply = match (exchange.initial.take(), challenge) {
            (Some(initial), _) => Ok(Reply::Say(initial)),
            (None, Some(challenge)) => exchange.mechanism.respond(challenge),
            (None, None) => Err(ExchangeError::Malformed),
        };
        self.replied(reply)
    }

    /// Works for some milliseconds on what it has to work out; `None` where there is nothing.
    pub(super) fn work(&mut self) -> Option<Next> {
        let exchange = self.exchange.as_mut().filter(|exchange| exchange.works)?;
        let reply = exchange.mechanism.work();
        Some(self.replied(reply))
    }

    pub(super) fn works(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.works)
    }

    fn replied(&mut self, reply: Result<Reply, ExchangeError>) -> Next {
        let works = matches!(reply, Ok(Reply::Work));
        if let Some(exchange) = &mut self.exchange {
            exchange.works = works;
            exchange.spoke |= !works;
        }
        match reply {
            Ok(Reply::Say(said)) => Next::Say(said),
            Ok(Reply::Work) => Next::Work,
            Err(error) => self.failed(error),
        }
    }

    fn failed(&mut self, error: ExchangeError) -> Next {
        if let Some(exchange) = &mut self.exchange {
            exchange.failed = Some(error);
        }
        Next::Cancel
    }

    /// Takes the server's answer to the whole of it. `Ok(false)` where another token is worth another try.
    pub(super) fn ended(&mut self, outcome: Result<(), Box<Refused>>) -> Result<bool, Error> {
        let exchange = self.exchange.take();
        let failed = exchange.as_ref().and_then(|exchange| exchange.failed.clone());
        let refused = match (outcome, exchange) {
            (Ok(()), Some(exchange)) if !exchange.mechanism.is_complete() || exchange.initial.is_some() => {
                return Err(match failed {
                    Some(failed) => Error::Exchange(failed),
                    None if exchange.spoke => Error::Exchange(ExchangeError::Incomplete),
                    // Nobody can know us who has not heard us yet.
                    None => Error::Protocol(Violation::AnswerToUnsent),
                });
            }
            (Ok(()), _) => return failed.map_or(Ok(true), |failed| Err(Error::Exchange(failed))),
            (Err(refused), None) => return Err(Error::Refused(refused)),
            (Err(mut refused), Some(exchange)) => {
                refused.reason = exchange.mechanism.reason().map(Into::into);
                refused
            }
        };
        // A challenge too many says less than the server's own words.
        match failed {
            Some(failed) if failed != ExchangeError::Unexpected => return Err(Error::Exchange(failed)),
            _ => {}
        }
        let may_be_the_token = refused.login_refusal() == Some(LoginRefusal::Credentials);
        match self.without_secrets(Error::Refused(refused)) {
            Error::Refused(refusal)
                if self.credentials.provider().is_some() && self.refused.is_none() && may_be_the_token =>
            {
                let said = core::mem::take(&mut self.said);
                self.refused = Some(RefusedToken { refusal, token: self.token.take(), said });
                Ok(false)
            }
            error => Err(error),
        }
    }

    /// A server may repeat what it was told: then its words are left out.
    pub(super) fn without_secrets(&self, mut error: Error) -> Error {
        match &mut error {
            Error::Refused(refused) => {
                let code = alloc::format!("{:?}", refused.code);
                if self.is_repeated(&code) {
                    refused.code = None;
                    refused.text = WITHHELD.into();
                }
                self.withhold(&mut refused.text);
                if let Some(reason) = &mut refused.reason {
                    self.withhold(reason);
                }
            }
            Error::Bye { code, text } => {
                if self.is_repeated(&alloc::format!("{code:?}")) {
                    *code = None;
                    *text = WITHHELD.into();
                }
                self.withhold(text);
            }
            Error::Exchange(ExchangeError::Server(text)) => self.withhold(text),
            _ => {}
        }
        error
    }

    pub(super) fn withhold(&self, text: &mut String) {
        if self.is_repeated(text) {
            *text = WITHHELD.into();
        }
    }

    fn is_repeated(&self, said: &str) -> bool {
        let has = |secret: &[u8]| {
            let Ok(secret) = core::str::from_utf8(secret) else { return false };
            // As it is, as it goes between quotes, and as that is shown.
            let quoted = Zeroizing::new(secret.escape_debug().to_string());
            let shown = Zeroizing::new(quoted.escape_debug().to_string());
            !secret.is_empty() && [secret, &quoted, &shown].iter().any(|form| said.contains(form))
        };
        let before = self.refused.as_ref();
        let secrets = self.credentials.secret().into_iter().chain(&self.token);
        let mut secrets = secrets.chain(before.and_then(|refused| refused.token.as_ref()));
        has(&self.said)
            || before.is_some_and(|refused| has(&refused.said))
            || secrets.any(|secret| has(secret.expose()) || has(&encode(secret.expose())))
    }
}
