use alloc::vec::Vec;

use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::Capability;
use crate::wire::Encoder;

/// `CLOSE`: removes what has `\Deleted` without telling what, and leaves the mailbox. RFC 9051 §6.4.1
///
/// Of a mailbox that was opened with EXAMINE nothing is removed. No mailbox is selected from its first byte on, whatever the
/// answer. Dropped half-way it is finished; it is in doubt from its last octet until the server's answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Close;

impl Command for Close {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        leave("CLOSE")
    }

    fn finish(self, _: Completion) {}
}

/// `UNSELECT`: leaves the mailbox as it is. RFC 3691, RFC 9051 §6.4.2
///
/// Needs UNSELECT or IMAP4rev2. No mailbox is selected from its first byte on, whatever the answer. Dropped half-way it is
/// finished.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unselect;

impl Command for Unselect {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request { needs: Vec::from([(Capability::Unselect, "UNSELECT")]), ..leave("UNSELECT")? })
    }

    fn finish(self, _: Completion) {}
}

fn leave(name: &'static str) -> Result<Request, Misuse> {
    Ok(Request {
        effect: Effect::Deselect,
        order: Order::Barrier,
        state: State::Selected,
        ..Request::new(name, Encoder::new(name))?
    })
}
