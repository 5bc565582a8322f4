mod authentication;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{CommandId, Connection, Event};
use crate::command::{Authenticate, CapabilityCommand, Command, Id, Login, Request, StartTls};
use crate::config::{Config, Time};
use crate::error::{Closed, Error, Fate, Misuse, NoMechanism, Phase, Refused, Violation};
use crate::sasl::{AuthMethod, ChannelBinding, Credentials, Offer, Refresh};
use crate::types::{Capability, Identification, Secret};
use authentication::{Authentication, Next};

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

/// From the first byte to an authenticated connection, as a state machine of its own.
///
/// ```text
///  Greeting ──► StartTls ──OK──► Want::Tls ──secured()──┐
///     │                                                 ▼
///     └──────────────(implicit TLS, clear text)────► Before ─► Login ─► After ─► Id ─► Want::Nothing
///                                               CAPABILITY  │ ▲     CAPABILITY
///                                                           ▼ │ token()
///                                                        Want::Token, and once more after a NO
///                                                           │
///                       Greeting ◄──move_on()── Want::Connection, where the server closed along with its NO
/// ```
///
/// CAPABILITY is sent only where the server did not say by itself. STARTTLS happens here and nowhere
/// else, and whatever was learned in clear text is forgotten at that point. How it logs in is in [`Credentials`].
///
/// Whoever drives it moves the bytes of [`connection`](Self::connection) and calls
/// [`advance`](Self::advance) after each move. Dropping it drops the connection.
#[derive(Debug)]
pub struct Handshake {
    connection: Connection,
    config: Arc<Config>,
    nonce: String,
    security: Security,
    authentication: Option<Authentication>,
    stage: Stage,
    by: Time,
    /// The server is one of those that want an ID before a mailbox is selected.
    wants_id: bool,
}

/// What a handshake needs to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Bytes in either direction, or time.
    Bytes,
    /// TLS over the stream as it is now, then [`Handshake::secured`].
    Tls,
    /// An access token, from [`Credentials::provider`], for [`Handshake::token`]. The time of the handshake stands still
    /// meanwhile, and it has that of [`Config::token`].
    Token(Refresh),
    /// Another call of [`Handshake::advance`]: it works some milliseconds at a time on what a server asks of a password, so
    /// that others get their turn between.
    Work,
    /// Another connection: the server refused a token and closed, and there is a new token for it. [`Handshake::move_on`] begins
    /// again, once. Whoever has no other connection goes on as ever, and is told the refusal.
    Connection,
    /// Nothing: [`Handshake::into_connection`] has the authenticated connection.
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    StartTls(CommandId),
    Tls,
    Before(CommandId),
    Token,
    Login(CommandId),
    After(CommandId),
    Id(CommandId),
    /// The connection has, and another one is wanted for a token.
    Ended,
    /// And whoever drives it knows.
    Over,
    Ready,
}

impl Handshake {
    /// Returns a handshake that waits for the greeting. Without credentials it ends before login.
    pub fn new(config: impl Into<Arc<Config>>, security: Security, credentials: Option<Credentials>) -> Self {
        let config = config.into();
        let by = config.greeting;
        let connection = Connection::new(config.clone());
        let authentication = credentials.map(Authentication::new);
        Handshake {
            connection,
            config,
            nonce: String::new(),
            security,
            authentication,
            stage: Stage::Greeting,
            by,
            wants_id: false,
        }
    }

    /// What is drawn at random for this connection alone, before the first [`advance`](Self::advance): the letters that its tags
    /// begin with, in place of [`Config::tag_prefix`]; and 18 printable characters or more, none of them a comma, for SCRAM,
    /// which is not done without. Nobody may foresee either.
    pub fn draw(&mut self, tag_prefix: &str, nonce: impl Into<String>) {
        self.connection.tag_prefix = super::letters_of(tag_prefix);
        self.nonce = nonce.into();
    }

    /// What the TLS below the connection can be bound to, for SCRAM's `-PLUS` forms: to be called before
    /// [`advance`](Self::advance) for implicit TLS, and before [`secured`](Self::secured) for STARTTLS.
    pub fn bind(&mut self, binding: ChannelBinding) {
        if let Some(authentication) = &mut self.authentication {
            authentication.binding = binding;
        }
    }

