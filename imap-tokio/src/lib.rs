//! An IMAP client for tokio that survives real servers, real networks and impatient callers.
//!
//! [`Connector`] opens a connection and spawns its driver; [`Client`] is the handle on it. Dropping any future
//! is a correct way to cancel: what was promised on the wire is finished in the background, and the next call
//! is answered rightly.
//!
//! All of [`imap_proto_core`] that a client needs is here under the same names: what its documentation calls
//! `imap_proto_core::client::Client` is [`imap_tokio::Client`](Client), and so for [`command`], [`types`] and [`wire`].
//!
//! | feature | unless left out | what it adds |
//! | --- | --- | --- |
//! | `scram`, `saslprep` | yes | SCRAM-SHA-1 and SCRAM-SHA-256, with names and passwords beyond ASCII |
//! | `cram-md5` | no | CRAM-MD5, for servers that have nothing better |
//! | `compress` | no | `Client::compress` and `Connector::compress`: COMPRESS=DEFLATE |
//! | `platform-roots` | no | `Connector::platform_roots`: certificates are judged as the operating system does |
//! | `socks5`, `http-proxy` | no | `Connector::proxy` |
//!
//! ```no_run
//! use imap_tokio::{Connector, Credentials, types::{FetchItems, UidSet}};
//!
//! # async fn run() -> Result<(), imap_tokio::Error> {
//! let client = Connector::new("imap.example.org")
//!     .credentials(Credentials::password("alice", "secret"))
//!     .connect()
//!     .await?;
//! let inbox = client.select("INBOX").await?;
//! let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
//! while let Some(message) = messages.try_next().await? {
//!     let subject = message.get().envelope().and_then(|envelope| envelope.subject());
//!     println!("{} {}", message.uid(), subject.map(|s| s.to_str().into_owned()).unwrap_or_default());
//! }
//! client.logout().await
//! # }
//! ```

mod body_reader;
mod runtime;
mod stream;

pub use body_reader::BodyReader;
pub use bytes;
#[doc(inline)]
pub use imap_proto_core::client::*;
#[cfg(any(feature = "socks5", feature = "http-proxy"))]
pub use imap_proto_core::connect::Proxy;
pub use imap_proto_core::connect::{LoginCheck, ReconnectEvent, ReconnectEvents, ReconnectPolicy, Resumed, rustls};
#[doc(inline)]
pub use imap_proto_core::*;
pub use runtime::{Connector, Duplex, Reconnecting, ReconnectingMailbox, Tokio};
pub use stream::{TokioWire, read_from};

/// The examples of the README are compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
