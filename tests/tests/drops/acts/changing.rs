//! Acts that change mailboxes and the messages in them.

use imap_proto_core::Error;
use imap_proto_core::client::{Mailbox, Moved, Removal};
use imap_proto_core::command::Store;
use imap_proto_core::types::{CopyUid, Flag, Messages, SeqNum, SeqSet, Uid, UidSet};

use super::{Act, Place, Wrong, same, uid};

impl Place {
    /// The message of this part.
    fn message(&self, act: Act) -> Messages {
        match act {
            Act::StoreNumbered | Act::CopyNumbered | Act::MoveNumbered => {
                let at = self.uids("INBOX").iter().position(|uid| *uid == self.part.uid).expect("it is there");
                SeqSet::from(SeqNum::new(at as u32 + 1).expect("a number")).into()
            }
            _ => UidSet::from(uid(self.part.uid)).into(),
        }
    }

    /// Does what names the message of this part, and again where that became another number before it could be sent.
    async fn about<T>(
        &self,
        act: Act,
        mut ask: impl AsyncFnMut(Mailbox, Messages) -> Result<T, Error>,
    ) -> Result<T, Wrong> {
        let inbox = self.reach().await?;
        let there = self.world.inbox + self.link.delivered();
        match ask(inbox.clone(), self.message(act)).await {
            Err(Error::Renumbered) if self.uids("INBOX").len() < there => Ok(ask(inbox, self.message(act)).await?),
            other => Ok(other?),
        }
    }

    pub(super) async fn create(&self) -> Result<(), Wrong> {
        self.client.create(self.part.new).await?;
        same("made", &self.link.server().mailboxes().contains_key(self.part.new), &true)
    }

    pub(super) async fn ensure(&self) -> Result<(), Wrong> {
        same("made", &self.client.ensure(self.part.new).await?, &true)
    }

    pub(super) async fn ensure_again(&self) -> Result<(), Wrong> {
        same("made", &self.client.ensure("Other").await?, &false)
    }

    pub(super) async fn store(&self, act: Act) -> Result<(), Wrong> {
        let store = Store::add(Flag::Flagged);
        let store = if act == Act::StoreSilent { store.silent() } else { store };
        let answer = self.about(act, async |inbox, message| inbox.store(message, store.clone()).await).await?;
        let is_flagged = |flags: &Option<Vec<Flag>>| flags.as_ref().is_some_and(|flags| flags.contains(&Flag::Flagged));
        let told: Vec<bool> = answer.messages.iter().map(|one| is_flagged(&one.flags)).collect();
        same("told", &told, &if act == Act::StoreSilent { vec![] } else { vec![true] })
    }

    fn is_copied(&self, copied: Option<&CopyUid>) -> Result<(), Wrong> {
        let pairs: Vec<(Uid, Uid)> = copied.map(|copied| copied.pairs().collect()).unwrap_or_default();
        let last = self.uids("Drafts").last().copied().unwrap_or(0);
        same("copied", &pairs, &vec![(uid(self.part.uid), uid(last))])
    }

    pub(super) async fn copy(&self, act: Act) -> Result<(), Wrong> {
        let copied = self.about(act, async |inbox, message| inbox.copy(message, "Drafts").await).await?;
        self.is_copied(copied.as_deref())
    }

    pub(super) async fn move_to(&self, act: Act) -> Result<(), Wrong> {
        let moved = self.about(act, async |inbox, message| inbox.move_to(message, "Drafts").await).await?;
        let Moved { copied, removal, .. } = moved;
        self.is_copied(copied.as_deref())?;
        self.is_removed(removal)
    }

    pub(super) async fn delete(&self) -> Result<(), Wrong> {
        let removal = self.reach().await?.delete(self.message(Act::Delete)).await?;
        self.is_removed(removal)
    }

    fn is_removed(&self, removal: Removal) -> Result<(), Wrong> {
        let can_remove = self.world.offers("MOVE") || self.world.offers("UIDPLUS");
        same("removal", &removal, &if can_remove { Removal::Removed } else { Removal::Marked })
    }

    pub(super) async fn uid_expunge(&self) -> Result<(), Wrong> {
        match self.reach().await?.expunge_uids(uid(2)..=uid(4)).await {
            Err(Error::Unsupported(_)) if !self.world.offers("UIDPLUS") => Ok(()),
            other => Ok(other?),
        }
    }
}
