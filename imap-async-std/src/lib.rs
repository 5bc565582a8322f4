//! An IMAP client for smol, async-std and any other executor, which survives real servers, real networks and impatient callers.
//!
//! A `Connector` opens a connection: TCP, TLS by rustls, greeting, login. [`Client`] is the handle on it, and its [`Driver`] moves
//! it. Dropping any future is a correct way to cancel: what was promised on the wire is finished in the background, and the next
//! call is answered rightly.
//!
//! | where | for | the driver |
//! | --- | --- | --- |
//! | `imap_async_std::smol`, feature `smol` | smol | is spawned on smol's executor by `Connector::connect` |
//! | `imap_async_std::async_std`, feature `async-std` | async-std | is spawned on async-std's executor by `Connector::connect` |
//! | `imap_async_std`, without a feature | any executor | is polled by the caller: [`Connector::open`](imap_proto_core::connect::Connector::open) |
//!
//! **async-std is discontinued**, and its authors send its users to smol. Whoever begins something takes smol; the feature
//! `async-std` is for programs that can't leave it yet. The features add to each other: both runtimes may be in one program.
//!
//! Without a runtime's feature there is no `Connector::connect` and nothing that opens a lost connection again, since both spawn:
//! whoever wants them on an executor of their own implements [`connect::Spawn`] and [`connect::Runtime`] for a type that wraps
//! [`AsyncIo`].
//!
//! The modules of the runtimes have everything under the same names as this page, and as the crate `imap-tokio` has them for
//! tokio: going from one runtime to another is to change the import, and `main`. What the documentation of a type
//! calls `imap_proto_core::client::Client` is [`imap_async_std::Client`](Client), and so for [`command`], [`types`] and [`wire`].
//!
//! | feature | unless left out | what it adds |
//! | --- | --- | --- |
//! | `scram`, `saslprep` | yes | SCRAM-SHA-1 and SCRAM-SHA-256, with names and passwords beyond ASCII |
//! | `cram-md5` | no | CRAM-MD5, for servers that have nothing better |
//! | `compress` | no | `Client::compress` and `Connector::compress`: COMPRESS=DEFLATE |
//! | `platform-roots` | no | `Connector::platform_roots`: certificates are judged as the operating system does |
//! | `socks5`, `http-proxy` | no | `Connector::proxy` |
//!
//! Sockets and timers are those of the crate `async-io`, which all three share; it has a thread of its own, and names are
//! looked up on another. With a stream and a timer of one's own there is [`FuturesWire`], below all that.
//!
//! ```no_run
//! use imap_async_std::{Connector, Credentials, Error};
//!
//! async fn count(executor: &smol::Executor<'_>) -> Result<u32, Error> {
//!     let login = Credentials::password("alice", "secret");
//!     let (client, driver) = Connector::new("imap.example.org").credentials(login).open().await?;
//!     // Nothing moves unless the driver is polled: here by an executor of the caller's.
//!     let driver = executor.spawn(driver);
//!     let inbox = client.examine("INBOX").await?;
//!     let count = inbox.exists();
//!     client.logout().await?;
//!     driver.await;
//!     Ok(count)
//! }
//! ```

#[cfg(feature = "async-std")]
pub mod async_std;
mod body_reader;
mod runtime;
#[cfg(feature = "smol")]
pub mod smol;
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
pub use runtime::{AsyncIo, Connector, Duplex};
pub use stream::{FuturesWire, read_from};
