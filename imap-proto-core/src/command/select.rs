use super::{Claim, Command, Completion, Effect, Given, Order, Request, checked};
use crate::connection::Selected;
use crate::error::Misuse;
use crate::types::{Capability, IntoMailboxName};
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
    mailbox: Given,
    access: Access,
    mod_seqs: ModSeqs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ModSeqs {
    NotAsked,
    Asked,
}

impl Select {
    /// Selects `mailbox`.
    pub fn new(mailbox: impl IntoMailboxName, access: Access) -> Self {
        Select { mailbox: mailbox.into_mailbox_name(), access, mod_seqs: ModSeqs::NotAsked }
    }

    /// Enables CONDSTORE with it: mod-sequences are told of every change from then on. Needs CONDSTORE. RFC 7162 §3.1.8
    #[must_use]
    pub fn condstore(mut self) -> Self {
        self.mod_seqs = ModSeqs::Asked;
        self
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
        let mailbox = checked(&self.mailbox)?;
        encoder.mailbox(mailbox);
        let mod_seqs = self.mod_seqs == ModSeqs::Asked;
        encoder.text(if mod_seqs { " (CONDSTORE)" } else { "" });
        let request = Request {
            claim: Claim::Mailbox,
            effect: Effect::Select { mailbox: mailbox.clone() },
            order: Order::Barrier,
            ..Request::new(name, encoder)?
        };
        Ok(request.needing_if(mod_seqs, Capability::CondStore, "CONDSTORE"))
    }

    fn finish(self, ok: Completion) -> Option<Selected> {
        ok.selected.map(|selected| *selected)
    }
}
