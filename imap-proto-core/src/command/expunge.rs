use alloc::vec::Vec;

use super::{Command, Completion, Effect, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, UidSet};
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
/// Needs UIDPLUS or IMAP4rev2; nothing else removes these and no others. As [`Expunge`] for the rest.
#[derive(Clone, Debug)]
pub struct UidExpunge {
    uids: UidSet,
}

impl UidExpunge {
    /// Removes what is deleted among `uids`.
    pub fn new(uids: impl Into<UidSet>) -> Self {
        UidExpunge { uids: uids.into() }
    }
}

impl Command for UidExpunge {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        if self.uids.is_empty() {
            return Err(Misuse::EmptySet);
        }
        let mut encoder = Encoder::new("UID EXPUNGE");
        encoder.arg(&self.uids);
        Ok(Request {
            effect: Effect::Change,
            state: State::Selected,
            needs: Vec::from([(Capability::UidPlus, "UIDPLUS")]),
            ..Request::new("UID EXPUNGE", encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