    /// Who logs in; `None` where nobody does, or is in already.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.authentication.as_ref().map(Authentication::credentials)
    }

    /// The connection whose bytes are to be moved.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// When [`advance`](Self::advance) is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Time> {
        let own = (!matches!(self.stage, Stage::Ready | Stage::Ended | Stage::Over)).then_some(self.by);
        self.connection.poll_timeout().into_iter().chain(own).min()
    }

    /// Goes as far as the bytes received allow.
    ///
    /// # Errors
    /// Whatever ended it; the stream is to be closed then. A refused login is [`Error::Refused`].
    pub fn advance(&mut self, now: Time) -> Result<Want, Error> {
        self.connection.handle_timeout(now);
        let mut taken = self.take_all(now);
        if taken.is_ok() && self.work(now) {
            taken = self.take_all(now);
        }
        self.or_on_another(taken)?;
        match self.stage {
            Stage::Ready => Ok(Want::Nothing),
            Stage::Ended => {
                self.stage = Stage::Over;
                Ok(Want::Connection)
            }
            Stage::Over => Err(self.refusal()),
            Stage::Tls => Ok(Want::Tls),
            Stage::Token if now >= self.by => Err(Error::Timeout { phase: Phase::Token, limit: self.config.token }),
            Stage::Token => {
                Ok(Want::Token(self.authentication.as_ref().map_or(Refresh::IfExpired, Authentication::refresh)))
            }
            Stage::Greeting if now >= self.by => {
                Err(Error::Timeout { phase: Phase::Greeting, limit: self.config.greeting })
            }
            _ if now >= self.by => {
                Err(self.connection.blamed(Error::Timeout { phase: Phase::Login, limit: self.config.handshake }))
            }
            _ if self.authentication.as_ref().is_some_and(Authentication::works) => Ok(Want::Work),
            _ => Ok(Want::Bytes),
        }
    }

    fn take_all(&mut self, now: Time) -> Result<(), Error> {
        while let Some(step) = self.next_step() {
            // What is said of a login is looked at before the secrets are forgotten.
            self.withhold();
            let taken = step.and_then(|step| self.take(step, now));
            taken.map_err(|error| match &self.authentication {
                Some(authentication) => authentication.without_secrets(error),
                None => error,
            })?;
        }
        self.withhold();
        Ok(())
    }

    /// Leaves out what the server said of our secrets.
    fn withhold(&mut self) {
        let Some(authentication) = &self.authentication else { return };
        let Connection { view, end, pending, .. } = &mut self.connection;
        view.alerts.iter_mut().for_each(|alert| authentication.withhold(alert));
        if let Some((code, text)) = view.bye.take().map(|bye| *bye)
            && let Error::Bye { code, text } = authentication.without_secrets(Error::Bye { code, text })
        {
            view.bye = Some(Box::new((code, text)));
        }
        if let Some(error) = end.take() {
            *end = Some(authentication.without_secrets(error));
            view.bye = None;
            pending.retain(|event| !matches!(event, super::Pending::Failed { .. }));
        }
    }

    /// Goes on with a token that was [wanted](Want::Token), in the time that the handshake has from now on.
    ///
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn token(&mut self, token: Secret, now: Time) -> Result<(), Error> {
        let (Some(authentication), Stage::Token) = (&mut self.authentication, self.stage) else { return Ok(()) };
        authentication.take_token(token);
        self.by = now.saturating_add(self.config.handshake);
        // What was known of the server ended with the login that it refused.
        let begun = self.log_in(now);
        self.or_on_another(begun)
    }

    /// A token that was renewed by force is not lost with the connection.
    fn or_on_another(&mut self, taken: Result<(), Error>) -> Result<(), Error> {
        match (taken, &self.authentication) {
            (Err(error), Some(authentication)) if authentication.may_move(&error) => {
                self.stage = Stage::Ended;
                Ok(())
            }
            (taken, _) => taken,
        }
    }

    /// Begins again on another connection, with the token that is there, where that is [wanted](Want::Connection); else it is what
    /// it was. What was [drawn](Self::draw) and [bound](Self::bind) is to be so anew.
    #[must_use]
    pub fn move_on(mut self) -> Self {
        let (Some(authentication), Stage::Over) = (&mut self.authentication, self.stage) else { return self };
        authentication.move_on();
        let mut next = Handshake::new(self.config, self.security, None);
        next.authentication = self.authentication;
        // The server has heard them.
        next.connection.credentials_out = true;
        next
    }

    /// Why the server refused the first of two tokens.
    fn refusal(&self) -> Error {
        let refusal = self.authentication.as_ref().and_then(Authentication::refusal);
        refusal.map_or(Error::Closed(Closed::EndOfStream), |refused| Error::Refused(Box::new(refused.clone())))
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
            if matches!(self.stage, Stage::Tls | Stage::Ready | Stage::Token | Stage::Ended | Stage::Over) {
                return None;
            }
            match self.connection.poll_event()? {
                Event::Greeting(greeting) => {
                    self.wants_id = wants_id(greeting);
                    return Some(Ok(Step::Greeted));
                }
                Event::Challenge { id, challenge } => return Some(Ok(Step::Challenge(id, challenge))),
                Event::Done { id, outcome } => return Some(Ok(Step::Done(id, outcome.map(drop)))),
                Event::Failed { error, fate, .. } | Event::Overdue { error, fate, .. } => {
                    if let (Fate::NotSent, Some(authentication)) = (fate, &mut self.authentication) {
                        authentication.unsaid();
                    }
                    return Some(Err(error));
                }
                Event::Closed(error) => return Some(Err(error)),
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
                if let Some(authentication) = &mut self.authentication {
                    let next = authentication.challenged(challenge.as_deref());
                    self.go_on(id, next, now);
                }
                Ok(())
            }
            (Step::Done(id, outcome), Stage::Login(own)) if id == own => {
                let Some(authentication) = &mut self.authentication else { return Ok(()) };
                if !authentication.ended(outcome)? {
                    self.want_token(now);
                    return Ok(());
                }
                self.authentication = None;
                self.logged_in(now)
            }
            (Step::Done(id, _), Stage::After(own)) if id == own => self.introduce(now),
            (Step::Done(id, _), Stage::Id(own)) if id == own => {
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
        if view.is_authenticated() || self.authentication.is_none() {
            return self.logged_in(now);
        }
        if view.capabilities().is_empty() {
            self.stage = Stage::Before(self.submit(CapabilityCommand::default().request(), now)?);
            return Ok(());
        }
        self.log_in_knowing(now)
    }

    fn log_in_knowing(&mut self, now: Time) -> Result<(), Error> {
        let Some(authentication) = &mut self.authentication else { return self.logged_in(now) };
        let capabilities = self.connection.view().capabilities();
        let binding = authentication.binding.clone();
        let offer = Offer { capabilities, nonce: &self.nonce, binding: &binding };
        let Some(method) = authentication.credentials().choose(&offer).cloned() else {
            // A server that says no more after a refusal has no other word.
            if capabilities.is_empty() && authentication.refusal().is_some() {
                return Err(self.refusal());
            }
            let offered = capabilities.auth_mechanisms().map(ToString::to_string).collect();
            let allowed = authentication.credentials().allowed().to_vec();
            return Err(Error::NoMechanism(Box::new(NoMechanism { offered, allowed })));
        };
        if authentication.lacks_token() {
            self.want_token(now);
            return Ok(());
        }
        let request = match (&method, authentication.credentials().name_and_password()) {
            (AuthMethod::LoginCommand, Some((user, password))) => Login::new(user, password.clone()).request(),
            _ => {
                let takes_initial = capabilities.offers(&Capability::SaslIr);
                let begun = authentication.begin(&method, &offer, takes_initial);
                let (name, initial) = begun.map_err(Misuse::Credentials)?;
                Authenticate::new(&name, initial).request()
            }
        };
        let submitted = self.submit(request, now);
        if let (Err(_), Some(authentication)) = (&submitted, &mut self.authentication) {
            authentication.unsaid();
        }
        self.stage = Stage::Login(submitted?);
        Ok(())
    }

    fn want_token(&mut self, now: Time) {
        self.stage = Stage::Token;
        self.by = now.saturating_add(self.config.token);
    }

    /// Works on an answer. True when there is one now.
    fn work(&mut self, now: Time) -> bool {
        let (Some(authentication), Stage::Login(id)) = (&mut self.authentication, self.stage) else { return false };
        match authentication.work() {
            None | Some(Next::Work) => false,
            Some(next) => {
                self.go_on(id, next, now);
                true
            }
        }
    }

    fn go_on(&mut self, id: CommandId, next: Next, now: Time) {
        match next {
            Next::Say(said) => self.connection.answer(id, &said, now),
            Next::Work => {}
            Next::Cancel => drop(self.connection.abandon(id, now)),
        }
    }

    fn logged_in(&mut self, now: Time) -> Result<(), Error> {
        if self.connection.view().capabilities().is_empty() {
            self.stage = Stage::After(self.submit(CapabilityCommand::default().request(), now)?);
            return Ok(());
        }
        self.introduce(now)
    }

    /// Says who we are, where that is wanted.
    fn introduce(&mut self, now: Time) -> Result<(), Error> {
        let view = self.connection.view();
        let ours = match &self.config.id {
            Some(ours) => Some(ours.clone()),
            None => self.wants_id.then(own_name),
        };
        let ours = ours.filter(|_| view.is_authenticated() && view.capabilities().has(&Capability::Id));
        self.stage = match ours {
            Some(ours) => Stage::Id(self.submit(Id::new(Some(ours)).request(), now)?),
            None => Stage::Ready,
        };
        Ok(())
    }

    fn submit(&mut self, request: Result<Request, Misuse>, now: Time) -> Result<CommandId, Error> {
        self.connection.submit(request.map_err(Error::Misuse)?, now)
    }
}

/// Coremail, which NetEase's providers run, opens no mailbox for a client that has not said its name.
fn wants_id(greeting: crate::wire::Response<'_>) -> bool {
    greeting.text().to_bytes().windows(8).any(|word| word.eq_ignore_ascii_case(b"coremail"))
}

/// What we say to such a server.
fn own_name() -> Identification {
    Identification::new().with_name(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION"))
}

enum Step {
    Greeted,
    Challenge(CommandId, Option<Vec<u8>>),
    Done(CommandId, Result<(), Box<Refused>>),
}

impl Connection {
    /// Takes over from a connection in clear text no more than its numbering and the time, and what waits to be sent.
    fn resume_after_tls(&mut self, before: Connection, now: Time) {
        self.view.state = super::SessionState::NotAuthenticated;
        self.tag_prefix = before.tag_prefix;
        self.next_id = before.next_id;
        self.next_tag = before.next_tag;
        self.left_tags = before.left_tags;
        // STARTTLS went alone: none of them is under way.
        self.in_flight = before.in_flight;
        self.activity = now;
        self.now = now;
    }
}
