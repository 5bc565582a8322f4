//! The client on [smol](https://docs.rs/smol): everything of this crate, with a [`Connector`] that spawns on smol's own
//! executor.
//!
//! Whoever has an executor of their own takes [`open`](imap_proto_core::connect::Connector::open) and spawns the driver there.
//!
//! ```no_run
//! use imap_async_std::smol::{Connector, Credentials, Error, types::{FetchItems, UidSet}};
//!
//! fn main() -> Result<(), Error> {
//!     smol::block_on(async {
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

/// Opens connections on smol: [`imap_proto_core::connect::Connector`] says how.
pub type Connector = imap_proto_core::connect::Connector<AsyncIo<Smol>>;

/// A connection on smol that is opened again when it was lost: [`imap_proto_core::connect::Reconnecting`] says how.
pub type Reconnecting = imap_proto_core::connect::Reconnecting<AsyncIo<Smol>>;

/// A mailbox of a [`Reconnecting`].
pub type ReconnectingMailbox = imap_proto_core::connect::ReconnectingMailbox<AsyncIo<Smol>>;

/// The global executor of smol, which runs on its own threads: one, or as many as `SMOL_THREADS` says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Smol;

impl Spawn for AsyncIo<Smol> {
    fn spawn(&self, future: impl Future<Output: Send + 'static> + Send + 'static) {
        let Smol = self.executor;
        ::smol::spawn(future).detach();
    }
}
