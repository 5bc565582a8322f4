use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::Reconnecting;
use super::shared::Up;
use crate::client::{Mailbox, Operation};
use crate::command::Access;
use crate::connect::Spawn;
use crate::error::{Error, UidValidityChange};
use crate::types::{MailboxName, UidValidity};

/// A mailbox that is selected again on each new connection, as long as its UIDs are what they were. Cheap to clone.
///
/// ```
/// # use imap_proto_core::{Error, client::Notice, connect::{Reconnecting, Spawn}};
/// # async fn run<R: Spawn>(session: &Reconnecting<R>) -> Result<(), Error> {
/// let inbox = session.select("INBOX").await?;
/// loop {
///     // The one on the connection that there is: after a loss another is opened.
///     let mailbox = inbox.get().await?;
///     // What happened in between is to be asked for here.
///     let mut watch = mailbox.watch();
///     let ended = loop {
///         match watch.try_next().await {
///             Ok(Some(notice)) => println!("{notice:?}"),
///             ended => break ended,
///         }
///     };
///     match ended {
///         Err(error) if error.is_fatal() => {}
///         // It would come again.
///         Err(error) => return Err(error),
///         Ok(_) => return Ok(()),
///     }
/// }
/// # }
/// ```
///
/// Once the server says another UIDVALIDITY, or none, every call is refused with [`Error::UidValidity`], so that no UID of the
/// mailbox before is used on the one of today; [`Reconnecting::select`] gives a new handle. RFC 9051 §2.3.1.1
///
/// A connection has one selected mailbox: tasks that work in different ones want each a [`Reconnecting`] of its own. The last that
/// was asked for is the one that a new connection selects.
pub struct ReconnectingMailbox<R> {
    session: Reconnecting<R>,
    kept: Arc<Kept>,
}

/// What was selected, and what its UIDs are valid with.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) name: MailboxName,
    pub(super) access: Access,
    pub(super) uid_validity: Option<UidValidity>,
    /// The connection and the selection that it was learned on: there they are good even if the server vouches for nothing.
    learned_on: (u64, u32),
}

impl Kept {
    /// # Errors
    /// Where UIDs that were learned may mean other messages.
    pub(super) fn compare(&self, connection: u64, mailbox: &Mailbox) -> Result<(), UidValidityChange> {
        let (was, is) = (self.uid_validity, mailbox.uid_validity());
        match (was.is_some() && was == is) || self.learned_on == (connection, mailbox.selected().selection) {
            true => Ok(()),
            false => Err(UidValidityChange { mailbox: self.name.clone(), was, is }),
        }
    }
}

impl<R: Spawn> ReconnectingMailbox<R> {
    pub(super) fn new(session: Reconnecting<R>, access: Access, up: &Up, mailbox: &Mailbox) -> Self {
        let kept = Arc::new(Kept {
            name: mailbox.name().clone(),
            access,
            uid_validity: mailbox.uid_validity(),
            learned_on: (up.number, mailbox.selected().selection),
        });
        session.shared.with(|state| state.want(&kept));
        ReconnectingMailbox { session, kept }
    }

    /// Its name.
    pub fn name(&self) -> &MailboxName {
        &self.kept.name
    }

    /// What its UIDs are valid with, and were from the beginning.
    pub fn uid_validity(&self) -> Option<UidValidity> {
        self.kept.uid_validity
    }

    /// The connection that it is on.
    pub fn session(&self) -> &Reconnecting<R> {
        &self.session
    }

    /// The mailbox on the connection that there is, selected anew where that is needed. What it tells of its state
    /// is that of its selection.
    ///
    /// Dropped half-way nothing is lost: the next call goes on from there.
    ///
    /// # Errors
    /// [`Error::UidValidity`] where its UIDs are not what they were, [`Error::Refused`] where it can't be selected, and those of
    /// [`Reconnecting::client`].
    pub async fn get(&self) -> Result<Mailbox, Error> {
        let (up, mailbox) = self.session.selected(&self.kept.name, self.kept.access).await?;
        self.session.shared.with(|state| state.want(&self.kept));
        self.kept.compare(up.number, &mailbox).map_err(|change| Error::UidValidity(change.into()))?;
        Ok(mailbox)
    }

    /// As [`Reconnecting::run`], with the mailbox.
    ///
    /// # Errors
    /// Those of `act`, and of [`get`](Self::get).
    pub async fn run<T, F, Fut>(&self, mut act: F) -> Result<T, Error>
    where
        F: FnMut(Mailbox) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let mut tries = self.session.tries();
        loop {
            let mailbox = self.get().await?;
            let ended = act(mailbox.clone()).await;
            if let Some(result) = tries.result(ended, mailbox.client()).await {
                return result;
            }
        }
    }

    /// As [`Reconnecting::once`], with the mailbox.
    ///
    /// ```
    /// # use imap_proto_core::{Error, command::Store, connect::{ReconnectingMailbox, Spawn}, types::{Flag, UidSet}};
    /// # async fn run<R: Spawn>(inbox: &ReconnectingMailbox<R>, uids: UidSet) -> Result<(), Error> {
    /// inbox.once(|mailbox| mailbox.store(uids.clone(), Store::add([Flag::Seen]))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InDoubt`], those of the operation, and those of [`get`](Self::get).
    pub async fn once<T>(&self, mut begin: impl FnMut(&Mailbox) -> Operation<T>) -> Result<T, Error> {
        let mut tries = self.session.tries();
        loop {
            let mailbox = self.get().await?;
            if let Some(result) = tries.operation(begin(&mailbox), mailbox.client()).await {
                return result;
            }
        }
    }
}

impl<R> Clone for ReconnectingMailbox<R> {
    fn clone(&self) -> Self {
        ReconnectingMailbox { session: self.session.clone(), kept: self.kept.clone() }
    }
}

impl<R> fmt::Debug for ReconnectingMailbox<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingMailbox").field("kept", &self.kept).finish_non_exhaustive()
    }
}
