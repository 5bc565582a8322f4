mod misuse;
mod proxy;
mod refused;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

pub use misuse::Misuse;
pub use proxy::{ProxyError, ProxyFailure};
pub use refused::{LoginRefusal, NoMechanism, Refused};

use crate::sasl::ExchangeError;
use crate::types::{Code, MailboxName, UidValidity};
use crate::wire::FrameError;
use refused::Bracketed;

/// What went wrong, sorted by whose doing it is.
///
/// [`is_fatal`](Self::is_fatal) tells whether the connection is still good. No variant holds a secret,
/// nor more than 64 bytes of what was received.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered `NO` or `BAD`. The connection is good.
    #[error(transparent)]
    Refused(#[from] Box<Refused>),
    /// The server said `BYE`.
    #[error("the server closed the connection: {}{text}", Bracketed(.code))]
    Bye {
        /// The response code, where there was one.
        code: Option<Code>,
        /// The server's words.
        text: String,
    },
    /// The server broke the protocol so that the connection cannot go on.
    #[error("protocol violation: {0}")]
    Protocol(Violation),
    /// A limit of [`Config`](crate::Config) was passed.
    #[error("limit exceeded: {0}")]
    Limit(Limit),
    /// The call cannot be carried out as it is; nothing was sent.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The source of a message failed or had another length than announced.
    #[error("the source of the message: {failure}")]
    Source {
        /// What was wrong with it.
        failure: SourceFailure,
        /// True when octets had left, so that the connection had to be closed.
        closed: bool,
    },
    /// The server does not advertise what the call needs; nothing was sent.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// The server offers no way to log in that is allowed and possible; nothing was sent.
    #[error(transparent)]
    NoMechanism(Box<NoMechanism>),
    /// The server broke the exchange of an authentication, which was cancelled: it is not to be believed.
    #[error("authentication: {0}")]
    Exchange(ExchangeError),
    /// No access token was to be had; nothing was sent. What the provider said is the source.
    #[error("no access token: {0}")]
    Token(Arc<dyn core::error::Error + Send + Sync>),
    /// Another mailbox has been selected since; nothing was sent.
    #[error("the mailbox is no longer selected")]
    Deselected,
    /// Something was expunged while the command waited to be sent: its sequence numbers may mean other messages now. Nothing
    /// was sent. RFC 9051 §7.5.1
    #[error("messages were expunged before the command could be sent")]
    Renumbered,
    /// The message was expunged while it was being read, or the server gave what comes after octets that it left out: what was
    /// read is not whole.
    #[error("the message is gone")]
    Gone,
    /// The mailbox is another one than it was when its UIDs were learned, and they are not to be used any more: see
    /// `Reconnecting`. Nothing was done to it.
    #[error(transparent)]
    UidValidity(Box<UidValidityChange>),
    /// The connection was lost when a command had been sent that changes something, and nobody knows whether it was done. It is not
    /// repeated: see `Reconnecting::once`. What was the end of the connection is the source.
    #[error("lost with the connection, and done or not: {0}")]
    InDoubt(#[source] Box<Error>),
    /// The operation was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// It was not done in time. After [`Phase::Operation`] the connection is good, after any other it is not.
    #[error("timed out after {limit:?}, waiting for {phase}")]
    Timeout {
        /// What was waited for.
        phase: Phase,
        /// How long: a time of [`Config`](crate::Config), or that of the operation.
        limit: Duration,
    },
    /// The server was not reached in time: TCP, or TLS over it. Once it is, what is too late is a [`Timeout`](Self::Timeout).
    #[error("{server} was not reached within {limit:?}, waiting for {phase}")]
    Unreachable {
        /// What was waited for: [`Phase::Connect`], [`Phase::Proxy`] or [`Phase::Tls`].
        phase: Phase,
        /// How long.
        limit: Duration,
        /// Its host, and the address and port that were dialled.
        server: String,
    },
    /// The proxy on the way to the server refused or failed, not the server.
    #[error(transparent)]
    Proxy(#[from] Box<ProxyError>),
    /// The connection is closed: by us, by LOGOUT, or by the peer without a word.
    #[error("the connection is closed: {0}")]
    Closed(Closed),
    /// The stream below failed, or TLS over it. Of a `Connector` it is an `std::io::Error` or a `rustls::Error`, to be had by
    /// `downcast_ref`; what is below it is the [source](core::error::Error::source).
    #[error(transparent)]
    Transport(Arc<dyn core::error::Error + Send + Sync>),
}

impl Error {
    /// True when the connection cannot be used any more.
    pub fn is_fatal(&self) -> bool {
        if let Error::Timeout { phase, .. } = self {
            return *phase != Phase::Operation;
        }
        matches!(
            self,
            Error::Bye { .. }
                | Error::Protocol(_)
                | Error::Limit(
                    Limit::Response { .. }
                        | Limit::DrainBytes { .. }
                        | Limit::DrainTime { .. }
                        | Limit::Unauthenticated
                )
                | Error::Source { closed: true, .. }
                | Error::Unreachable { .. }
                | Error::InDoubt(_)
                | Error::Proxy(_)
                | Error::Closed(_)
                | Error::Transport(_)
        )
    }

    /// Why a login was refused, as far as the server says; `None` for what is no refusal of a login. A connection that was
    /// lost on the way says nothing of the credentials.
    ///
    /// ```
    /// use imap_proto_core::{Error, LoginRefusal};
    ///
    /// fn advice(error: &Error) -> &'static str {
    ///     match error.login_refusal() {
    ///         Some(LoginRefusal::Credentials) => "ask for the password again",
    ///         Some(LoginRefusal::Unavailable) => "try again later",
    ///         Some(_) => "something has to be set up first",
    ///         None => "not a matter of the login",
    ///     }
    /// }
    /// assert_eq!(advice(&Error::Cancelled), "not a matter of the login");
    /// ```
    pub fn login_refusal(&self) -> Option<LoginRefusal> {
        match self {
            Error::Refused(refused) => refused.login_refusal(),
            Error::NoMechanism(_) => Some(LoginRefusal::Configuration),
            // SCRAM has its own words for it. RFC 5802 §7
            Error::Exchange(ExchangeError::Server(words)) => Some(match words.as_str() {
                "invalid-proof" | "unknown-user" => LoginRefusal::Credentials,
                "no-resources" => LoginRefusal::Unavailable,
                _ => LoginRefusal::Configuration,
            }),
            _ => None,
        }
    }
}

/// What became of the UIDs of a mailbox while the connection was lost. RFC 9051 §2.3.1.1
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the UIDs of {mailbox} are not what they were: valid with {}, and now with {}", Shown(.was), Shown(.is))]
#[non_exhaustive]
pub struct UidValidityChange {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// What they were valid with; `None` where the server did not say, and nothing tells that they are the same.
    pub was: Option<UidValidity>,
    /// What those of now are valid with.
    pub is: Option<UidValidity>,
}

struct Shown<'a>(&'a Option<UidValidity>);

impl core::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(validity) => write!(f, "{}", validity.get()),
            None => f.write_str("nothing"),
        }
    }
}

