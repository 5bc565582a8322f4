use super::in_flight::{Entry, Stage};
use super::view::SessionState;
use super::{CommandId, Connection};
use crate::command::only_answers;
use crate::config::Time;
use crate::error::{Error, Limit, Phase};

/// What is to happen at a time.
enum Due {
    /// Nothing came: the connection is lost.
    Lost(Phase),
    /// The rest of an abandoned answer took too long.
    Drained,
    /// IDLE is renewed.
    Renew(CommandId),
}

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called, if nothing happens before.
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.end {
            Some(_) => None,
            None => self.deadlines().map(|(at, _)| at).min(),
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        while self.end.is_none() {
            let due = self.deadlines().find(|(at, _)| *at <= now).map(|(_, due)| due);
            match due {
                None => return,
                Some(Due::Renew(id)) => self.write_done(id),
                Some(Due::Drained) => self.close(Error::Limit(Limit::Drain)),
                Some(Due::Lost(phase)) => self.close(Error::Timeout(phase)),
            }
        }
    }

    /// Takes note that nothing was read up to `now` for want of a reader: that nothing came is not the server's doing.
    pub fn excuse_silence(&mut self, now: Time) {
        self.now = now;
        self.activity = now;
        for entry in self.in_flight.iter_mut() {
            if let Some(abandoned) = &mut entry.abandoned {
                abandoned.since = now;
            }
            if let Stage::Ending { by } = &mut entry.stage {
                *by = now.saturating_add(self.config.done);
            }
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = (Time, Due)> {
        let greeting =
            (self.view.state == SessionState::Greeting).then_some((self.config.handshake, Due::Lost(Phase::Greeting)));
        let commands = self.in_flight.iter().flat_map(|entry| self.deadlines_of(entry));
        greeting.into_iter().chain(commands)
    }

    fn deadlines_of(&self, entry: &Entry) -> impl Iterator<Item = (Time, Due)> {
        let stage = match entry.stage {
            Stage::Idling { renew } => Some((renew, Due::Renew(entry.id))),
            Stage::Ending { by } => Some((by, Due::Lost(Phase::Done))),
            _ if entry.is_owed() || self.outbox.holds(entry.id) => {
                Some((self.activity.saturating_add(self.config.progress), Due::Lost(Phase::Command)))
            }
            _ => None,
        };
        // What is finished in the background takes the time it takes, as long as it gets on.
        let drain = entry.abandoned.filter(|_| entry.begun && only_answers(&entry.claim, &entry.effect));
        let drain = drain.map(|abandoned| (abandoned.since.saturating_add(self.config.drain_time), Due::Drained));
        stage.into_iter().chain(drain)
    }
}
