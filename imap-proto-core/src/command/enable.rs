use alloc::vec::Vec;

use super::{Claim, Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::{Capabilities, Capability};
use crate::wire::Encoder;

/// `ENABLE`: switches extensions on. RFC 9051 §6.3.1
///
/// Needs `ENABLE`, and is to come before any mailbox is selected. It goes alone: what follows it is already sent in the
/// form it asked for, such as mailbox names in UTF-8. Dropped half-way it is finished, and what it switched on is on.
#[derive(Clone, Debug)]
pub struct Enable {
    capabilities: Vec<Capability>,
}

impl Enable {
    /// Switches on `capabilities`; those that the server does not know it passes over.
    pub fn new(capabilities: impl IntoIterator<Item = Capability>) -> Self {
        Enable { capabilities: capabilities.into_iter().collect() }
    }
}

impl Command for Enable {
    /// What the server switched on. An `OK` that does not say means all of it that the server advertises (quirk 58).
    type Output = Capabilities;

    fn request(&self) -> Result<Request, Misuse> {
        if self.capabilities.is_empty() {
            return Err(Misuse::NothingAsked);
        }
        let mut encoder = Encoder::new("ENABLE");
        self.capabilities.iter().for_each(|capability| _ = encoder.arg(capability));
        Ok(Request {
            claim: Claim::named(["ENABLED"]),
            effect: Effect::Enable(self.capabilities.clone()),
            order: Order::Barrier,
            state: State::NeverSelected,
            needs: Vec::from([(Capability::Enable, "ENABLE")]),
            ..Request::new("ENABLE", encoder)?
        })
    }

    fn finish(self, ok: Completion) -> Capabilities {
        ok.enabled
    }
}
