use alloc::vec::Vec;

use super::{Command, Completion, Order, Request, State};
use crate::error::Misuse;
use crate::types::Capability;
use crate::wire::Encoder;

/// `IDLE`: the server tells what happens as it happens. RFC 2177, RFC 9051 §6.3.13
///
/// It runs while nothing else does: the next command ends it and it is taken up again afterwards, as it
/// is when it is renewed. It ends when it is abandoned, when the server refuses it, or with its mailbox.
#[derive(Clone, Copy, Debug)]
pub struct Idle;

impl Command for Idle {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request {
            order: Order::Idle,
            state: State::Selected,
            needs: Vec::from([(Capability::Idle, "IDLE")]),
            ..Request::new("IDLE", Encoder::new("IDLE"))?
        })
    }

    fn finish(self, _: Completion) {}
}
