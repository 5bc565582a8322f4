use alloc::vec::Vec;

use super::Connection;
use crate::command::Effect;
use crate::types::{Capabilities, Capability};

/// What is remembered of names of extensions that are not known here: a server may go on telling new ones.
const MOST_ENABLED: usize = 256;

impl Connection {
    /// The ENABLE under way is answered with just these.
    pub(super) fn tell_enabled(&mut self, enabled: Vec<Capability>) {
        let mut under_way = self.in_flight.iter_mut().filter(|entry| entry.begun);
        match under_way.find_map(|entry| {
            matches!(entry.effect, Effect::Enable(_) | Effect::Enabled(_)).then_some(&mut entry.effect)
        }) {
            Some(Effect::Enabled(told)) => told.extend_to(MOST_ENABLED, enabled),
            Some(effect) => *effect = Effect::Enabled(enabled.into_iter().collect()),
            None => {}
        }
    }

    /// What an OK to ENABLE without `ENABLED` has switched on: what was asked for (quirk 58), if the server knows of it.
    pub(super) fn silently_enabled(&self, asked: &[Capability]) -> Capabilities {
        let capabilities = self.view.capabilities();
        let knows = |asked: &Capability| {
            let utf8 = *asked == Capability::Utf8Accept && capabilities.has(&Capability::Utf8Only);
            utf8 || capabilities.has(asked)
        };
        asked.iter().filter(|asked| knows(asked)).cloned().collect()
    }

    /// Extensions are on, whoever asked for them.
    pub(super) fn enabled(&mut self, capabilities: &[Capability]) {
        self.view.enabled.extend_to(MOST_ENABLED, capabilities.iter().cloned());
        self.follow_names();
    }

    /// Reads mailbox names as the session has them, its capabilities or what is enabled having changed.
    pub(super) fn follow_names(&mut self) {
        self.decoder.set_utf8_names(self.view.has_utf8_names());
    }
}
