//! What becomes of a command that nobody waits for any more.

use alloc::boxed::Box;
use alloc::string::String;

use super::in_flight::{Abandoned, Entry, Stage};
use super::outbox::{Instead, Outbox};
use super::{CancelEffect, CommandId, Connection, Pending, log};
use crate::command::{Cancelling, Effect, only_answers};
use crate::config::Time;
use crate::error::{Closed, Error, Fate, Refused, Violation};
use crate::types::{Capability, Code};
use crate::wire::{Condition, Part};

impl Connection {
    /// Gives up on a command: nobody waits for its result any more.
    ///
    /// What was promised on the wire is kept: a begun command is finished, its answer read over. Where that
    /// cannot be, because octets are owed that nobody has, or that [are not to be sent](Cancelling::Cut), a MULTIAPPEND
    /// between two messages is taken back, and else the connection is closed. An
    /// [`Event::Done`](super::Event::Done) or [`Event::Failed`](super::Event::Failed) still tells how it ended.
    pub fn abandon(&mut self, id: CommandId, now: Time) -> CancelEffect {
        self.now = now;
        let effect = self.would_drop(id);
        log::abandoned(&self.in_flight, id, effect);
        match effect {
            CancelEffect::Removed => {
                // An IDLE that is to be taken up again may have left half a DONE behind.
                self.outbox.remove_unsent(id);
                if let Some(entry) = self.in_flight.remove(id) {
                    let fate = Fate::NotSent;
                    log::unanswered(&entry, &fate);
                    if !entry.untold {
                        self.pending.push_back(Pending::Failed { id, error: Error::Cancelled, fate });
                    }
                }
                self.write_queued();
            }
            CancelEffect::WillClose => self.close(Error::Closed(Closed::OctetsOwed)),
            CancelEffect::WillFinish | CancelEffect::WillDrain | CancelEffect::WillUndo | CancelEffect::MayClose => {
                let since = self.now;
                self.in_flight.forget_deadline(id);
                if let Some(entry) = self.in_flight.get_mut(id) {
                    entry.abandoned.get_or_insert(Abandoned { since, drained: 0 });
                    match entry.stage {
                        Stage::Idling { .. } => self.write_done(id),
                        Stage::Challenged => self.cancel_exchange(id),
                        _ if effect == CancelEffect::WillUndo => self.undo(id),
                        _ => {}
                    }
                }
            }
        }
        effect
    }

    /// What [`abandon`](Self::abandon) would do now.
    pub fn would_drop(&self, id: CommandId) -> CancelEffect {
        match self.in_flight.get(id) {
            None => CancelEffect::Removed,
            Some(entry) if !entry.begun => CancelEffect::Removed,
            Some(entry) => match entry.stage {
                Stage::Queued => CancelEffect::Removed,
                _ if entry.undone => CancelEffect::WillUndo,
                stage if entry.is_to_be_cut(&self.outbox) => match stage {
                    _ if self.can_be_undone(entry) => CancelEffect::WillUndo,
                    Stage::WaitsForGoAhead => CancelEffect::MayClose,
                    _ => CancelEffect::WillClose,
                },
                _ if only_answers(&entry.claim, &entry.effect) => CancelEffect::WillDrain,
                _ => CancelEffect::WillFinish,
            },
        }
    }

    /// True where the next message of several has not left, and those before it are held. To a server that does not know of
    /// several, no octets are a message like any other.
    fn can_be_undone(&self, entry: &Entry) -> bool {
        let next_is_held = || {
            let mut owed = entry.parts.iter().take_while(|part| !matches!(part, Part::NextMessage));
            owed.clone().count() < entry.parts.len() && owed.all(|part| !matches!(part, Part::Fed(_)))
        };
        self.view.capabilities().has(&Capability::MultiAppend)
            && (self.outbox.has_next_message(entry.id) || next_is_held())
    }

