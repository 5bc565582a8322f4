use alloc::string::String;
use core::time::Duration;

use crate::types::Identification;
use crate::wire::Limits;

/// A moment, as the time since the connection began. The core has no clock: whoever drives it tells the time.
pub type Time = Duration;

/// How literals are announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LiteralPolicy {
    /// Without waiting where the server allows it at that moment, else with.
    #[default]
    AsAdvertised,
    /// Always waiting for the server's `+`.
    Synchronizing,
}

/// What a connection is told when it begins. Every field has a default that suits real servers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The letters every tag begins with. Unpredictable ones keep a forged answer from fitting: see
    /// [`Handshake::draw`](crate::Handshake::draw). Anything but ASCII letters and digits is left out.
    pub tag_prefix: String,
    /// What is said of the client after login, where the server has ID (RFC 2971). Without it nothing is, but for the name of
    /// this library to a server known to open no mailbox otherwise.
    pub id: Option<Identification>,
    /// The limits before authentication: [`Limits::unauthenticated`] unless set.
    pub unauthenticated: Limits,
    /// The limits after it: [`Limits::authenticated`] unless set.
    pub authenticated: Limits,
    /// Bytes received before authentication, in all; 64 KiB unless set.
    pub unauthenticated_bytes: u64,
    /// How literals are announced.
    pub literals: LiteralPolicy,
    /// Bytes of commands on the wire that were not answered yet; the next one waits. 256 KiB unless set.
    pub outstanding: usize,
    /// Bytes of the responses that answer one command and are collected, as a listing is: more of them fail the command
    /// with [`Limit::Answer`](crate::Limit::Answer) and are read over. Messages that are fetched are not counted. 256 MiB unless set.
    pub answer_bytes: u64,
    /// Bytes of an abandoned command's answer that are read and thrown away before the connection is closed instead;
    /// 16 MiB unless set.
    pub drain_bytes: u64,
    /// How long that may take, once no command is in front of it that is wanted or finished; 30 seconds unless set. Then the
    /// connection is closed with [`Limit::DrainTime`](crate::Limit::DrainTime). What only asks is read over so, as FETCH and
    /// STATUS are. What may have an effect is finished, and so is NOOP: for its answer there is [`progress`](Self::progress) alone.
    pub drain_time: Duration,
    /// How long a command may stay without any byte in either direction. Beyond it the connection is lost, with
    /// [`Phase::Command`](crate::Phase::Command). 60 seconds unless set. An IDLE that the server took may be as silent as it likes.
    pub progress: Duration,
    /// How long a command may take in all, from when it is submitted: then it ends with
    /// [`Phase::Operation`](crate::Phase::Operation) as if it were dropped, and the connection stays as it is. IDLE may take any
    /// time. Off unless set; `Operation::within` says it for one call alone. Of what takes several commands, as a fetch in
    /// windows does, it is the time of each, and a slow reader uses it up. That of a message of `Client::append_all` begins with
    /// its first octet, or with the answer to what is before it on the wire where that comes later.
    pub command: Option<Duration>,
    /// How long the source of a message may give nothing of the octets that are wanted: until then nothing else can be sent.
    /// Beyond it the connection is closed, with [`Phase::Octets`](crate::Phase::Octets), and the message is not stored. It ends
    /// an upload that is no longer polled, and one whose source waits for another call on its own connection. 5 minutes unless set.
    pub source: Duration,
    /// How long the server may take to greet; 30 seconds unless set. Then it is [`Phase::Greeting`](crate::Phase::Greeting).
    pub greeting: Duration,
    /// How long the handshake may take after the greeting, up to STARTTLS and after it: capabilities and login. Each 30
    /// seconds unless set; then it is [`Phase::Login`](crate::Phase::Login).
    pub handshake: Duration,
    /// How long a [`TokenProvider`](crate::sasl::TokenProvider) may take each time it is asked, the time of the handshake standing
    /// still meanwhile; 5 minutes unless set, since it may have to ask a user. Then it is [`Phase::Token`](crate::Phase::Token).
    pub token: Duration,
    /// How long the server may take to answer `DONE`; 30 seconds unless set. Then the connection is lost, with
    /// [`Phase::Done`](crate::Phase::Done).
    pub done: Duration,
    /// After how long an IDLE is renewed, at least two seconds; 9 minutes unless set. RFC 2177 allows up to 29 minutes; address
    /// translators forget sooner.
    pub idle_refresh: Duration,
    /// After how much silence of a connection on which nothing is under way, IDLE among it, a NOOP is sent, at least a second.
    /// It keeps address translators from forgetting the connection, and finds out that it is lost: an answer that does not come
    /// within [`progress`](Self::progress) ends it. As with any NOOP the server may tell of what is gone, so that message
    /// sequence numbers move. Off unless set; for a mailbox that is to be watched there is IDLE.
    pub keep_alive: Option<Duration>,
    /// How many tagged responses with a tag that is not ours are overlooked; 16 unless set.
    pub unknown_tags: u32,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            tag_prefix: String::from("A"),
            id: None,
            unauthenticated: Limits::unauthenticated(),
            authenticated: Limits::authenticated(),
            unauthenticated_bytes: 64 << 10,
            literals: LiteralPolicy::AsAdvertised,
            outstanding: 256 << 10,
            // A listing of a million mailboxes has less.
            answer_bytes: 256 << 20,
            drain_bytes: 16 << 20,
            drain_time: Duration::from_secs(30),
            progress: Duration::from_secs(60),
            command: None,
            // Servers wait for half an hour (RFC 9051 §5.4), and other calls for the whole of it.
            source: Duration::from_secs(5 * 60),
            greeting: Duration::from_secs(30),
            handshake: Duration::from_secs(30),
            token: Duration::from_secs(5 * 60),
            done: Duration::from_secs(30),
            idle_refresh: Duration::from_secs(9 * 60),
            keep_alive: None,
            unknown_tags: 16,
        }
    }
}
