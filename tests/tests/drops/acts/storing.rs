//! Acts that store messages.

use bytes::Bytes;
use futures_util::stream;
use imap_proto_core::client::Appended;
use imap_proto_core::command::{Append, Message};
use imap_proto_core::types::{MailboxName, Uid};

use super::super::several;
use super::{Act, Place, Wrong, same, source};

impl Place {
    pub(crate) fn target(&self) -> MailboxName {
        MailboxName::try_from(self.into).expect("a name")
    }

    pub(super) async fn append(&self) -> Result<(), Wrong> {
        let octets = Bytes::from(self.message.clone());
        let stored = self.client.append(Append::new(self.target(), Message::Octets(octets))).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    pub(super) async fn append_from(&self) -> Result<(), Wrong> {
        let source = source(&self.message, self.pieces_left.clone());
        let len = self.message.len() as u64;
        let stored = self.client.append_from(self.target(), len, source, |append| append).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    pub(super) async fn append_cut(&self) -> Result<(), Wrong> {
        let stored = several::append_cut(self).await?;
        self.is_stored(stored.map(|stored| stored.uid))
    }

    fn is_stored(&self, uid: Option<Uid>) -> Result<(), Wrong> {
        let bodies = self.bodies(self.into);
        let found = match uid {
            Some(uid) => bodies.get(&uid.get()),
            // A connection that is lost inside the answer may leave the UID out.
            None => bodies.values().last().filter(|_| self.link.is_faulty()),
        };
        same("stored", &found, &Some(&self.message))
    }

    pub(super) async fn several(&self, act: Act) -> Result<(), Wrong> {
        let stored = several::several(self, act).await?;
        self.are_stored(stored.iter().map(|stored| stored.uid))
    }

    pub(super) async fn upload(&self, act: Act) -> Result<(), Wrong> {
        let messages = several::messages();
        let report = match act {
            Act::UploadTogether => self.client.append_all(self.target(), stream::iter(messages)).together(3).await,
            _ => self.client.append_all(self.target(), stream::iter(messages)).await,
        };
        if let Some(error) = report.ended {
            return Err(error.into());
        }
        if let Some(refused) = report.messages.iter().find(|one| !matches!(one, Appended::Stored(Some(_)))) {
            return Err(Wrong::Answer(format!("of the upload: {refused:?}")));
        }
        self.are_stored(report.stored().filter_map(|(_, stored)| stored).map(|stored| stored.uid))
    }

    fn are_stored(&self, uids: impl Iterator<Item = Uid>) -> Result<(), Wrong> {
        let bodies = self.bodies(self.into);
        let found: Vec<_> = uids.filter_map(|uid| bodies.get(&uid.get()).cloned()).collect();
        same("stored", &found, &several::messages().to_vec())
    }
}
