use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::in_flight::{Abandoned, Stage};
use super::route::SoFar;
use super::view::SessionState;
use super::{CommandId, Connection, Event, Pending, abandon, log};
use crate::command::{Cancelling, Completion, Effect, Order, only_answers};
use crate::config::Time;
use crate::error::{Closed, Error, Fate, Limit, Refused, Violation, excerpt, words};
use crate::sasl::ExchangeError;
use crate::types::{Capabilities, Capability, Code};
use crate::wire::grammar::parse_status_text;
use crate::wire::{Condition, FrameError, Kind, LineText, Part, Step, parse_number};

/// What a step of the decoder turned out to be. Plain data, so that the event can borrow afterwards, and so little that it
/// stays in registers.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Nothing,
    Greeting,
    Data(Option<CommandId>),
    BodyStart(Option<CommandId>),
    Body(Option<CommandId>),
    BodyEnd(Option<CommandId>),
    Idling(CommandId),
    Challenge(CommandId),
}

/// An IDLE that the server ends by itself is taken up again no sooner than this after it began: one that ends each at once
/// would have us ask as fast as the network goes. Nor is it renewed any sooner, however that is configured.
pub(super) const LEAST_IDLE: Time = Time::from_secs(2);

impl Connection {
    /// The next event, or `None` until something is received, written, submitted or timed out.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        let found = loop {
            if let Some(pending) = self.pending.pop_front() {
                match self.tell(pending) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            if self.end.is_some() {
                return None;
            }
            match self.decoder.advance() {
                Ok(Some(step)) => match self.take(step) {
                    Found::Nothing => {}
                    found => break found,
                },
                Ok(None) if self.goes_on() => {}
                Ok(None) => return None,
                Err(FrameError::TooLong { limit }) => self.close(Error::Limit(Limit::Response { limit })),
                Err(error) => self.close(Error::Protocol(Violation::Framing(error))),
            }
        };
        // Nearly all events are data: a branch is foreseen where a table of jumps is not.
        if let Found::Data(id) = found {
            return Some(Event::Data { id, response: self.decoder.response() });
        }
        Some(match found {
            Found::Greeting => Event::Greeting(self.decoder.response()),
            Found::BodyStart(id) => {
                let response = self.decoder.response();
                Event::BodyStart { id, response, len: response.detached().last().map_or(0, |body| body.len) }
            }
            Found::Body(id) => Event::Body { id, octets: self.decoder.octets() },
            Found::BodyEnd(id) => Event::BodyEnd { id },
            Found::Idling(id) => Event::Idling { id },
            Found::Challenge(id) => {
                let challenge = crate::sasl::decode(self.decoder.response().text().as_raw());
                Event::Challenge { id, challenge }
            }
            Found::Nothing | Found::Data(_) => return None,
        })
    }

    /// Where the decoder has nothing more: inflates more of what was received, or closes. False where more has to be received.
    #[inline(never)]
    fn goes_on(&mut self) -> bool {
        if let Some(layer) = &mut self.layer {
            match layer.inflate(&mut self.decoder) {
                Ok(None) => {}
                Ok(Some(inflated)) => {
                    self.received = self.received.saturating_add(inflated as u64);
                    return true;
                }
                Err(violation) => {
                    self.close(Error::Protocol(violation));
                    return true;
                }
            }
        }
        if self.is_too_much_before_login() {
            self.close(Error::Limit(Limit::Unauthenticated));
        } else if self.end_of_stream {
            self.close_at_end();
        }
        self.end.is_some()
    }

    fn tell(&self, pending: Pending) -> Option<Event<'static>> {
        Some(match pending {
            Pending::WantsBody { id } => match self.in_flight.get(id)?.stage {
                Stage::Feeding { left } => Event::WantsBody { id, max: left },
                _ => return None,
            },
            Pending::Done { id, outcome } => Event::Done { id, outcome },
            Pending::Failed { id, error, fate } => Event::Failed { id, error, fate },
            Pending::Overdue { id, error, fate } => Event::Overdue { id, error, fate },
            Pending::Closed => Event::Closed(self.end.clone()?),
        })
    }

    /// What lies behind in the buffer does not count yet: it may have come after the login.
    fn is_too_much_before_login(&self) -> bool {
        let before_login = matches!(self.view.state, SessionState::Greeting | SessionState::NotAuthenticated);
        before_login && self.received.saturating_sub(self.buffered() as u64) > self.config.unauthenticated_bytes
    }

    fn take(&mut self, step: Step) -> Found {
        if self.is_too_much_before_login() {
            self.close(Error::Limit(Limit::Unauthenticated));
            return Found::Nothing;
        }
        match step {
            Step::Response => self.take_whole(),
            Step::BodyStart { .. } if self.view.state == SessionState::Greeting => self.take_greeting(),
            Step::BodyStart { len } => {
                let response = self.decoder.response();
                // All bodies of a response go the same way.
                if response.detached().iter().filter(|literal| !literal.skipped).count() == 1 {
                    self.late_uids |= response.as_fetch().is_some_and(|fetch| fetch.uid().is_none());
                    self.body = self.in_flight.claimant(&response, SoFar::Part, &self.tag_prefix);
                }
                self.skip_or(self.body, 0, len, Found::BodyStart)
            }
            Step::Body => {
                log::received_octets(&self.span, self.decoder.octets());
                let len = self.decoder.octets().len() as u64;
                self.skip_or(self.body, len, 0, |id| if len > 0 { Found::Body(id) } else { Found::Nothing })
            }
            Step::BodyEnd => self.skip_or(self.body, 0, 0, Found::BodyEnd),
        }
    }

    fn take_whole(&mut self) -> Found {
        let response = self.decoder.response();
        let may_echo = self.credentials_out || self.view.state == SessionState::NotAuthenticated;
        log::received(&self.span, &response, may_echo);
        if self.view.state == SessionState::Greeting {
            return self.take_greeting();
        }
        match response.kind() {
            Kind::Fetch(_) => self.take_data(),
            Kind::Tagged(condition) => {
                self.take_tagged(condition);
                Found::Nothing
            }
            Kind::Continue => self.take_continuation(),
            Kind::Status(Condition::Bye) => {
                self.view.apply(&response);
                self.take_bye()
            }
            Kind::Enabled => {
                let enabled = response.values().filter_map(|name| Some(Capability::from_wire(name.atom()?)));
                let enabled: Vec<Capability> = enabled.collect();
                self.enabled(&enabled);
                self.tell_enabled(enabled);
                self.take_data()
            }
            Kind::Other if !response.is_named("VANISHED") => self.take_data(),
            kind => {
                self.view.apply(&response);
                if matches!(kind, Kind::Capability | Kind::Status(_)) {
                    self.follow_names();
                }
                self.take_data()
            }
        }
    }

    fn take_greeting(&mut self) -> Found {
        let response = self.decoder.response();
        let state = match response.kind() {
            Kind::Status(Condition::Ok) => SessionState::NotAuthenticated,
            Kind::Status(Condition::PreAuth) => SessionState::Authenticated,
            Kind::Status(Condition::Bye) => {
                self.view.apply(&response);
                return self.take_bye();
            }
            _ => {
                let line = self.excerpt(response.raw());
                self.close(Error::Protocol(Violation::NoGreeting { line }));
                return Found::Nothing;
            }
        };
        self.view.is_preauthenticated = state == SessionState::Authenticated;
        self.view.apply(&response);
        self.follow_names();
        self.enter(state);
        Found::Greeting
    }

    fn enter(&mut self, state: SessionState) {
        self.view.state = state;
        if state == SessionState::Authenticated {
            self.credentials_out = false;
            self.decoder.set_limits(self.config.authenticated);
        }
    }

    #[inline(always)]
    fn take_data(&mut self) -> Found {
        let response = self.decoder.response();
        // A response whose body was streamed goes where its body went.
        if response.detached().iter().any(|literal| !literal.skipped) {
            return self.take_streamed();
        }
        let most = self.config.answer_bytes;
        let owner = self.in_flight.claimant_mut(&response, &self.tag_prefix);
        let Some(entry) = owner else { return Found::Data(None) };
        let (id, len) = (entry.id, response.raw().len() as u64);
        match entry.count(len) > most {
            true => self.fail_answer(id),
            false if entry.abandoned.is_some() => self.skip_or(Some(id), len, 0, Found::Data),
            false => Found::Data(Some(id)),
        }
    }

    fn take_streamed(&mut self) -> Found {
        let id = self.body.take();
        if id.is_some_and(|id| self.has_gone_astray(id)) {
            self.close(Error::Protocol(Violation::StrayBody));
            return Found::Nothing;
        }
        let (most, len) = (self.config.answer_bytes, self.decoder.response().raw().len() as u64);
        match id.filter(|id| self.in_flight.get_mut(*id).is_some_and(|entry| entry.count(len) > most)) {
            Some(id) => self.fail_answer(id),
            None => self.skip_or(id, len, 0, Found::Data),
        }
    }

    /// The rest of the answer is read over, as if nobody wanted it.
    fn fail_answer(&mut self, id: CommandId) -> Found {
        let since = self.now;
        if let Some(entry) = self.in_flight.get_mut(id) {
            entry.untold = true;
            entry.abandoned = Some(Abandoned { since, drained: 0 });
            let fate = if only_answers(&entry.claim, &entry.effect) { Fate::Cancelled } else { Fate::InDoubt };
            let error = Error::Limit(Limit::Answer { limit: self.config.answer_bytes });
            self.pending.push_back(Pending::Failed { id, error, fate });
        }
        Found::Nothing
    }

    /// Throws away what belongs to an abandoned command, and counts it. It is too much as soon as it is announced.
    fn skip_or(
        &mut self,
        id: Option<CommandId>,
        len: u64,
        announced: u64,
        found: impl FnOnce(Option<CommandId>) -> Found,
    ) -> Found {
        let budget = self.config.drain_bytes;
        let entry = id.and_then(|id| self.in_flight.get_mut(id));
        let Some(abandoned) = entry.and_then(|entry| entry.abandoned.as_mut()) else {
            return found(id);
        };
        abandoned.drained = abandoned.drained.saturating_add(len);
        if abandoned.drained.saturating_add(announced) > budget {
            self.close(Error::Limit(Limit::DrainBytes { limit: budget }));
        }
        Found::Nothing
    }

    fn take_bye(&mut self) -> Found {
        if self.awaits_verdict() {
            self.bye_since.get_or_insert(self.now);
            return Found::Nothing;
        }
        self.view.state = SessionState::Logout;
        let logging_out = self.in_flight.iter().any(|e| matches!(e.effect, Effect::Logout) && e.begun);
        if !logging_out {
            self.close_at_end();
            return Found::Nothing;
        }
        // Some never say more, or say the same again (quirk 44). LOGOUT goes alone: nothing else waits.
        let logout = self.in_flight.iter().find(|e| matches!(e.effect, Effect::Logout) && e.begun).map(|e| e.id);
        if let Some(id) = logout.filter(|id| !self.outbox.holds(*id)) {
            let mut logout = self.in_flight.remove(id);
            logout.iter_mut().for_each(|entry| log::answered(entry, Condition::Bye));
            if logout.is_some_and(|entry| !entry.untold) {
                self.pending.push_back(Pending::Done { id, outcome: Ok(Completion::default()) });
            }
            self.close(Error::Closed(Closed::LoggedOut));
        }
        Found::Nothing
    }

    fn take_continuation(&mut self) -> Found {
        let since = self.now;
        if self.bye_since.is_some() {
            self.close_at_end();
            return Found::Nothing;
        }
        if self.in_flight.iter().any(|entry| matches!(entry.effect, Effect::StartTls) && entry.begun) {
            self.close(Error::Protocol(Violation::UnexpectedContinuation));
            return Found::Nothing;
        }
        let Some(entry) = self.in_flight.waiting_for_continuation() else { return Found::Nothing };
        let id = entry.id;
        let abandoned = entry.abandoned.is_some();
        if entry.order == Order::Idle {
            entry.stage = Stage::Idling { since };
            if abandoned {
                self.write_done(id);
            }
            self.write_queued();
            return if abandoned { Found::Nothing } else { Found::Idling(id) };
        }
        if entry.order == Order::Exchange {
            entry.stage = Stage::Challenged;
            if !abandoned {
                return Found::Challenge(id);
            }
            self.cancel_exchange(id);
            return Found::Nothing;
        }
        if self.outbox.holds(id) {
            // The announcement has not left: nobody asked for this `+` (quirk 47).
            return Found::Nothing;
        }
        let is_cut = !entry.undone && entry.cancelling == Cancelling::Cut;
        if abandoned && (is_cut || matches!(entry.parts.front(), Some(Part::Fed(_)))) {
            self.close(Error::Closed(Closed::OctetsOwed));
            return Found::Nothing;
        }
        self.write_parts(id);
        if abandoned && self.in_flight.get(id).is_some_and(|entry| matches!(entry.stage, Stage::Feeding { .. })) {
            // Octets behind those that were waited for were to come from someone who is gone.
            self.close(Error::Closed(Closed::OctetsOwed));
        }
        self.write_queued();
        Found::Nothing
    }

    fn take_tagged(&mut self, condition: Condition) {
        let response = self.decoder.response();
        let (code, text) = parse_status_text(response.text().as_raw());
        let text = words(text);
        let number = response.name().strip_prefix(self.tag_prefix.as_bytes()).and_then(parse_number);
        let number = number.and_then(|number| u32::try_from(number).ok());
        let first_unsent = self.layer.as_ref().map(|layer| layer.first_unsent(self.left_tags));
        if number.zip(first_unsent).is_some_and(|(number, first_unsent)| number >= first_unsent) {
            self.close(Error::Protocol(Violation::AnswerToUnsent));
            return;
        }
        let canonical = number.filter(|n| response.name().len() == self.tag_prefix.len() + digits(*n));
        let Some(entry) = canonical.and_then(|number| self.in_flight.by_tag(number)) else {
            return self.take_unknown_tag(canonical);
        };
        let (id, stage) = (entry.id, entry.stage);
        let (is_divided, is_undone) = (entry.is_divided, entry.is_told_to_undo());
        let written = !self.outbox.holds(id);
        match (stage, condition) {
            (Stage::Ending { .. }, _) if !written => {
                // The server ended IDLE before it saw DONE.
                self.outbox.remove_unsent(id);
                self.complete(id, condition, code, text)
            }
            (Stage::Sent | Stage::Challenged | Stage::Idling { .. } | Stage::Ending { .. }, _) => {
                self.complete(id, condition, code, text)
            }
            (Stage::WaitsForGoAhead, Condition::No | Condition::Bad) if written => {
                self.complete(id, condition, code, text)
            }
            // Where the server stores what it was told not to, it is stored.
            (Stage::WaitsForGoAhead, Condition::Ok) if written && is_undone => self.complete(id, condition, code, text),
            (Stage::Leaving, _) if is_undone && self.has_ended_undone(id) => self.complete(id, condition, code, text),
            (Stage::Leaving | Stage::Feeding { .. }, Condition::No | Condition::Bad) => {
                self.refuse_early(id, condition, code, text)
            }
            (Stage::WaitsForGoAhead, Condition::No | Condition::Bad) if is_divided => {
                self.refuse_early(id, condition, code, text)
            }
            // Also NO or BAD inside the line that announces a literal: whether the server takes what follows for the octets
            // cannot be known, and the rest of the line would have it so.
            _ => self.close(Error::Protocol(Violation::AnswerToUnsent)),
        }
    }

    fn take_unknown_tag(&mut self, number: Option<u32>) {
        if number.is_some_and(|number| number >= self.left_tags) {
            self.close(Error::Protocol(Violation::AnswerToUnsent));
            return;
        }
        self.unknown_tags += 1;
        if !self.view.is_authenticated() || self.unknown_tags >= self.config.unknown_tags {
            // A server that takes an answer for a command has a secret for a tag.
            let tag = self.excerpt(self.decoder.response().name());
            self.close(Error::Protocol(Violation::UnknownTag { tag }));
        }
    }

    /// For an error: nothing, where a secret may be in it.
    fn excerpt(&self, said: &[u8]) -> String {
        if self.credentials_out { "[secret]".to_string() } else { excerpt(said) }
    }

    pub(super) fn complete(&mut self, id: CommandId, condition: Condition, code: Option<Code>, text: String) {
        let ok = condition == Condition::Ok;
        if let Some(code) = &code {
            self.view.apply_code(code, text.as_bytes());
            self.follow_names();
        }
        let was_in_front = self.in_flight.ends().is_some_and(|(first, _)| first.id == id);
        let had_turn = self.in_flight.in_turn().is_some_and(|entry| entry.id == id);
        if ok && self.bye_since.is_some() {
            self.close_at_end();
            return;
        }
        let Some(mut entry) = self.in_flight.remove(id) else { return };
        log::answered(&mut entry, condition);
        if had_turn || entry.overdue {
            self.turn_since = self.now;
        }
        if was_in_front && !entry.is_read_over() {
            self.in_front_until = self.now;
        }
        let idled = matches!(entry.stage, Stage::Idling { .. } | Stage::Ending { .. });
        if idled && ok && entry.abandoned.is_none() {
            if let Stage::Idling { since } = entry.stage {
                entry.resumes = Some(since.saturating_add(LEAST_IDLE));
            }
            entry.stage = Stage::Queued;
            entry.begun = false;
            entry.tag = None;
            entry.outstanding = 0;
            entry.parts.push_back(Part::Text(LineText::Open(entry.name.to_string().into_bytes())));
            self.in_flight.put_back(entry);
            self.write_queued();
            return;
        }
        let mut selected = None;
        let mut enabled = Capabilities::new();
        let mut ended = None;
        match &entry.effect {
            Effect::Select { .. } => {
                self.view.end_selecting(ok);
                selected = self.view.selected.clone();
            }
            Effect::Enable(asked) if ok => {
                enabled = self.silently_enabled(asked);
                self.enabled(&enabled.iter().cloned().collect::<Vec<_>>());
            }
            Effect::Enabled(told) if ok => enabled = told.clone(),
            // RFC 5802 §5: the proof of a server may be anything where nobody looks at it.
            Effect::Authenticate { is_mutual: true } if ok && entry.abandoned.is_some() => {
                ended = Some(Error::Exchange(ExchangeError::Incomplete));
            }
            Effect::Authenticate { .. } if ok => self.enter(SessionState::Authenticated),
            Effect::Authenticate { .. } if self.bye_since.is_some() => ended = Some(self.cause_of_end()),
            Effect::StartTls => self.awaits_tls = ok,
            #[cfg(any(feature = "compress", test))]
            Effect::Compress if ok => self.begin_compression(),
            // `BYE` as a tagged answer ends LOGOUT as well (quirk 43).
            Effect::Logout if condition != Condition::Bad => ended = Some(Error::Closed(Closed::LoggedOut)),
            _ => {}
        }
        if !ok && entry.is_told_to_undo() {
            self.pending.push_back(abandon::cancelled(id));
            self.write_queued();
            return;
        }
        let outcome = match ok || (ended.is_some() && matches!(entry.effect, Effect::Logout)) {
            true => Ok(Completion { code, text, selected, enabled }),
            false => Err(Box::new(Refused { command: entry.name, condition, code, text, reason: None })),
        };
        if !entry.untold {
            self.pending.push_back(Pending::Done { id, outcome });
        }
        match ended {
            Some(error) => self.close(error),
            None => self.write_queued(),
        }
    }
}

fn digits(number: u32) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
