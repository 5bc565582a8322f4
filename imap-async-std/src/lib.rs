//! An IMAP client over any stream of `futures-io`, for runtimes other than tokio.
//!
//! What is here: [`FuturesWire`] makes a [`Wire`] of a stream and of a timer that the caller names, and the client of
//! [`imap_proto_core`] runs over it. What is not here yet: connectors for async-std and smol, which would open the
//! socket, put TLS over it and spawn the driver. async-std is discontinued; whoever begins something is better off
//! with smol, whose streams and timers fit below.
//!
//! ```
//! use std::future::{Future, poll_fn};
//! use std::pin::pin;
//! use std::task::Poll;
//! use std::time::Instant;
//!
//! use futures_io::{AsyncRead, AsyncWrite};
//! use imap_async_std::{Config, Credentials, Error, FuturesWire, Handshake, Security, Shaken, shake_hands};
//!
//! /// `stream` is connected, TLS and all; `sleep` is `smol::Timer::at`, or the like.
//! async fn count<S, T>(stream: S, sleep: fn(Instant) -> T) -> Result<u32, Error>
//! where
//!     S: AsyncRead + AsyncWrite + Unpin,
//!     T: Future,
//! {
//!     let login = Credentials::password("alice", "secret");
//!     // A tag prefix of one's own should be random: `Config::tag_prefix`.
//!     let handshake = Handshake::new(Config::default(), Security::ImplicitTls, Some(login));
//!     let wire = FuturesWire::new(stream, sleep);
//!     let Shaken::Ready(client, driver) = shake_hands(wire, Box::new(handshake)).await? else {
//!         unreachable!("only STARTTLS asks for TLS");
//!     };
//!     let work = async move {
//!         let inbox = client.examine("INBOX").await?;
//!         let count = inbox.exists();
//!         client.logout().await?;
//!         Ok(count)
//!     };
//!     // Nothing moves unless the driver is polled: spawn it, or poll it beside the work.
//!     let (mut driver, mut work) = (pin!(driver), pin!(work));
//!     poll_fn(|cx| {
//!         let _ = driver.as_mut().poll(cx);
//!         work.as_mut().poll(cx)
//!     })
//!     .await
//! }
//! ```

mod stream;

pub use imap_proto_core::client::*;
pub use imap_proto_core::{
    Closed, Config, Connection, Credentials, Error, Fate, Handshake, Limit, LiteralPolicy, Misuse, Phase, Refused,
    Security, Selected, SessionState, SourceFailure, Time, View, Violation, Want, command, types, wire,
};
pub use stream::FuturesWire;
