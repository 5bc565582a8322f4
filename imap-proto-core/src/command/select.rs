use super::{Claim, Command, Completion, Effect, Order, Request};
use crate::connection::Selected;
use crate::error::Misuse;
use crate::types::MailboxName;
use crate::wire::Encoder;

/// Whether a mailbox is opened to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// SELECT.
    #[default]
    ReadWrite,
    /// EXAMINE: nothing the client does changes the mailbox.
    ReadOnly,
}

/// `SELECT` and `EXAMINE`. RFC 9051 §6.3.2 and §6.3.3
///
/// The mailbox selected before is gone from the first byte on, and a NO leaves none selected. Dropped
/// half-way it is finished: the new mailbox is the selected one.
#[derive(Clone, Debug)]
pub struct Select {
    mailbox: MailboxName,
    access: Access,
}

impl Select {
    /// Selects `mailbox`.
    pub fn new(mailbox: MailboxName, access: Access) -> Self {
        Select { mailbox, access }
    }
}

impl Command for Select {
    /// The state of the mailbox; `None` when the server never said OK to it as the selected one.
    type Output = Option<Selected>;

    fn request(&self) -> Result<Request, Misuse> {
        let name = match self.access {
            Access::ReadWrite => "SELECT",
            Access::ReadOnly => "EXAMINE",
        };
        let mut encoder = Encoder::new(name);
        encoder.mailbox(&self.mailbox);
        Ok(Request {
            claim: Claim::Mailbox,
            effect: Effect::Select { mailbox: self.mailbox.clone() },
            order: Order::Barrier,
            ..Request::new(name, encoder)?
        })
    }

    fn finish(self, ok: Completion) -> Option<Selected> {
        ok.selected.map(|selected| *selected)
    }
}
