use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Claim, Command, Completion, Effect, Given, Order, Request, State, checked};
use crate::error::Misuse;
use crate::types::{Capability, Code, CopyUid, IntoMailboxName, MailboxName, Messages, UidSequence};
use crate::wire::grammar::parse_status_text;
use crate::wire::{Encoder, Response};

/// `COPY` and `UID COPY`. RFC 9051 §6.4.7 and §6.4.9
///
/// A NO means that nothing was copied; with [`Code::TryCreate`] the mailbox is not there. Dropped half-way it is finished
/// once any of it has left. It is in doubt from its last octet until the server's answer.
#[derive(Clone, Debug)]
pub struct Copy {
    messages: Messages,
    mailbox: Given,
}

impl Copy {
    /// Copies `messages` to the end of `mailbox`.
    pub fn new(messages: impl Into<Messages>, mailbox: impl IntoMailboxName) -> Self {
        Copy { messages: messages.into(), mailbox: mailbox.into_mailbox_name() }
    }
}

impl Command for Copy {
    /// Where the messages are now, when the server says so: it may not know UIDPLUS, or there was none to copy.
    type Output = Option<Box<CopyUid>>;

    fn request(&self) -> Result<Request, Misuse> {
        transfer(&self.messages, checked(&self.mailbox)?, "UID COPY", "COPY")
    }

    fn finish(self, ok: Completion) -> Self::Output {
        match ok.code {
            Some(Code::CopyUid(copied)) => Some(copied),
            _ => None,
        }
    }
}

/// `MOVE` and `UID MOVE`. RFC 6851, RFC 9051 §6.4.8 and §6.4.9
///
/// Each message is moved or it is not: none is lost and none is doubled, but after a NO some may have been moved, which the
/// EXPUNGE responses tell. Needs MOVE. Dropped half-way it is finished once any of it has left. It is in doubt from its
/// last octet until the server's answer.
#[derive(Clone, Debug)]
pub struct Move {
    messages: Messages,
    mailbox: Given,
    copied: Vec<CopyUid>,
}

impl Move {
    /// Moves `messages` to the end of `mailbox`.
    pub fn new(messages: impl Into<Messages>, mailbox: impl IntoMailboxName) -> Self {
        Move { messages: messages.into(), mailbox: mailbox.into_mailbox_name(), copied: Vec::new() }
    }
}

impl Command for Move {
    /// Where the messages are now, when the server says so.
    type Output = Option<Box<CopyUid>>;

    fn request(&self) -> Result<Request, Misuse> {
        let request =
            Request { claim: Claim::Copied, ..transfer(&self.messages, checked(&self.mailbox)?, "UID MOVE", "MOVE")? };
        Ok(request.needing(Capability::Move, "MOVE"))
    }

    fn fold(&mut self, response: Response<'_>) {
        if let (Some(Code::CopyUid(copied)), _) = parse_status_text(response.text().as_raw()) {
            self.copied.push(*copied);
        }
    }

    fn finish(mut self, ok: Completion) -> Self::Output {
        if let Some(Code::CopyUid(copied)) = ok.code {
            self.copied.push(*copied);
        }
        join(self.copied).map(Box::new)
    }
}

/// COPYUID comes untagged, tagged, or both (quirk 35), and in pieces where a server moves in pieces.
fn join(copied: Vec<CopyUid>) -> Option<CopyUid> {
    let mut pieces: Vec<CopyUid> = Vec::new();
    for piece in copied {
        if !pieces.contains(&piece) {
            pieces.push(piece);
        }
    }
    let uid_validity = pieces.last()?.uid_validity;
    // Of two generations the UIDs of the older are void.
    pieces.retain(|piece| piece.uid_validity == uid_validity);
    let all = |side: fn(&CopyUid) -> &UidSequence| -> UidSequence {
        pieces.iter().flat_map(|piece| side(piece).ranges()).copied().collect::<Vec<_>>().into()
    };
    Some(CopyUid { uid_validity, source: all(|piece| &piece.source), destination: all(|piece| &piece.destination) })
}

fn transfer(
    messages: &Messages,
    mailbox: &MailboxName,
    by_uid: &'static str,
    by_number: &'static str,
) -> Result<Request, Misuse> {
    let (name, order) = match messages {
        Messages::Uids(_) | Messages::Saved => (by_uid, Order::Free),
        Messages::Numbers(_) => (by_number, Order::Renumbering),
    };
    if messages.is_empty() {
        return Err(Misuse::EmptySet);
    }
    let mut encoder = Encoder::new(name);
    encoder.arg(messages).mailbox(mailbox);
    let request = Request { effect: Effect::Change, order, state: State::Selected, ..Request::new(name, encoder)? };
    Ok(request.on(messages))
}
