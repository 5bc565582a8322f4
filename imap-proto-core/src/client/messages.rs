use alloc::boxed::Box;

use super::{FetchedMessage, Mailbox, Operation};
use crate::command::{
    Access, Close, Copy, Expunge, Found, Move, Returns, Search, Select, Store, StoreAnswer, StoreCommand, UidExpunge,
    Unselect,
};
use crate::connection::Selected;
use crate::error::Error;
use crate::types::{CopyUid, FetchItems, Flag, IntoMailboxName, MailboxName, Messages, Query, SeqSet, UidSet};

/// What became of messages that were to leave their mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Removal {
    /// They are gone.
    Removed,
    /// Only those are gone that the server says it copied, see [`Moved::copied`]; the others are where they were.
    Partly,
    /// They are still there, marked `\Deleted`: the server has no way to remove these and no others. The next EXPUNGE or
    /// CLOSE of anybody removes them.
    Marked,
}

/// What came of moving messages.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moved {
    /// Where they are now, when the server says so.
    pub copied: Option<Box<CopyUid>>,
    /// Whether they have left the mailbox they were in.
    pub removal: Removal,
}

/// Finding and changing messages.
///
/// Whatever takes [`Messages`] takes UIDs or sequence numbers. What is an [`Operation`] is one command; what is an
/// `async fn` may be several, each sent when the one before is answered. A refusal is
/// [`Error::Refused`]; on a mailbox that is no longer the selected one all fail with [`Error::Deselected`], and
/// nothing is sent.
impl Mailbox {
    /// Searches it for UIDs. RFC 9051 §6.4.4
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Mailbox, types::Query};
    /// # async fn run(inbox: &Mailbox) -> Result<(), Error> {
    /// let large = inbox.search(Query::unseen().and(Query::larger(10 << 20))).await?;
    /// // Keys without a method, and the language of Gmail where the server is one.
    /// let raw = inbox.search(Query::raw("SUBJECT \"plan\" NOT SEEN")?).await?;
    /// let found = inbox.search(Query::gmail_raw("has:attachment in:inbox")).await?;
    /// # let _ = (large, raw, found);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropped half-way its answer is read over; nothing is changed by a search.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for keys that the server does not offer, or that the revision of the session does not have.
    pub fn search(&self, query: Query) -> Operation<UidSet> {
        Operation::new(&self.client, Search::new(query)).bind(self.selection())
    }

    /// Searches it for sequence numbers, which are good until something is expunged. RFC 9051 §6.4.4
    ///
    /// Dropped half-way its answer is read over; nothing is changed by a search.
    pub fn search_numbers(&self, query: Query) -> Operation<SeqSet> {
        Operation::new(&self.client, Search::numbers(query)).bind(self.selection())
    }

    /// Searches it for certain results: how many, the first, the last. RFC 4731, RFC 9051 §6.4.4
    ///
    /// Where the server lacks ESEARCH it is an ordinary search, with the same result made of its numbers.
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Mailbox, command::Returns, types::Query};
    /// # async fn run(inbox: &Mailbox) -> Result<(), Error> {
    /// let found = inbox.search_returning(Query::unseen(), Returns::COUNT | Returns::MIN).await?;
    /// println!("{:?} unread, the oldest is {:?}", found.count, found.min);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropped half-way its answer is read over; nothing is changed by a search but what [`Returns::SAVE`] keeps.
    pub fn search_returning(&self, query: Query, returns: Returns) -> Operation<Found> {
        Operation::new(&self.client, Search::new(query).returning(returns)).bind(self.selection())
    }

    /// Changes flags of messages. RFC 9051 §6.4.6
    ///
    /// ```
    /// # use imap_proto_core::{Error, client::Mailbox, command::Store, types::{Flag, UidSet}};
    /// # async fn run(inbox: &Mailbox, read: UidSet) -> Result<(), Error> {
    /// for message in inbox.store(read, Store::add(Flag::Seen)).await?.messages {
    ///     println!("{:?} has {:?}", message.uid, message.flags);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Messages that are gone are passed over. A conditional store tells in [`StoreAnswer::modified`] what it left alone; one
    /// that is refused with the same has it in the code of the refusal. Dropped half-way it is finished once any of it has
    /// left, and what the server tells of it is lost.
    ///
    /// # Errors
    /// [`Misuse::Flag`](crate::Misuse::Flag) and [`Misuse::NoFlags`](crate::Misuse::NoFlags);
    /// [`Error::Unsupported`] for a conditional store without CONDSTORE.
    pub fn store(&self, messages: impl Into<Messages>, store: Store) -> Operation<StoreAnswer> {
        Operation::new(&self.client, StoreCommand::new(messages, store)).bind(self.selection())
    }

    /// Copies messages to the end of another mailbox, all or none. RFC 9051 §6.4.7
    ///
    /// The result says where they are, where the server knows UIDPLUS. Dropped half-way it is finished once any of it has
    /// left.
    ///
    /// # Errors
    /// [`Error::Refused`] with [`Code::TryCreate`](crate::types::Code::TryCreate) where there is no such mailbox.
    pub fn copy(&self, messages: impl Into<Messages>, to: impl IntoMailboxName) -> Operation<Option<Box<CopyUid>>> {
        Operation::new(&self.client, Copy::new(messages, to)).bind(self.selection())
    }

    /// Moves messages to the end of another mailbox. RFC 6851, RFC 9051 §6.4.8
    ///
    /// Where the server lacks MOVE it is done in steps: the UIDs are searched for, so that nothing is removed that was not
    /// copied; they are copied, marked `\Deleted` and removed by UID. Where it lacks UIDPLUS too they stay marked, and
    /// [`Moved::removal`] says so: an EXPUNGE could remove what others have marked.
    ///
    /// Dropped half-way, MOVE is finished once any of it has left. Of the steps the one that was begun is finished and the
    /// next is not: the messages are then in both mailboxes, marked here or not, and never in none.
    ///
    /// # Errors
    /// [`Error::Refused`]: nothing is lost; where it is not the copying that was refused, the copies are made.
    pub async fn move_to(&self, messages: impl Into<Messages>, to: impl IntoMailboxName) -> Result<Moved, Error> {
        let (messages, to) = (messages.into(), to.into_mailbox_name()?);
        let command = Move::new(messages.clone(), to.clone());
        match Operation::new(&self.client, command).bind(self.selection()).await {
            Ok(copied) => Ok(Moved { copied, removal: Removal::Removed }),
            Err(Error::Unsupported(_)) => self.copy_and_delete(messages, to).await,
            Err(error) => Err(error),
        }
    }

    async fn copy_and_delete(&self, messages: Messages, to: MailboxName) -> Result<Moved, Error> {
        // What arrives from here on was not asked for, and must be neither marked nor removed.
        let there = self.uids_of(messages).await?;
        if there.is_empty() {
            return Ok(Moved { copied: None, removal: Removal::Removed });
        }
        let copied = self.copy(&there, to).await?;
        // A server may have copied less than all there is, and be mistaken about what it copied.
        let gone = copied.as_ref().map_or_else(|| there.clone(), |copied| copied.source.to_set().intersection(&there));
        let removal = match (gone == there, self.delete(gone).await?) {
            (false, Removal::Removed) => Removal::Partly,
            (_, removal) => removal,
        };
        Ok(Moved { copied, removal })
    }

    /// Removes messages: marks them `\Deleted`, and removes by UID what is so marked among them. RFC 4315 §2.1
    ///
    /// Where the server lacks UIDPLUS they stay marked, and the result says so: an EXPUNGE could remove what others have
    /// marked. Dropped half-way, the step that was begun is finished and the next is not.
    ///
    /// # Errors
    /// [`Error::Refused`]: they may be marked, and are not removed.
    pub async fn delete(&self, messages: impl Into<Messages>) -> Result<Removal, Error> {
        let uids = match messages.into() {
            Messages::Uids(uids) if !uids.is_open() => uids,
            others => self.uids_of(others).await?,
        };
        if uids.is_empty() {
            return Ok(Removal::Removed);
        }
        self.store(&uids, Store::add(Flag::Deleted).silent()).await?;
        match self.expunge_uids(uids).await {
            Ok(()) => Ok(Removal::Removed),
            Err(Error::Unsupported(_)) => Ok(Removal::Marked),
            Err(error) => Err(error),
        }
    }

    /// The UIDs of those that are there. What a server tells as `*` may be another message by the next command.
    ///
    /// Courier's SEARCH finds nothing by `*`; its FETCH knows the last message.
    async fn uids_of(&self, messages: Messages) -> Result<UidSet, Error> {
        let has_last = match &messages {
            Messages::Uids(uids) => uids.ends_in_last_message(),
            Messages::Numbers(numbers) => numbers.ends_in_last_message(),
            Messages::Saved => false,
        };
        if has_last {
            let told = self.fetch(messages, FetchItems::ids()).collect().await?;
            return Ok(told.iter().map(FetchedMessage::uid).collect());
        }
        let query = match messages {
            Messages::Uids(uids) => Query::uid(uids),
            Messages::Numbers(numbers) => Query::seq_num(numbers),
            Messages::Saved => Query::saved_result(),
        };
        let uids = self.search(query).await?;
        if uids.is_open() { Err(Error::Unsupported("a SEARCH that names each message")) } else { Ok(uids) }
    }

    /// Removes all messages that are marked `\Deleted`, whoever marked them. RFC 9051 §6.4.3
    ///
    /// What goes is told to [`watch`](Self::watch) and [`Client::notices`](super::Client::notices). Dropped half-way it is
    /// finished once any of it has left.
    pub fn expunge(&self) -> Operation<()> {
        Operation::new(&self.client, Expunge).bind(self.selection())
    }

    /// Of these messages, removes those that are marked `\Deleted`. RFC 4315 §2.1, RFC 9051 §6.4.9
    ///
    /// Dropped half-way it is finished once any of it has left.
    ///
    /// # Errors
    /// [`Error::Unsupported`] without UIDPLUS: nothing else removes these and no others.
    /// [`Misuse::OnlyUids`](crate::Misuse::OnlyUids) for sequence numbers.
    pub fn expunge_uids(&self, messages: impl Into<Messages>) -> Operation<()> {
        Operation::new(&self.client, UidExpunge::new(messages)).bind(self.selection())
    }

    /// Removes what is marked `\Deleted` and leaves the mailbox; what goes is not told. RFC 9051 §6.4.1
    ///
    /// Of one that was opened with [`examine`](super::Client::examine) nothing is removed. All handles on it refuse from its
    /// first byte on. Dropped half-way it is finished once any of it has left.
    pub fn close(self) -> Operation<()> {
        Operation::new(&self.client, Close).bind(self.selection())
    }

    /// Leaves the mailbox as it is. RFC 3691, RFC 9051 §6.4.2
    ///
    /// Where the server lacks UNSELECT it is opened again with EXAMINE and closed: CLOSE removes nothing from a mailbox
    /// that was opened so (RFC 9051 §6.4.1). A mailbox that surely does not exist would do as well, and has to be refused
    /// for it. All handles on it refuse afterwards. Dropped half-way the step that was begun is finished: the mailbox may
    /// stay selected to be read only.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where the server opens it to be changed all the same: then closing would remove messages.
    pub async fn unselect(self) -> Result<(), Error> {
        match Operation::new(&self.client, Unselect).bind(self.selection()).await {
            Err(Error::Unsupported(name)) => self.leave_read_only(name).await,
            left => left,
        }
    }

    async fn leave_read_only(self, name: &'static str) -> Result<(), Error> {
        let examine = Select::new(self.name().clone(), Access::ReadOnly);
        let examined: Option<Selected> = Operation::new(&self.client, examine).bind(self.selection()).await?;
        let examined = Mailbox::new(self.client.clone(), examined);
        // The view is of now: the server may have said READ-WRITE since.
        let view = self.client.view().await?;
        let is_read_only = |selected: &Selected| selected.access == Access::ReadOnly;
        if view.selection() == examined.selection() && !view.selected().is_some_and(is_read_only) {
            return Err(Error::Unsupported(name));
        }
        match examined.close().await {
            // Another mailbox was selected meanwhile: this one is left.
            Err(Error::Deselected) => Ok(()),
            closed => closed,
        }
    }
}