/// What a server did that the protocol forbids.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The boundary between responses is lost.
    #[error("{0}")]
    Framing(FrameError),
    /// A tagged response for a command that was not wholly sent.
    #[error("an answer to a command that was not sent")]
    AnswerToUnsent,
    /// Tagged responses that belong to no command.
    #[error("answers with unknown tags, the last to \"{tag}\"")]
    UnknownTag {
        /// The tag, escaped, at most 64 bytes of it.
        tag: String,
    },
    /// The first response is no greeting.
    #[error("no greeting, but \"{line}\"")]
    NoGreeting {
        /// The line, escaped, at most 64 bytes of it.
        line: String,
    },
    /// Bytes followed the answer to STARTTLS in clear text (RFC 9051 §6.2.1).
    #[error("clear text after the answer to STARTTLS")]
    StartTlsInjection,
    /// The greeting was `PREAUTH` where STARTTLS is required (RFC 9051 §7.1.4).
    #[error("PREAUTH where STARTTLS is required")]
    PreAuthWithoutTls,
    /// A `+` while only a tagged response may come.
    #[error("a continuation request that nothing asks for")]
    UnexpectedContinuation,
    /// A body came before the UID of its message while several such bodies were awaited, and was taken for another.
    #[error("a body before the UID that tells whose it is")]
    StrayBody,
    /// What was received after the OK to COMPRESS is no DEFLATE stream (RFC 1951).
    #[error("compressed data that is corrupt")]
    CorruptCompression,
    /// Bytes came behind the last block of a DEFLATE stream, which is to go on for as long as the connection does.
    #[error("data behind the end of the compressed stream")]
    DataAfterCompression,
}

