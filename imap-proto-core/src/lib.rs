//! The IMAP protocol as a pure state machine: bytes in and events out, commands in and bytes out.
//!
//! No IO, no clock, no thread, no lock and no `unsafe`; `no_std` with `alloc`. Whoever has a socket drives it: an adapter such
//! as `imap-tokio`, a blocking loop, a test. The contract, kept whatever the server sends and whatever the caller gives up:
//!
//! * every command is answered by one [`Event::Done`] or [`Event::Failed`];
//! * a command that is [abandoned](Connection::abandon) leaves a connection that is right, or one that is closed and says why;
//! * nothing a server sends panics, hangs, or grows without a [limit](Config);
//! * damage costs what is damaged: it arrives with its bytes, and the connection goes on.
//!
//! ```
//! use imap_proto_core::command::{Access, Command, Select};
//! use imap_proto_core::{Config, Connection, Event, Time};
//!
//! let mut connection = Connection::new(Config::default());
//! // What the server says is read into the connection, and each event is taken from it.
//! fn read(connection: &mut Connection, bytes: &[u8]) {
//!     connection.receive_space()[..bytes.len()].copy_from_slice(bytes);
//!     connection.received(bytes.len(), Time::ZERO);
//! }
//! read(&mut connection, b"* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n");
//! assert!(matches!(connection.poll_event(), Some(Event::Greeting(_))));
//!
//! let select = connection.submit(Select::new("INBOX", Access::ReadOnly).request()?, Time::ZERO)?;
//! let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
//! // The tag is made of `Config::tag_prefix`, which should be random.
//! assert_eq!(sent, b"A0 EXAMINE \"INBOX\"\r\n");
//! connection.transmitted(sent.len(), Time::ZERO);
//!
//! read(&mut connection, b"* 3 EXISTS\r\nA0 OK [READ-ONLY] done\r\n");
//! assert!(matches!(connection.poll_event(), Some(Event::Data { id: Some(id), .. }) if id == select));
//! assert!(matches!(connection.poll_event(), Some(Event::Done { id, outcome: Ok(_) }) if id == select));
//! assert_eq!(connection.view().selected().map(|mailbox| mailbox.exists), Some(3));
//! # Ok::<(), imap_proto_core::Error>(())
//! ```
//!
//! [`Connection`] sorts its methods and gives the order of calls; [`Handshake`] comes before it, from the first byte to the login.
//! [`command`] has what can be sent, [`types`] the vocabulary, [`wire`] what comes, as typed views on tokens.
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `client` | the asynchronous face without a runtime: `Client`, `Mailbox`, `Operation`, `Driver`, `Wire` |
//! | `connect` | how a connection is opened, and opened again, over what a runtime brings: addresses, TLS, the handshake; needs std and rustls |
//! | `platform-roots` | with `connect`, certificates judged as the operating system does |
//! | `socks5`, `http-proxy` | with `connect`, connections through a SOCKS5 proxy (RFC 1928), or through an HTTP proxy by CONNECT (RFC 9110) |
//! | `compress` | COMPRESS=DEFLATE (RFC 4978): a connection that the server agrees to compress |
//! | `scram` | SCRAM-SHA-1 and SCRAM-SHA-256, with their -PLUS forms |
//! | `saslprep` | names and passwords beyond ASCII for SCRAM; needs the standard library |
//! | `cram-md5` | CRAM-MD5, for servers that have nothing better |
//! | `tracing` | a span for each command, with its begin and end, at debug level under the target `imap`, lines at trace level under `imap::wire` |
#![no_std]

extern crate alloc;
#[cfg(any(test, feature = "connect"))]
extern crate std;

#[cfg(feature = "client")]
pub mod client;
pub mod command;
mod config;
#[cfg(feature = "connect")]
pub mod connect;
pub mod connection;
mod error;
pub mod sasl;
pub mod types;
pub mod wire;

pub use config::{Config, LiteralPolicy, Time};
pub use connection::{
    CancelEffect, CommandId, Connection, Event, Handshake, Health, Security, Selected, SessionState, View, Want,
};
pub use error::{
    Closed, Error, Fate, Limit, LoginRefusal, Misuse, NoMechanism, Phase, ProxyError, ProxyFailure, Refused,
    SourceFailure, UidValidityChange, Violation,
};
pub use sasl::{AuthMethod, Credentials};
