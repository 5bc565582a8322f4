use core::time::Duration;

use super::in_flight::Stage;
use super::receive::LEAST_IDLE;
use super::view::SessionState;
use super::{CancelEffect, CommandId, Connection, Pending};
use crate::command::{Command, Effect, Noop};
use crate::config::Time;
use crate::error::{Error, Fate, Limit, Phase};

/// However short it is configured: the next NOOP follows no sooner.
const LEAST_SILENCE: Duration = Duration::from_secs(1);

/// How long the answer to a login may follow a BYE.
const LAST_WORD: Duration = Duration::from_secs(5);

/// What is to happen at a time.
enum Due {
    /// The server has said BYE, and nothing more.
    Left,
    /// Nothing came: the connection is lost.
    Lost(Phase, Duration),
    /// The rest of an abandoned answer took too long.
    Drained,
    /// IDLE is renewed.
    Renew(CommandId),
    /// An IDLE may be taken up again.
    Resume(CommandId),
    /// The command had its time.
    Over(CommandId),
    /// Nothing was said for long.
    KeepAlive,
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
                Some(Due::Resume(id)) => {
                    if let Some(entry) = self.in_flight.get_mut(id) {
                        entry.resumes = None;
                    }
                    self.write_queued();
                }
                Some(Due::Over(id)) => self.end_late(id),
                Some(Due::Left) => self.close_at_end(),
                Some(Due::KeepAlive) => self.keep_alive(),
                Some(Due::Drained) => {
                    self.close(Error::Limit(Limit::DrainTime { limit: self.config.drain_time }));
                }
                Some(Due::Lost(phase, limit)) => self.close(Error::Timeout { phase, limit }),
            }
        }
    }

    /// Gives up on a command that had its time, as if it were dropped.
    fn end_late(&mut self, id: CommandId) {
        let had_turn = self.in_flight.get(id).is_some_and(|entry| entry.in_turn);
        if had_turn && !self.in_flight.has_overdue() {
            self.turn_since = self.now;
        }
        self.in_flight.forget_deadline(id);
        let effect = self.would_drop(id);
        let Some(entry) = self.in_flight.get_mut(id).filter(|entry| !entry.untold) else { return };
        let limit = entry.within.unwrap_or_default();
        let late = |phase| Error::Timeout { phase, limit };
        if effect == CancelEffect::WillClose {
            return self.close(late(Phase::Octets));
        }
        if entry.begun && matches!(entry.effect, Effect::Logout) {
            // Nothing else may be sent any more.
            return self.close(late(Phase::Command));
        }
        let error = late(Phase::Operation);
        entry.overdue = had_turn;
        let pending = match effect {
            CancelEffect::Removed => {
                entry.untold = true;
                Pending::Failed { id, error, fate: Fate::NotSent }
            }
            // The server may be late to hear that nothing is to be stored.
            CancelEffect::WillFinish | CancelEffect::WillUndo => Pending::Overdue { id, error, fate: Fate::InDoubt },
            // Nothing comes of a message whose octets were never sent.
            CancelEffect::WillDrain | CancelEffect::MayClose | CancelEffect::WillClose => {
                Pending::Overdue { id, error, fate: Fate::Cancelled }
            }
        };
        self.pending.push_back(pending);
        self.abandon(id, self.now);
    }

    /// Asks for an answer that nobody waits for.
    fn keep_alive(&mut self) {
        self.activity = self.now;
        let Ok(id) = Noop.request().map_err(Error::Misuse).and_then(|noop| self.submit(noop, self.now)) else { return };
        self.in_flight.forget_deadline(id);
        if let Some(entry) = self.in_flight.get_mut(id) {
            entry.untold = true;
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
        let lost = |since: Time, limit, phase| (since.saturating_add(limit), Due::Lost(phase, limit));
        let greeting = (self.view.state == SessionState::Greeting)
            .then(|| lost(Time::ZERO, self.config.greeting, Phase::Greeting));
        let in_flight = &self.in_flight;
        let refresh = self.config.idle_refresh.max(LEAST_IDLE);
        let idle = in_flight.idles().filter_map(move |entry| match entry.stage {
            Stage::Idling { since } => Some((since.saturating_add(refresh), Due::Renew(entry.id))),
            Stage::Ending { by } => Some((by, Due::Lost(Phase::Done, self.config.done))),
            _ => Some((entry.resumes?, Due::Resume(entry.id))),
        });
        // All others wait for the same: that anything moves. The first that waits is one of the first.
        let owed = in_flight.under_way().chain(in_flight.idles()).any(|entry| {
            let has_own = matches!(entry.stage, Stage::Idling { .. } | Stage::Ending { .. });
            !has_own && (entry.is_owed() || self.outbox.holds(entry.id))
        });
        // What was deflated is nobody's any more, and has to leave.
        let unsent = self.layer.as_ref().is_some_and(|layer| !layer.waiting().is_empty());
        let silent = (owed || unsent).then(|| lost(self.activity, self.config.progress, Phase::Command));
        // Nothing passes a message whose octets are awaited.
        let last = in_flight.ends().map(|(_, last)| last);
        let fed = last.filter(|last| matches!(last.stage, Stage::Feeding { .. }) && !self.outbox.holds(last.id));
        let stalled = fed.map(|_| lost(self.wanted_since, self.config.source, Phase::Octets));
        // What is wanted, or finished in the background, takes the time it takes, as long as it gets on, and what is behind
        // it waits for it.
        let drains = in_flight.under_way().take_while(|entry| entry.is_read_over()).filter(|entry| entry.begun);
        let drains = drains.filter_map(|entry| {
            let since = entry.abandoned?.since.max(self.in_front_until);
            Some((since.saturating_add(self.config.drain_time), Due::Drained))
        });
        let late = in_flight.deadline().map(|(by, id)| (by, Due::Over(id)));
        let in_turn = in_flight.in_turn().filter(|entry| entry.begun).and_then(|entry| {
            let since = entry.begun_at.max(self.turn_since);
            Some((since.saturating_add(entry.within.filter(|_| entry.in_turn)?), Due::Over(entry.id)))
        });
        let unused = in_flight.is_empty() && self.view.is_authenticated();
        let silence = self.config.keep_alive.filter(|_| unused).map(|silence| silence.max(LEAST_SILENCE));
        let keep_alive = silence.map(|silence| (self.activity.saturating_add(silence), Due::KeepAlive));
        let left = self.bye_since.map(|since| (since.saturating_add(LAST_WORD), Due::Left));
        left.into_iter()
            .chain(greeting)
            .chain(idle)
            .chain(silent)
            .chain(stalled)
            .chain(drains)
            .chain(late)
            .chain(in_turn)
            .chain(keep_alive)
    }
}
