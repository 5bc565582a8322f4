//! The client on [async-std](https://docs.rs/async-std): everything of this crate, with a [`Connector`] that spawns there.
//!
//! async-std is discontinued: it gets no more fixes, and its authors send its users to smol. This is for programs that
//! have it and can't leave it yet; [`smol`](https://docs.rs/smol) is the living choice. Both may be in one program.
//!
//! ```no_run
//! use imap_async_std::async_std::{Connector, Credentials, Error, types::{FetchItems, UidSet}};
//!
//! fn main() -> Result<(), Error> {
//!     async_std::task::block_on(async {
//!         let login = Credentials::password("alice", "secret");
//!         let client = Connector::new("imap.example.org").credentials(login).connect().await?;
//!         let inbox = client.select("INBOX").await?;
//!         let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
//!         while let Some(message) = messages.try_next().await? {
//!             println!("{}", message.uid());
//!         }
//!         client.logout().await
//!     })
//! }
//! ```

use imap_proto_core::connect::Spawn;

pub use crate::*;

/// Opens connections on async-std: [`imap_proto_core::connect::Connector`] says how.
pub type Connector = imap_proto_core::connect::Connector<AsyncIo<AsyncStd>>;

/// A connection on async-std that is opened again when it was lost: [`imap_proto_core::connect::Reconnecting`] says how.
pub type Reconnecting = imap_proto_core::connect::Reconnecting<AsyncIo<AsyncStd>>;

/// A mailbox of a [`Reconnecting`].
pub type ReconnectingMailbox = imap_proto_core::connect::ReconnectingMailbox<AsyncIo<AsyncStd>>;

/// The executor of async-std, which runs on its own threads: one for each core, or as many as `ASYNC_STD_THREAD_COUNT` says.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStd;

impl Spawn for AsyncIo<AsyncStd> {
    fn spawn(&self, future: impl Future<Output: Send + 'static> + Send + 'static) {
        let AsyncStd = self.executor;
        ::async_std::task::spawn(future);
    }
}
