//! Acts that change mailboxes and the messages in them.

use imap_proto_core::Error;
use imap_proto_core::client::{Moved, Removal};
use imap_proto_core::command::Store;
use imap_proto_core::types::{CopyUid, Flag, Messages, SeqNum, SeqSet, Uid, UidSet};

use super::{Act, Place, Wrong, same, uid};

impl Place {
    /// The message of this part, whose number is its UID for the first of two acts.
    fn message(&self, act: Act) -> Messages {
        let number = self.part.uid;
        match act {
            Act::StoreNumbered | Act::CopyNumbered | Act::MoveNumbered => {
                SeqSet::from(SeqNum::new(number).expect("a number")).into()
            }
            _ => UidSet::from(uid(number)).into(),
        }
    }

    pub(super) async fn create(&self) -> Result<(), Wrong> {
        self.client.create(self.part.new).await?;
        same("made", &self.link.server().mailboxes().contains_key(self.part.new), &true)
    }

    pub(super) async fn ensure(&self) -> Result<(), Wrong> {
        same("made", &self.client.ensure(self.part.new).await?, &true)
    }

    pub(super) async fn store(&self, act: Act) -> Result<(), Wrong> {
        let store = Store::add(Flag::Flagged);
        let store = if act == Act::StoreSilent { store.silent() } else { store };
        let answer = self.reach().await?.store(self.message(act), store).await?;
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
        let copied = self.reach().await?.copy(self.message(act), "Drafts").await?;
        self.is_copied(copied.as_deref())
    }

    pub(super) async fn move_to(&self, act: Act) -> Result<(), Wrong> {
        let Moved { copied, removal, .. } = self.reach().await?.move_to(self.message(act), "Drafts").await?;
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
