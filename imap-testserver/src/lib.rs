//! An IMAP server in memory, for examples, tests, and users who test their own mail code.
//!
//! It speaks IMAP4rev1 (RFC 3501) with what clients of today look for: UIDPLUS, MOVE, MULTIAPPEND, IDLE, ESEARCH, CONDSTORE,
//! LIST-EXTENDED, LIST-STATUS, SPECIAL-USE, `STATUS=SIZE`, SASL-IR, LITERAL+, NAMESPACE, ENABLE, UNSELECT, CHILDREN and ID;
//! each can be taken [away](Builder::without). LITERAL- and `COMPRESS=DEFLATE` can be [added](Builder::announcing). Envelopes, structures and sections are computed from the octets of real
//! messages. What breaks the grammar is answered BAD. On demand it [misbehaves](Script).
//!
//! ```
//! use imap_testserver::TestServer;
//! use imap_tokio::{Connector, Credentials, types::{FetchItems, MailboxName, UidSet}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::builder().user("alice", "secret").start();
//! server.mailbox("INBOX").deliver("Subject: hello\r\n\r\nworld\r\n");
//!
//! let listener = server.listen_tls().await?;
//! let client = Connector::new("localhost")
//!     .address("127.0.0.1")
//!     .port(listener.port())
//!     .tls_config(server.client_tls()?)
//!     .credentials(Credentials::password("alice", "secret"))
//!     .connect()
//!     .await?;
//! let inbox = client.select(MailboxName::inbox()).await?;
//! let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
//! let message = messages.try_next().await?.expect("it was delivered");
//! let subject = message.get().envelope().and_then(|envelope| envelope.subject());
//! assert_eq!(subject.map(|subject| subject.to_str().into_owned()).as_deref(), Some("hello"));
//! # Ok(())
//! # }
//! ```
//!
//! # Without a runtime
//!
//! [`Session`] is the protocol without IO: bytes in, bytes out. With `default-features = false` it is all there is, and no
//! dependency but the protocol core, mail-parser and miniz_oxide.
//!
//! # Limits
//!
//! A client is refused, by BAD or NO with `[LIMIT]` or `[TOOBIG]`, what would make the server grow out of proportion: lines of
//! more than 64 KiB, messages of more than 32 MiB, more than 100 items in a FETCH or flags on a message, names of more than
//! 1,000 octets, more than 10,000 mailboxes or 200,000 messages of a user. A [`MailboxHandle`] is not held to them.
//!
//! # Panics
//!
//! Nothing that a client sends makes it panic. Methods for tests that are given what can't be, such as a mailbox name with a line
//! break, do, and say so.

mod builder;
mod mailbox;
mod message;
mod options;
pub mod realistic;
mod script;
mod server;
mod session;
mod store;
#[cfg(feature = "tokio")]
mod tokio_face;

pub use builder::Builder;
pub use imap_proto_core::types;
pub use mailbox::{MailboxHandle, StoredMessage};
pub use options::{Bindings, Channel, Greeting};
pub use script::{Fault, Point, Refusal, Script};
pub use server::TestServer;
pub use session::{Output, Session};
#[cfg(feature = "tokio")]
pub use tokio_face::{Listener, TlsError};