    /// Puts a message of no octets in the place of the next one: the server is to store none of them.
    fn undo(&mut self, id: CommandId) {
        let Some(entry) = self.in_flight.get_mut(id).filter(|entry| !entry.undone) else { return };
        entry.undone = true;
        if self.outbox.replace_next_message(id, Instead::NoMessage) {
            entry.stage = Stage::WaitsForGoAhead;
            entry.parts = [Part::NoMessage].into();
        } else {
            let held = entry.parts.iter().position(|part| matches!(part, Part::NextMessage));
            entry.parts.truncate(held.unwrap_or(0));
            entry.parts.push_back(Part::NoMessage);
        }
    }

    /// Takes NO or BAD to a command of which bytes are still to leave. A literal that was begun is owed all the same; a
    /// message behind it is not, and nobody knows what a server that is through with the command would take it for.
    pub(super) fn refuse_early(&mut self, id: CommandId, condition: Condition, code: Option<Code>, text: String) {
        let Some(entry) = self.in_flight.get_mut(id).filter(|entry| entry.begun) else {
            self.close(Error::Protocol(Violation::AnswerToUnsent));
            return;
        };
        let command = entry.name.clone();
        entry.refused_early = Some(Box::new(Refused { command, condition, code, text, reason: None }));
        if entry.undone && entry.stage == Stage::Leaving {
            // What ends the command is on its way.
            return;
        }
        entry.undone = false;
        let next = entry.parts.iter().position(|part| matches!(part, Part::NextMessage | Part::NoMessage));
        if self.outbox.replace_next_message(id, Instead::LineEnd) {
            entry.stage = Stage::Leaving;
            entry.parts.clear();
        } else if let Some(next) = next {
            entry.parts.truncate(next);
        }
    }

    /// Takes the answer to a message of no octets that came with the `+` for it: nothing more is to be sent then, and Cyrus
    /// says both at once. False where half of the line end has left.
    pub(super) fn has_ended_undone(&mut self, id: CommandId) -> bool {
        let is_undone = self.in_flight.get(id).is_some_and(Entry::is_told_to_undo);
        if is_undone {
            self.outbox.remove_unsent(id);
        }
        is_undone && !self.outbox.holds(id)
    }
}

impl Entry {
    /// True where octets are left that are not to be sent, or that nobody has.
    fn is_to_be_cut(&self, outbox: &Outbox) -> bool {
        let lacks_octets = || self.parts.iter().any(|part| matches!(part, Part::Fed(_)));
        match self.effect {
            Effect::Store => lacks_octets() || (self.cancelling == Cancelling::Cut && self.has_octets_left(outbox)),
            _ => false,
        }
    }

    /// True where an octet of its messages has not left.
    fn has_octets_left(&self, outbox: &Outbox) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
            || matches!(self.stage, Stage::Feeding { .. } | Stage::WaitsForGoAhead)
            || outbox.waiting(self.id) > b"\r\n".len()
    }

    /// True once a message of no octets is the next or the last thing that it sends.
    pub(super) fn is_told_to_undo(&self) -> bool {
        self.undone && matches!(self.parts.front(), None | Some(Part::NoMessage))
    }
}

/// How a command ends that will never be answered.
pub(super) fn fate(entry: &Entry, outbox: &Outbox) -> Fate<()> {
    if !entry.begun {
        return Fate::NotSent;
    }
    match entry.effect {
        // RFC 3502 §6.3.11: a message of no octets MUST be answered NO, and nothing is stored.
        Effect::Store if entry.undone || entry.has_octets_left(outbox) => Fate::Cancelled,
        Effect::Store => Fate::InDoubt,
        Effect::Change | Effect::Deselect if entry.parts.is_empty() && outbox.has_said_all(entry.id) => Fate::InDoubt,
        _ => Fate::Cancelled,
    }
}

/// How a command ends that was undone.
pub(super) fn cancelled(id: CommandId) -> Pending {
    Pending::Failed { id, error: Error::Cancelled, fate: Fate::Cancelled }
}

