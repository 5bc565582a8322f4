use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{CommandId, Connection, Event};
use crate::command::{Authenticate, CapabilityCommand, Command, Login, Request, StartTls};
use crate::config::{Config, Time};
use crate::error::{Error, Misuse, Phase, Violation};
use crate::sasl::{AnyMechanism, Mechanism, Plain, Reply};
use crate::types::{Capability, Secret};

/// How the stream is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314). The stream given to the handshake is a TLS stream already.
    #[default]
    ImplicitTls,
    /// Clear text until STARTTLS, which is required.
    StartTls,
    /// Clear text, password and all.
    Plaintext,
}

impl Security {
    /// The port that is reserved for it.
    pub fn default_port(self) -> u16 {
        match self {
            Security::ImplicitTls => 993,
            Security::StartTls | Security::Plaintext => 143,
        }
    }

    /// True when TLS comes before the first byte of IMAP.
    pub fn begins_with_tls(self) -> bool {
        self == Security::ImplicitTls
    }
}

/// Who logs in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// By name and password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Credentials {
    /// A name and a password.
    pub fn password(user: impl Into<String>, password: impl Into<Secret>) -> Self {
        Credentials::Password { user: user.into(), password: password.into() }
    }
}

/// From the first byte to an authenticated connection, as a state machine of its own.
///
/// ```text
///  Greeting ──► StartTls ──OK──► Want::Tls ──secured()──┐
///     │                                                 ▼
///     └──────────────(implicit TLS, clear text)────► Before ─► Login ─► After ─► Want::Nothing
///                                               CAPABILITY  │       CAPABILITY
///                                                           └ AUTHENTICATE PLAIN where it is offered, else LOGIN
/// ```
///
/// CAPABILITY is sent only where the server did not say by itself. STARTTLS happens here and nowhere
/// else, and whatever was learned in clear text is forgotten at that point.
///
/// Whoever drives it moves the bytes of [`connection`](Self::connection) and calls
/// [`advance`](Self::advance) after each move. Dropping it drops the connection.
#[derive(Debug)]
pub struct Handshake {
    connection: Connection,
    config: Config,
    security: Security,
    credentials: Option<Credentials>,
    exchange: Option<Exchange>,
    stage: Stage,
    by: Time,
}

/// In place of a server's words that have the password in them.
const WITHHELD: &str = "(the server repeated the password)";

/// An authentication under way.
#[derive(Debug)]
struct Exchange {
    mechanism: AnyMechanism,
    /// What waits for the server's first `+`, where the command could not have it.
    initial: Option<Secret>,
}

/// What a handshake needs to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Bytes in either direction, or time.
    Bytes,
    /// TLS over the stream as it is now, then [`Handshake::secured`].
    Tls,
    /// Nothing: [`Handshake::into_connection`] has the authenticated connection.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    StartTls(CommandId),
    Tls,
    Before(CommandId),
    Login(CommandId),
    After(CommandId),
    Ready,
}

impl Handshake {
    /// Returns a handshake that waits for the greeting. Without credentials it ends before login.
    pub fn new(config: Config, security: Security, credentials: Option<Credentials>) -> Self {
        let by = config.greeting;
        let connection = Connection::new(config.clone());
        Handshake { connection, config, security, credentials, exchange: None, stage: Stage::Greeting, by }
    }

