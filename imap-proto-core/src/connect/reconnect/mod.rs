//! A connection that is opened again: what is kept over a loss, and what is not.

mod dialling;
mod event;
mod mailbox;
mod policy;
mod shared;
mod tries;
mod verdict;

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};

pub use event::{ReconnectEvent, ReconnectEvents, Resumed};
pub use mailbox::ReconnectingMailbox;
pub use policy::ReconnectPolicy;

use super::{Connector, Spawn};
use crate::client::{Client, Mailbox, Operation};
use crate::command::{Access, Select};
use crate::connection::{Health, Selected};
use crate::error::Error;
use crate::types::{IntoMailboxName, MailboxName};
use dialling::Dialling;
use shared::{Asked, Shared, Up};
use tries::Tries;

/// A connection that is opened when it is asked for, and opened again when it was lost. Cheap to clone.
///
/// [`Connector::reconnecting`] makes one. Nothing is done behind the caller's back: a [`Client`] that was given out is of one
/// connection and ends with it, and what was under way ends with what ended the connection. Asking again opens another,
/// with pauses and within the limits of the [`ReconnectPolicy`]; it logs in anew, which asks a provider of tokens anew, and selects
/// the mailbox that was selected last. [`events`](Self::events) tell of all that.
///
/// | to be done | by | after a loss |
/// | --- | --- | --- |
/// | one command | [`once`](Self::once) | repeated where it only asks, or surely had no effect; else [`Error::InDoubt`] |
/// | several, which the caller knows to be safe to repeat | [`run`](Self::run) | all of them from the beginning |
/// | anything else | [`client`](Self::client) | for the caller to say |
/// | in a mailbox | [`select`](Self::select), and the same of [`ReconnectingMailbox`] | refused where the UIDs are not what they were |
///
/// ```
/// # use imap_proto_core::{Credentials, Error, command::Append, connect::{Connector, ReconnectPolicy, Spawn}, types::{FetchItems, UidSet}};
/// # async fn run<R: Spawn>(connector: Connector<R>) -> Result<(), Error> {
/// let session = connector.reconnecting(ReconnectPolicy::default().attempts(20));
/// let inbox = session.select("INBOX").await?;
/// // It only asks: all of it may be done again.
/// let count = inbox.run(|mailbox| async move {
///     let (mut messages, mut count) = (mailbox.fetch(UidSet::all(), FetchItems::summary()), 0);
///     while messages.try_next().await?.is_some() {
///         count += 1;
///     }
///     Ok(count)
/// }).await?;
/// // Never stored twice.
/// let report = format!("Subject: report\r\n\r\n{count} messages\r\n");
/// match session.once(|client| client.append(Append::new("Sent", report.clone().into_bytes()))).await {
///     Err(Error::InDoubt(_)) => println!("stored or not: to be looked for"),
///     other => drop(other?),
/// }
/// session.logout().await
/// # }
/// ```
///
/// One task at a time opens connections, in the background: many callers wait for the same login, and one that is dropped keeps
/// nobody else waiting. It ends when the last handle on it is dropped, mailboxes among them, whatever it is doing. The connection is
/// closed then too, unless a [`Client`] of it is still held.
pub struct Reconnecting<R> {
    shared: Arc<Shared<R>>,
}

impl<R> Connector<R> {
    /// A connection of this kind that is opened again when it was lost. None is opened yet.
    pub fn reconnecting(self, policy: ReconnectPolicy) -> Reconnecting<R> {
        Reconnecting { shared: Arc::new(Shared::new(self, policy)) }
    }
}

impl<R> Reconnecting<R> {
    /// What happens from now on, for as many listeners as there are.
    pub fn events(&self) -> ReconnectEvents {
        ReconnectEvents::new(self.shared.with(|state| state.listen()))
    }

    /// Lets refused credentials be tried again, as when the user has been let in by the administrator or has signed in to whoever
    /// provides the tokens. Other credentials want a new connector.
    pub fn forget_refusal(&self) {
        self.shared.with(|state| state.forgive());
    }
}

impl<R: Spawn> Reconnecting<R> {
    /// A live connection: the one that there is, or a new one. It has to be asked for in a task of the runtime.
    ///
    /// That it is live is what is known of it: a server that went away without a word is noticed by the next command.
    /// Dropped half-way the opening goes on, for whoever asks next.
    ///
    /// # Errors
    /// What the last attempt ended with, as of [`Connector::connect`]. The next call begins anew, unless the credentials were refused:
    /// then it is refused for the same reason and nothing is sent, until [`forget_refusal`](Self::forget_refusal).
    /// [`Error::Closed`] after [`logout`](Self::logout).
    pub async fn client(&self) -> Result<Client, Error> {
        self.connected(self.asking()).await.map(|up| up.client)
    }