/// A bound that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Limit {
    /// One response is too long, and its end unknown.
    #[error("a response longer than {limit} bytes")]
    Response {
        /// The limit in bytes.
        limit: usize,
    },
    /// The answer of an abandoned command is too long to be read over: see `Config::drain_bytes`.
    #[error("a dropped command had more than {limit} bytes to say, see Config::drain_bytes")]
    DrainBytes {
        /// The limit in bytes.
        limit: u64,
    },
    /// It takes too long to be read over: see `Config::drain_time`.
    #[error("a dropped command had more to say after {limit:?}, see Config::drain_time")]
    DrainTime {
        /// How long it was waited for.
        limit: Duration,
    },
    /// Too much was received before authentication.
    #[error("data before authentication")]
    Unauthenticated,
    /// An answer that is collected, a listing or the result of a search, is too long: see `Config::answer_bytes`.
    #[error("an answer of more than {limit} bytes")]
    Answer {
        /// The limit in bytes.
        limit: u64,
    },
    /// A body is larger than the caller wants to hold.
    #[error("a body of more than {limit} bytes")]
    Body {
        /// The limit in bytes.
        limit: u64,
    },
    /// The items of a stream were not taken while other commands waited for their answers.
    #[error("more than {limit} bytes waiting for their reader")]
    SlowReader {
        /// The limit in bytes.
        limit: usize,
    },
}

/// What was wrong with the source of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceFailure {
    /// It gave more or fewer octets than announced.
    #[error("another length than announced")]
    Length,
    /// It failed.
    #[error("{0}")]
    Read(String),
}

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Phase {
    /// The TCP connection.
    #[error("the TCP connection")]
    Connect,
    /// The TCP connection to a proxy, and its answer that the server is reached.
    #[error("the proxy")]
    Proxy,
    /// The TLS handshake.
    #[error("the TLS handshake")]
    Tls,
    /// The server's greeting.
    #[error("the greeting")]
    Greeting,
    /// Capabilities and login.
    #[error("the login")]
    Login,
    /// An access token, from whoever provides it: `Config::token`.
    #[error("the access token")]
    Token,
    /// Any byte while a command is under way: `Config::progress`.
    #[error("any byte of a command or its answer")]
    Command,
    /// The end of an operation, in the time that it was given: `Operation::within`, `Config::command`. It was given up as if it
    /// were dropped, and the connection is good.
    #[error("the end of the operation")]
    Operation,
    /// The octets of a message, from their source: it gave none for as long as `Config::source`, or the operation had its time
    /// inside the message. Nobody else has the rest, so that the connection had to be closed.
    #[error("the octets of a message from their source")]
    Octets,
    /// The answer to DONE.
    #[error("the answer to DONE")]
    Done,
}

/// How a connection came to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Closed {
    /// After LOGOUT.
    #[error("logged out")]
    LoggedOut,
    /// The peer closed the stream.
    #[error("end of stream")]
    EndOfStream,
    /// A literal was begun, and whoever had its octets is gone or gave it up: see
    /// [`Cancelling::Cut`](crate::command::Cancelling::Cut).
    #[error("an APPEND was given up inside its message")]
    OctetsOwed,
    /// The driver was dropped.
    #[error("nobody drives the connection any more")]
    DriverGone,
    /// All handles were dropped, or the connection was closed by hand.
    #[error("closed by its owner")]
    ByOwner,
}

/// How an operation ended, for whoever did not wait for its result.
#[derive(Clone, Debug)]
pub enum Fate<T> {
    /// No byte of it left.
    NotSent,
    /// It was done.
    Completed(T),
    /// The server refused it.
    Refused(Box<Refused>),
    /// It was begun, and surely has no effect.
    Cancelled,
    /// It was sent, and whether it was done is unknown.
    InDoubt,
    /// It was over before, and its result was told: what it brought, or the server's refusal.
    Told,
}

/// A server's words, without what would do something to a terminal.
pub(crate) fn words(text: &[u8]) -> String {
    let words = uncleaned(text);
    match words.contains(char::is_control) {
        true => words.replace(char::is_control, "\u{FFFD}"),
        false => words,
    }
}

/// What a server said, of which nobody needs more than this.
pub(crate) fn uncleaned(text: &[u8]) -> String {
    let is_inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let mut end = text.len().min(MOST_WORDS);
    while end > 0 && is_inside(&end) {
        end -= 1;
    }
    crate::wire::decode(&text[..end]).into_owned()
}

const MOST_WORDS: usize = 1024;

/// The first 64 bytes, printable.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    use alloc::string::ToString;
    bytes[..bytes.len().min(64)].escape_ascii().to_string()
}