    /// The connection whose bytes are to be moved.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// When [`advance`](Self::advance) is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Time> {
        let own = (self.stage != Stage::Ready).then_some(self.by);
        self.connection.poll_timeout().into_iter().chain(own).min()
    }

    /// Goes as far as the bytes received allow.
    ///
    /// # Errors
    /// Whatever ended it; the stream is to be closed then. A refused login is [`Error::Refused`].
    pub fn advance(&mut self, now: Time) -> Result<Want, Error> {
        self.connection.handle_timeout(now);
        while let Some(step) = self.next_step() {
            let taken = step.and_then(|step| self.take(step, now));
            taken.map_err(|error| self.without_password(error))?;
        }
        match self.stage {
            Stage::Ready => Ok(Want::Nothing),
            Stage::Tls => Ok(Want::Tls),
            Stage::Greeting if now >= self.by => Err(Error::Timeout(Phase::Greeting)),
            _ if now >= self.by => Err(Error::Timeout(Phase::Login)),
            _ => Ok(Want::Bytes),
        }
    }

    /// Goes on over TLS. Nothing that came in clear text is left.
    ///
    /// # Errors
    /// [`Violation::StartTlsInjection`] when something had followed the server's OK.
    pub fn secured(&mut self, now: Time) -> Result<(), Error> {
        if self.connection.buffered() > 0 {
            return Err(Error::Protocol(Violation::StartTlsInjection));
        }
        let before = core::mem::replace(&mut self.connection, Connection::new(self.config.clone()));
        self.connection.resume_after_tls(before, now);
        self.by = now.saturating_add(self.config.handshake);
        self.log_in(now)
    }

    /// The authenticated connection, once [`advance`](Self::advance) wants nothing.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// The next event that matters here, as plain data.
    fn next_step(&mut self) -> Option<Result<Step, Error>> {
        loop {
            if matches!(self.stage, Stage::Tls | Stage::Ready) {
                return None;
            }
            match self.connection.poll_event()? {
                Event::Greeting(_) => return Some(Ok(Step::Greeted)),
                Event::Challenge { id, challenge } => return Some(Ok(Step::Challenge(id, challenge))),
                Event::Done { id, outcome } => return Some(Ok(Step::Done(id, outcome.map(drop)))),
                Event::Failed { error, .. } | Event::Closed(error) => return Some(Err(error)),
                _ => {}
            }
        }
    }

    fn take(&mut self, step: Step, now: Time) -> Result<(), Error> {
        match (step, self.stage) {
            (Step::Greeted, Stage::Greeting) => self.greeted(now),
            (Step::Done(id, outcome), Stage::StartTls(own)) if id == own => {
                outcome.map_err(Error::Refused)?;
                if self.connection.buffered() > 0 {
                    return Err(Error::Protocol(Violation::StartTlsInjection));
                }
                self.stage = Stage::Tls;
                Ok(())
            }
            (Step::Done(id, _), Stage::Before(own)) if id == own => self.log_in_knowing(now),
            (Step::Challenge(id, challenge), Stage::Login(own)) if id == own => {
                self.answer(id, challenge, now);
                Ok(())
            }
            (Step::Done(id, outcome), Stage::Login(own)) if id == own => {
                outcome.map_err(Error::Refused)?;
                // Nobody can know us who has not heard us yet.
                let told = |exchange: Exchange| exchange.initial.is_none() && exchange.mechanism.is_complete();
                if !self.exchange.take().is_none_or(told) {
                    return Err(Error::Protocol(Violation::AnswerToUnsent));
                }
                self.credentials = None;
                self.logged_in(now)
            }
            (Step::Done(id, _), Stage::After(own)) if id == own => {
                self.stage = Stage::Ready;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn greeted(&mut self, now: Time) -> Result<(), Error> {
        self.by = now.saturating_add(self.config.handshake);
        if self.security != Security::StartTls {
            return self.log_in(now);
        }
        // RFC 9051 §7.1.4: a client that requires TLS must not go on after PREAUTH.
        if self.connection.view().is_authenticated() {
            return Err(Error::Protocol(Violation::PreAuthWithoutTls));
        }
        let capabilities = self.connection.view().capabilities();
        if !capabilities.is_empty() && !capabilities.has(&Capability::StartTls) {
            return Err(Error::Unsupported("STARTTLS"));
        }
        self.stage = Stage::StartTls(self.submit(StartTls.request(), now)?);
        Ok(())
    }

    fn log_in(&mut self, now: Time) -> Result<(), Error> {
        let view = self.connection.view();
        if view.is_authenticated() || self.credentials.is_none() {
            return self.logged_in(now);
        }
        if view.capabilities().is_empty() {
            self.stage = Stage::Before(self.submit(CapabilityCommand::default().request(), now)?);
            return Ok(());
        }
        self.log_in_knowing(now)
    }

    fn log_in_knowing(&mut self, now: Time) -> Result<(), Error> {
        let Some(Credentials::Password { user, password }) = &self.credentials else {
            return self.logged_in(now);
        };
        let capabilities = self.connection.view().capabilities();
        if capabilities.has_auth("PLAIN") {
            let takes_initial = capabilities.offers(&Capability::SaslIr);
            let mechanism = Plain::new(user.clone(), password).map_err(Misuse::Credentials)?;
            return self.authenticate(alloc::boxed::Box::new(mechanism), takes_initial, now);
        }
        if capabilities.has(&Capability::LoginDisabled) {
            return Err(Error::Unsupported("LOGIN"));
        }
        let login = Login::new(user.clone(), password.clone());
        self.stage = Stage::Login(self.submit(login.request(), now)?);
        Ok(())
    }

    fn authenticate(&mut self, mut mechanism: AnyMechanism, takes_initial: bool, now: Time) -> Result<(), Error> {
        let mut initial = mechanism.initial_response();
        let sent = if takes_initial { initial.take() } else { None };
        let command = Authenticate::new(mechanism.name(), sent);
        self.exchange = Some(Exchange { mechanism, initial });
        self.stage = Stage::Login(self.submit(command.request(), now)?);
        Ok(())
    }

    /// Says what is to be said to a challenge, each thing once, and else cancels.
    fn answer(&mut self, id: CommandId, challenge: Option<Vec<u8>>, now: Time) {
        let response = self.exchange.as_mut().and_then(|exchange| match (exchange.initial.take(), challenge) {
            // What the first `+` says besides is of no interest to a client that speaks first.
            (Some(initial), _) => Some(initial),
            (None, Some(challenge)) => answer_to(&mut *exchange.mechanism, &challenge),
            (None, None) => None,
        });
        match response {
            Some(response) => self.connection.answer(id, &response, now),
            None => drop(self.connection.abandon(id, now)),
        }
    }

    /// A server may repeat what it was told: then its words are left out.
    fn without_password(&self, mut error: Error) -> Error {
        let Some(Credentials::Password { password, .. }) = &self.credentials else { return error };
        let (code, text) = match &mut error {
            Error::Refused(refused) => (&mut refused.code, &mut refused.text),
            Error::Bye { code, text } => (code, text),
            _ => return error,
        };
        let said = alloc::format!("{text} {code:?}");
        let repeated = |secret: &[u8]| core::str::from_utf8(secret).is_ok_and(|secret| said.contains(secret));
        if (!password.is_empty() && repeated(password.expose()))
            || self.plain_on_the_wire().is_some_and(|s| repeated(&s))
        {
            *text = String::from(WITHHELD);
            *code = None;
        }
        error
    }

    /// What PLAIN says, as it is on the wire. Wiped when it is dropped.
    fn plain_on_the_wire(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Some(Credentials::Password { user, password }) = &self.credentials else { return None };
        let said = Plain::new(user.clone(), password).ok()?.initial_response()?;
        Some(crate::sasl::encode(said.expose()))
    }

    fn logged_in(&mut self, now: Time) -> Result<(), Error> {
        self.stage = match self.connection.view().capabilities().is_empty() {
            true => Stage::After(self.submit(CapabilityCommand::default().request(), now)?),
            false => Stage::Ready,
        };
        Ok(())
    }

    fn submit(&mut self, request: Result<Request, Misuse>, now: Time) -> Result<CommandId, Error> {
        self.connection.submit(request.map_err(Error::Misuse)?, now)
    }
}

/// What a mechanism says to a challenge, however long it has to work for it.
fn answer_to(mechanism: &mut dyn Mechanism, challenge: &[u8]) -> Option<Secret> {
    let mut reply = mechanism.respond(challenge);
    loop {
        match reply {
            Ok(Reply::Say(said)) => return Some(said),
            Ok(Reply::Work) => reply = mechanism.work(),
            Err(_) => return None,
        }
    }
}

enum Step {
    Greeted,
    Challenge(CommandId, Option<Vec<u8>>),
    Done(CommandId, Result<(), alloc::boxed::Box<crate::error::Refused>>),
}

impl Connection {
    /// Takes over from a connection in clear text no more than its numbering and the time, and what waits to be sent.
    fn resume_after_tls(&mut self, before: Connection, now: Time) {
        self.view.state = super::SessionState::NotAuthenticated;
        self.next_id = before.next_id;
        self.next_tag = before.next_tag;
        self.left_tags = before.left_tags;
        // STARTTLS went alone: none of them is under way.
        self.in_flight = before.in_flight;
        self.activity = now;
        self.now = now;
    }
}