    /// Does something that the caller says is safe to do again: where the connection is lost under it, it is done again on the next.
    /// At most as often as there are [attempts](ReconnectPolicy::attempts).
    ///
    /// It is not done again for an error that says nothing of the connection, or that would come again.
    ///
    /// # Errors
    /// Those of `act`, and of [`client`](Self::client).
    pub async fn run<T, F, Fut>(&self, mut act: F) -> Result<T, Error>
    where
        F: FnMut(Client) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let mut tries = self.tries();
        loop {
            let client = self.client().await?;
            let ended = act(client.clone()).await;
            if let Some(result) = tries.result(ended, &client).await {
                return result;
            }
        }
    }

    /// Does one thing, and never twice: where the connection is lost under it, it is done on the next if it only asks, or if what it
    /// changes surely was not done, since nothing of it was sent or not all.
    ///
    /// An operation whose time is over ([`Operation::within`]) ends as ever, and may be done or not.
    ///
    /// # Errors
    /// [`Error::InDoubt`] where it may have been done; by any other error it was not, but for that of its time. Those of the
    /// operation, and of [`client`](Self::client).
    pub async fn once<T>(&self, mut begin: impl FnMut(&Client) -> Operation<T>) -> Result<T, Error> {
        let mut tries = self.tries();
        loop {
            let client = self.client().await?;
            if let Some(result) = tries.operation(begin(&client), &client).await {
                return result;
            }
        }
    }

    /// Selects a mailbox, to be changed, and to be selected again on each connection to come. Where it is selected already, by this
    /// means, nothing is sent.
    ///
    /// # Errors
    /// [`Error::Refused`] where it can't be selected, and those of [`client`](Self::client).
    pub async fn select(&self, mailbox: impl IntoMailboxName) -> Result<ReconnectingMailbox<R>, Error> {
        self.keep(mailbox.into_mailbox_name()?, Access::ReadWrite).await
    }

    /// The same, to be read only. RFC 9051 §6.3.3
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub async fn examine(&self, mailbox: impl IntoMailboxName) -> Result<ReconnectingMailbox<R>, Error> {
        self.keep(mailbox.into_mailbox_name()?, Access::ReadOnly).await
    }

    /// Ends it for all handles: logs out where there is a connection, and opens no further one.
    ///
    /// # Errors
    /// When the connection was lost before.
    pub async fn logout(self) -> Result<(), Error> {
        match self.shared.end() {
            Some(client) => client.logout().await,
            None => Ok(()),
        }
    }

    async fn keep(&self, name: MailboxName, access: Access) -> Result<ReconnectingMailbox<R>, Error> {
        let (up, mailbox) = self.selected(&name, access).await?;
        Ok(ReconnectingMailbox::new(self.clone(), access, &up, &mailbox))
    }

    /// The mailbox on the connection that there is. One task at a time selects: each SELECT is the end of the selection before.
    async fn selected(&self, name: &MailboxName, access: Access) -> Result<(Up, Mailbox), Error> {
        let mut asking = self.asking();
        let mut turn = Turn { shared: &self.shared, is_had: false, id: None };
        poll_fn(|cx| turn.poll(cx, &mut asking)).await?;
        let mut tries = self.tries();
        loop {
            let up = self.connected(asking).await?;
            asking = self.asking();
            let selected = self.selected_on(&up, name, access).await;
            if let Some(result) = tries.result(selected, &up.client).await {
                return result.map(|mailbox| (up, mailbox));
            }
        }
    }

    async fn selected_on(&self, up: &Up, name: &MailboxName, access: Access) -> Result<Mailbox, Error> {
        if let Some(mailbox) = self.shared.with(|state| state.current(up, name, access)) {
            let view = up.client.view().await?;
            let was = mailbox.selected();
            // A server may change its mind about the UIDs of a mailbox that is selected.
            let is_it = |is: &Selected| (is.selection, is.uid_validity) == (was.selection, was.uid_validity);
            if view.selected().is_some_and(is_it) {
                return Ok(mailbox);
            }
        }
        let mailbox = up.client.select_with(Select::new(name, access)).await?;
        drop(self.shared.with(|state| state.select(up, access, &mailbox)));
        Ok(mailbox)
    }

    fn asking(&self) -> Asking<'_, R> {
        Asking { shared: &self.shared, joined: None, id: None }
    }

    async fn connected(&self, mut asking: Asking<'_, R>) -> Result<Up, Error> {
        loop {
            let up = poll_fn(|cx| asking.poll(cx)).await?;
            match up.client.health().await {
                // What ended it is about to be told.
                Health::MustClose(_) => self.shared.with(|state| state.is_ending(up.number)),
                _ => return Ok(up),
            }
        }
    }

    fn tries(&self) -> Tries {
        Tries::new(&self.shared.plan.policy)
    }
}

impl<R> Clone for Reconnecting<R> {
    fn clone(&self) -> Self {
        Reconnecting { shared: self.shared.clone() }
    }
}

impl<R> fmt::Debug for Reconnecting<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconnecting").field("policy", &self.shared.plan.policy).finish_non_exhaustive()
    }
}

/// One caller that waits for the connection.
struct Asking<'a, R> {
    shared: &'a Arc<Shared<R>>,
    /// The round whose failure is its own.
    joined: Option<u64>,
    id: Option<u64>,
}

impl<R: Spawn> Asking<'_, R> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Up, Error>> {
        match self.shared.ask(&mut self.joined, &mut self.id, cx) {
            Asked::Up(up) => Poll::Ready(Ok(up)),
            Asked::Failed(error) => Poll::Ready(Err(error)),
            Asked::Wait => Poll::Pending,
            Asked::Begin(start) => {
                Dialling::begin(self.shared, start);
                Poll::Pending
            }
        }
    }
}

impl<R> Drop for Asking<'_, R> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.shared.with(|state| state.forget_waiting(id));
        }
    }
}

/// The right to select, given back when it is dropped.
struct Turn<'a, R> {
    shared: &'a Arc<Shared<R>>,
    is_had: bool,
    id: Option<u64>,
}

impl<R: Spawn> Turn<'_, R> {
    /// Whoever waits for it waits for the connection as well: where there is none to be had, all are told at once, and they don't
    /// make their own attempts one after the other.
    fn poll(&mut self, cx: &Context<'_>, asking: &mut Asking<'_, R>) -> Poll<Result<(), Error>> {
        self.is_had = self.shared.with(|state| state.take_turn(&mut self.id, &mut asking.id, cx));
        match asking.poll(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ if self.is_had => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }
}

impl<R> Drop for Turn<'_, R> {
    fn drop(&mut self) {
        self.shared.with(|state| state.give_turn(self.is_had, self.id));
    }
}