/// How a command ends that was refused. What was asked for by undoing it is no refusal.
pub(super) fn refused(entry: &Entry, refused: Box<Refused>) -> Pending {
    match entry.is_told_to_undo() {
        true => cancelled(entry.id),
        false => Pending::Done { id: entry.id, outcome: Err(refused) },
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::super::{Event, Health, SessionState};
    use super::*;
    use crate::command::{Authenticate, Command, Noop, StartTls};
    use crate::config::Config;
    use crate::sasl::ExchangeError;
    use crate::types::Secret;

    const NOW: Time = Time::ZERO;

    struct Talk(Connection);

    impl Talk {
        fn new() -> Self {
            let mut talk = Talk(Connection::new(Config::default()));
            talk.s("* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN] hi\r\n");
            assert!(matches!(talk.0.poll_event(), Some(Event::Greeting(_))));
            talk
        }

        fn submit(&mut self, command: &impl Command) -> CommandId {
            self.0.submit(command.request().expect("a request"), NOW).expect("it is open")
        }

        fn s(&mut self, bytes: &str) {
            self.0.receive_space()[..bytes.len()].copy_from_slice(bytes.as_bytes());
            self.0.received(bytes.len(), NOW);
        }

        /// All that may leave is this, and so much of it leaves.
        #[track_caller]
        fn c(&mut self, expected: &str, most: usize) {
            let bytes: alloc::vec::Vec<u8> = self.0.transmit().flatten().copied().collect();
            assert_eq!(alloc::string::String::from_utf8_lossy(&bytes), expected);
            self.0.transmitted(bytes.len().min(most), NOW);
        }

        #[track_caller]
        fn ends(&mut self, expected: &str) {
            let end = match self.0.poll_event() {
                Some(Event::Done { outcome, .. }) => format!("{:?}", outcome.map(|_| ())),
                Some(Event::Failed { fate, .. }) => format!("{fate:?}"),
                None => "nothing".into(),
                other => panic!("{other:?}"),
            };
            assert!(end.starts_with(expected), "{end}");
        }
    }

    fn plain(initial: Option<&str>) -> Authenticate {
        Authenticate::new("PLAIN", initial.map(Secret::from))
    }

    #[test]
    fn an_authentication_of_which_nothing_left_is_taken_back() {
        let mut talk = Talk::new();
        let id = talk.submit(&plain(None));
        assert_eq!(talk.0.abandon(id, NOW), CancelEffect::Removed);
        talk.ends("NotSent");
        talk.c("", 0);
    }

    #[test]
    fn an_authentication_is_cancelled_at_its_next_challenge_and_no_or_bad_ends_it() {
        for answer in ["NO", "BAD"] {
            for sent in [3, usize::MAX] {
                let mut talk = Talk::new();
                let id = talk.submit(&plain(None));
                talk.c("A0 AUTHENTICATE PLAIN\r\n", sent);
                assert_eq!(talk.0.abandon(id, NOW), CancelEffect::WillFinish);
                talk.submit(&Noop);
                if sent == 3 {
                    talk.c("AUTHENTICATE PLAIN\r\n", usize::MAX);
                }
                talk.c("", 0);
                talk.s("+ \r\n");
                talk.ends("nothing");
                talk.c("*\r\n", usize::MAX);
                talk.s(&format!("A0 {answer} cancelled\r\n"));
                talk.ends("Err");
                talk.c("A1 NOOP\r\n", usize::MAX);
                assert!(matches!(talk.0.health(), Health::Usable));
            }
            // Refused in place of the challenge.
            let mut talk = Talk::new();
            let id = talk.submit(&plain(None));
            talk.c("A0 AUTHENTICATE PLAIN\r\n", usize::MAX);
            talk.0.abandon(id, NOW);
            talk.s(&format!("A0 {answer}\r\n"));
            talk.ends("Err");
        }
    }

    #[test]
    fn a_challenge_that_waits_for_its_answer_is_cancelled_at_once() {
        let mut talk = Talk::new();
        let id = talk.submit(&plain(None));
        talk.c("A0 AUTHENTICATE PLAIN\r\n", usize::MAX);
        talk.s("+ \r\n");
        assert!(matches!(talk.0.poll_event(), Some(Event::Challenge { .. })));
        assert_eq!(talk.0.abandon(id, NOW), CancelEffect::WillFinish);
        talk.c("*\r\n", usize::MAX);
    }

    #[test]
    fn a_response_that_is_partly_sent_is_finished_and_the_next_challenge_is_cancelled() {
        let mut talk = Talk::new();
        let id = talk.submit(&plain(None));
        talk.c("A0 AUTHENTICATE PLAIN\r\n", usize::MAX);
        talk.s("+ \r\n");
        assert!(matches!(talk.0.poll_event(), Some(Event::Challenge { .. })));
        talk.0.answer(id, &Secret::from("secret"), NOW);
        talk.c("c2VjcmV0\r\n", 4);
        assert_eq!(talk.0.abandon(id, NOW), CancelEffect::WillFinish);
        talk.c("cmV0\r\n", usize::MAX);
        talk.s("+ \r\n");
        talk.ends("nothing");
        talk.c("*\r\n", usize::MAX);
    }

    #[test]
    fn an_ok_to_an_abandoned_authentication_counts() {
        for (initial, line) in [(None, "A0 AUTHENTICATE PLAIN\r\n"), (Some("x"), "A0 AUTHENTICATE PLAIN eA==\r\n")] {
            let mut talk = Talk::new();
            let id = talk.submit(&plain(initial));
            talk.c(line, usize::MAX);
            talk.0.abandon(id, NOW);
            talk.s("A0 OK in\r\n");
            talk.ends("Ok");
            assert_eq!(talk.0.view().state(), SessionState::Authenticated);
        }
    }

    #[test]
    fn an_ok_to_an_abandoned_authentication_that_nobody_verifies_closes_the_connection() {
        for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "GSSAPI"] {
            // Given up before the first challenge, and when all is said.
            for answers in 0..=2 {
                let mut talk = Talk::new();
                let id = talk.submit(&Authenticate::new(mechanism, None));
                talk.c(&format!("A0 AUTHENTICATE {mechanism}\r\n"), usize::MAX);
                for _ in 0..answers {
                    talk.s("+ eA==\r\n");
                    assert!(matches!(talk.0.poll_event(), Some(Event::Challenge { .. })));
                    talk.0.answer(id, &Secret::from("said"), NOW);
                    talk.c("c2FpZA==\r\n", usize::MAX);
                }
                talk.0.abandon(id, NOW);
                talk.submit(&Noop);
                talk.s("A0 OK in\r\nA1 OK\r\n");
                talk.ends("Ok");
                talk.ends("NotSent");
                let told = talk.0.poll_event();
                assert!(matches!(told, Some(Event::Closed(Error::Exchange(ExchangeError::Incomplete)))), "{told:?}");
                assert_eq!(talk.0.view().state(), SessionState::NotAuthenticated);
                talk.c("", 0);
            }
        }
    }

    #[test]
    fn nothing_passes_starttls_and_it_is_taken_back_before_its_first_byte_alone() {
        let mut talk = Talk::new();
        let id = talk.submit(&StartTls);
        assert_eq!(talk.0.abandon(id, NOW), CancelEffect::Removed);
        talk.ends("NotSent");
        let id = talk.submit(&StartTls);
        talk.submit(&Noop);
        talk.c("A1 STARTTLS\r\n", 5);
        assert_eq!(talk.0.abandon(id, NOW), CancelEffect::WillFinish);
        talk.c("ARTTLS\r\n", usize::MAX);
        talk.c("", 0);
        talk.s("A1 NO\r\n");
        talk.ends("Err");
        talk.c("A2 NOOP\r\n", usize::MAX);
        // Once granted TLS has to follow, whoever waits for it.
        talk.s("A2 OK\r\n");
        talk.ends("Ok");
        let id = talk.submit(&StartTls);
        talk.submit(&Noop);
        talk.c("A3 STARTTLS\r\n", usize::MAX);
        talk.0.abandon(id, NOW);
        talk.s("A3 OK\r\n");
        talk.ends("Ok");
        talk.c("", 0);
    }
}
