use super::{Command, Completion, Effect, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, Messages};
use crate::wire::Encoder;

/// `EXPUNGE`: removes all messages that have `\Deleted`, whoever marked them. RFC 9051 §6.4.3
///
/// What goes is told as EXPUNGE or VANISHED, to whoever listens to what comes unasked. Dropped half-way it is finished once
/// any of it has left. It is in doubt from its last octet until the server's answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Expunge;

impl Command for Expunge {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let request = Request::new("EXPUNGE", Encoder::new("EXPUNGE"))?;
        Ok(Request { effect: Effect::Change, state: State::Selected, ..request })
    }

    fn finish(self, _: Completion) {}
}

/// `UID EXPUNGE`: of these messages, removes those that have `\Deleted`. RFC 4315 §2.1, RFC 9051 §6.4.9
///
/// They are UIDs, or [`Messages::Saved`] (RFC 5182 §2.1): there is no such command by sequence number. Needs UIDPLUS or
/// IMAP4rev2; nothing else removes these and no others. As [`Expunge`] for the rest.
#[derive(Clone, Debug)]
pub struct UidExpunge {
    messages: Messages,
}

impl UidExpunge {
    /// Removes what is deleted among `messages`; sequence numbers are refused with [`Misuse::OnlyUids`].
    pub fn new(messages: impl Into<Messages>) -> Self {
        UidExpunge { messages: messages.into() }
    }
}

impl Command for UidExpunge {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        if matches!(self.messages, Messages::Numbers(_)) {
            return Err(Misuse::OnlyUids);
        }
        if self.messages.is_empty() {
            return Err(Misuse::EmptySet);
        }
        let mut encoder = Encoder::new("UID EXPUNGE");
        encoder.arg(&self.messages);
        let request =
            Request { effect: Effect::Change, state: State::Selected, ..Request::new("UID EXPUNGE", encoder)? };
        Ok(request.needing(Capability::UidPlus, "UIDPLUS").on(&self.messages))
    }

    fn finish(self, _: Completion) {}
}
