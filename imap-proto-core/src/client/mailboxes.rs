//! Mailboxes as a whole: which there are and how they are, making and removing them; and what the session is.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;

use super::{Client, Operation};
use crate::command::{
    Create, Delete, Enable, Id, List, Lsub, NamespaceCommand, Rename, StatusCommand, Subscribe, Unsubscribe,
};
use crate::error::{Error, Misuse, Refused};
use crate::types::{
    Capabilities, Capability, Code, Identification, IntoMailboxName, ListEntry, ListPattern, Namespaces, Status,
    StatusItems,
};
use crate::wire::Condition;

/// How many STATUS commands are under way at a time where one for each mailbox of a listing is needed: enough to hide the way
/// to the server and back, and few enough that other calls get their turn.
const STATUSES_AT_A_TIME: usize = 128;

impl Client {
    /// Says what this program is, or nothing, and asks what the server is. RFC 2971
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Client, types::Identification};
    /// # async fn run(client: &Client) -> Result<(), Error> {
    /// let ours = Identification::new().with_name("ourmail").with_version("1.0");
    /// if let Some(server) = client.id(Some(ours)).await? {
    ///     println!("{}", server.name().unwrap_or("a server without a name"));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Fails with [`Error::Unsupported`] where the server does not offer ID. Dropped half-way its answer is read over.
    pub fn id(&self, ours: Option<Identification>) -> Operation<Option<Identification>> {
        self.run(Id::new(ours))
    }

    /// Switches extensions on, before any mailbox is selected, and tells which are on now. RFC 9051 §6.3.1
    ///
    /// What the server does not know it passes over. Once `UTF8=ACCEPT` or `IMAP4rev2` is on, mailbox names travel in UTF-8,
    /// of which the caller sees nothing. Nothing else is under way meanwhile. Fails with [`Error::Unsupported`] where the server
    /// does not offer ENABLE. Dropped half-way it is finished: what it switched on is on, as
    /// [`View::enabled`](crate::View::enabled) tells.
    pub fn enable(&self, capabilities: impl IntoIterator<Item = Capability>) -> Operation<Capabilities> {
        self.run(Enable::new(capabilities))
    }

    /// Asks where mailboxes are, and what separates the levels of their names. RFC 9051 §6.3.10
    ///
    /// A server without NAMESPACE is asked in another way that any understands. Dropped half-way its answer is read over.
    pub fn namespaces(&self) -> Operation<Namespaces> {
        self.run(NamespaceCommand::default())
    }

    /// Lists mailboxes. RFC 9051 §6.3.9
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Client, command::List, types::SpecialUse};
    /// # async fn run(client: &Client) -> Result<(), Error> {
    /// let top = client.list(List::new("%").return_special_use()).await?;
    /// let drafts = top.iter().find(|entry| entry.special_use() == Some(SpecialUse::Drafts));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`List`] says what becomes of options that the server does not offer. Dropped half-way its answer is read over.
    pub fn list(&self, list: List) -> Operation<Vec<ListEntry>> {
        self.run(list)
    }

    /// Lists all mailboxes, with their special uses, whether they have others below them, and whether they are subscribed, as
    /// far as the server can tell. RFC 9051 §6.3.9
    ///
    /// Some servers advertise the extended LIST and refuse it or answer it with nothing (quirk 70): those are asked again for a
    /// plain one. Dropped half-way the answer under way is read over.
    ///
    /// # Errors
    /// As of any call; a plain LIST that is refused is [`Error::Refused`].
    pub async fn list_all(&self) -> Result<Vec<ListEntry>, Error> {
        let extended = List::all().return_subscribed().return_children().return_special_use();
        match self.list(extended).await {
            Ok(entries) if !entries.is_empty() => Ok(entries),
            Err(Error::Refused(refused)) if refused.condition != Condition::Bad => Err(Error::Refused(refused)),
            Ok(_) | Err(Error::Refused(_)) => self.list(List::all()).await,
            Err(error) => Err(error),
        }
    }

    /// Lists mailboxes with the status of each. RFC 5819
    ///
    /// Where the server does not offer that in one command, each mailbox that can be selected is asked for by a STATUS of its
    /// own, many of them under way at a time. A mailbox whose status the server refuses has none in its entry. Dropped
    /// half-way the answers under way are read over.
    ///
    /// # Errors
    /// As of any call; a LIST that is refused is [`Error::Refused`].
    pub async fn list_with_status(&self, list: List, items: StatusItems) -> Result<Vec<ListEntry>, Error> {
        let mut entries = self.list(list.return_status(items)).await?;
        if items.is_empty() || entries.iter().any(|entry| entry.status().is_some()) {
            return Ok(entries);
        }
        let mut left = (0..entries.len()).filter(|at| entries[*at].is_selectable()).collect::<VecDeque<_>>();
        let mut under_way = VecDeque::with_capacity(STATUSES_AT_A_TIME.min(left.len()));
        loop {
            while under_way.len() < STATUSES_AT_A_TIME
                && let Some(at) = left.pop_front()
            {
                let operation = self.status(entries[at].name().clone(), items);
                under_way.push_back((at, Begun::begin(operation).await));
            }
            let Some((at, begun)) = under_way.pop_front() else { return Ok(entries) };
            match begun.finish().await {
                Ok(status) => entries[at].set_status(status),
                Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Lists what the user subscribed to, by the command of IMAP4rev1. RFC 3501 §6.3.9
    ///
    /// [`List::select_subscribed`] does the same for any server. Dropped half-way its answer is read over.
    pub fn lsub(&self, pattern: impl Into<ListPattern>) -> Operation<Vec<ListEntry>> {
        self.run(Lsub::new(pattern))
    }

    /// Asks how a mailbox is, without selecting it. RFC 9051 §6.3.11
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Client, types::StatusItems};
    /// # async fn run(client: &Client) -> Result<(), Error> {
    /// let status = client.status("Drafts", StatusItems::counts()).await?;
    /// println!("{:?} messages", status.messages);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Those of different mailboxes are pipelined. Not for the selected mailbox: see [`view`](Self::view). Dropped half-way its
    /// answer is read over.
    pub fn status(&self, mailbox: impl IntoMailboxName, items: StatusItems) -> Operation<Status> {
        self.run(StatusCommand::new(mailbox, items))
    }

    /// Looks for a mailbox: its entry, or `None` where there is none of that name. RFC 9051 §6.3.9
    ///
    /// A name that only has mailboxes below it has an entry that [cannot be selected](ListEntry::is_selectable), on servers
    /// that list it. Dropped half-way its answer is read over.
    pub fn exists(&self, mailbox: impl IntoMailboxName) -> Operation<Option<ListEntry>> {
        let mailbox = match mailbox.into_mailbox_name() {
            Ok(mailbox) => mailbox,
            Err(invalid) => return Operation::misused(self, Misuse::Name(invalid)),
        };
        let list = List::new(&mailbox);
        Operation::then(self, list, move |entries: Vec<ListEntry>| {
            entries.into_iter().find(|entry| *entry.name() == mailbox && entry.exists())
        })
    }

    /// Makes a mailbox, and tells its identifier where the server has such. RFC 9051 §6.3.4
    ///
    /// One that is there already is refused; see [`ensure`](Self::ensure). Dropped half-way it is made all the same once any of
    /// the command has left.
    pub fn create(&self, create: impl Into<Create>) -> Operation<Option<String>> {
        self.run(create.into())
    }

    /// Makes a mailbox unless it is there, and tells whether it was made. RFC 9051 §6.3.4
    ///
    /// Whether a refusal means that it is there is told by its code, or by a LIST where it has none. Dropped half-way it is
    /// made all the same once any of the CREATE has left.
    ///
    /// # Errors
    /// As of any call; [`Error::Refused`] when it is refused and not there.
    pub async fn ensure(&self, mailbox: impl IntoMailboxName) -> Result<bool, Error> {
        let mailbox = mailbox.into_mailbox_name()?;
        match self.create(mailbox.clone()).await {
            Ok(_) => Ok(true),
            Err(Error::Refused(refused)) => {
                let is_there = says_it_is_there(&refused) || self.exists(mailbox).await?.is_some();
                if is_there { Ok(false) } else { Err(Error::Refused(refused)) }
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a mailbox and the messages in it. RFC 9051 §6.3.5
    ///
    /// Dropped half-way it is removed all the same once any of the command has left.
    pub fn delete(&self, mailbox: impl IntoMailboxName) -> Operation<()> {
        self.run(Delete::new(mailbox))
    }

    /// Gives a mailbox, and those below it, another name. RFC 9051 §6.3.6
    ///
    /// Dropped half-way it is done all the same once any of the command has left.
    pub fn rename(&self, from: impl IntoMailboxName, to: impl IntoMailboxName) -> Operation<()> {
        self.run(Rename::new(from, to))
    }

    /// Adds a name to those that the user subscribed to. RFC 9051 §6.3.7
    ///
    /// Dropped half-way it is added all the same once any of the command has left.
    pub fn subscribe(&self, mailbox: impl IntoMailboxName) -> Operation<()> {
        self.run(Subscribe::new(mailbox))
    }

    /// Takes a name from those that the user subscribed to. RFC 9051 §6.3.8
    ///
    /// Dropped half-way it is taken away all the same once any of the command has left.
    pub fn unsubscribe(&self, mailbox: impl IntoMailboxName) -> Operation<()> {
        self.run(Unsubscribe::new(mailbox))
    }
}

/// Quirk 77.
fn says_it_is_there(refused: &Refused) -> bool {
    refused.code == Some(Code::AlreadyExists)
}

/// An operation that was submitted and not waited for yet.
enum Begun<T> {
    Running(Operation<T>),
    Over(Result<T, Error>),
}

impl<T> Begun<T> {
    async fn begin(mut operation: Operation<T>) -> Self {
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut operation).poll(cx))).await;
        match first {
            Poll::Ready(result) => Begun::Over(result),
            Poll::Pending => Begun::Running(operation),
        }
    }

    async fn finish(self) -> Result<T, Error> {
        match self {
            Begun::Running(operation) => operation.await,
            Begun::Over(result) => result,
        }
    }
}
