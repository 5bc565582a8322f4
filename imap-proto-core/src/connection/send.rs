use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::in_flight::{Entry, Stage};
use super::order::{Circumstances, Turn, turn};
use super::outbox::NO_MESSAGE;
use super::{CommandId, Connection, Pending, abandon, log};
use crate::command::{Effect, State};
use crate::config::{LiteralPolicy, Time};
use crate::error::{Error, Fate, Misuse};
use crate::types::{Literals, Secret};
use crate::wire::{LineText, Part};

impl Connection {
    /// What may leave now. Several parts, for one vectored write.
    ///
    /// On a [compressed](crate::View::is_compressed) connection what it lends can't be taken back any more, whether or not it
    /// leaves. Octets in the middle of a message that is [fed](Self::feed) may not be lent before more of them are there, so
    /// that it has nothing although [`is_quiet`](Self::is_quiet) was false before.
    pub fn transmit(&mut self) -> impl Iterator<Item = &[u8]> {
        self.deflate_outbox();
        let deflated = self.layer.as_ref().map(|layer| layer.waiting()).filter(|waiting| !waiting.is_empty());
        let plain = self.layer.is_none().then(|| self.outbox.slices());
        deflated.into_iter().chain(plain.into_iter().flatten())
    }

    /// True when [`transmit`](Self::transmit) has nothing.
    pub fn is_quiet(&self) -> bool {
        self.outbox.is_empty() && self.layer.as_ref().is_none_or(|layer| layer.waiting().is_empty())
    }

    /// Moves what may leave from the outbox through the transform: for the server's answers, fates and the order of commands it
    /// has left then. All that waits is flushed once, where it ends, but for octets that more are to follow.
    fn deflate_outbox(&mut self) {
        while let Some(layer) = self.layer.as_mut().filter(|layer| layer.has_room()) {
            let deflated = self.outbox.slices().next().map(|octets| layer.deflate(octets, self.left_tags));
            if let Some(n) = deflated {
                self.take_left(n);
                continue;
            }
            self.write_queued();
            if self.outbox.is_empty() {
                let is_fed = |(_, last): (&Entry, &Entry)| matches!(last.stage, Stage::Feeding { .. });
                if let Some(layer) = self.layer.as_mut().filter(|_| !self.in_flight.ends().is_some_and(is_fed)) {
                    layer.flush();
                }
                return;
            }
        }
    }

    /// Takes note that the first `n` bytes of [`transmit`](Self::transmit) left. To be called in the same breath
    /// as the write: what left can't be taken back, and only the connection knows what is owed now.
    pub fn transmitted(&mut self, n: usize, now: Time) {
        self.now = now;
        if n > 0 {
            self.activity = now;
        }
        match &mut self.layer {
            Some(layer) => layer.left(n),
            None => self.take_left(n),
        }
        self.write_queued();
    }

    /// Takes `n` bytes out of the outbox.
    fn take_left(&mut self, mut n: usize) {
        while n > 0 {
            let sent = |owner, content: &_| log::sent(&self.in_flight, owner, content);
            let Some(left) = self.outbox.advance(n, sent) else { break };
            n -= left.bytes;
            self.left(left.owner, left.all);
        }
    }

    /// Bytes of a command have left, `all` that were in line or not.
    fn left(&mut self, id: CommandId, all: bool) {
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        if !entry.begun {
            entry.begun = true;
            entry.begun_at = self.now;
            self.left_tags = entry.tag.map_or(self.left_tags, |tag| tag.saturating_add(1));
            match &entry.effect {
                Effect::Select { mailbox } => {
                    let mailbox = mailbox.clone();
                    self.view.begin_selecting(mailbox);
                }
                Effect::Deselect => self.view.deselect(),
                // What was true before a login need not be true after it (RFC 9051 §6.2.3).
                Effect::Authenticate { .. } => {
                    self.view.capabilities = Default::default();
                    self.credentials_out = true;
                }
                _ => {}
            }
        }
        if !all {
            return;
        }
        match (entry.stage, entry.refused_early.take()) {
            (Stage::Leaving | Stage::WaitsForGoAhead, Some(refused)) => {
                log::answered(entry, refused.condition);
                let selected = matches!(entry.effect, Effect::Select { .. });
                if !entry.untold {
                    self.pending.push_back(abandon::refused(entry, refused));
                }
                self.in_flight.remove(id);
                if selected {
                    self.view.end_selecting(false);
                }
            }
            (Stage::Leaving, None) => entry.stage = Stage::Sent,
            (Stage::Feeding { .. }, refused) => {
                entry.refused_early = refused;
                self.wanted_since = self.now;
                self.pending.push_back(Pending::WantsBody { id });
            }
            (_, refused) => entry.refused_early = refused,
        }
    }

    /// Writes the commands whose turn it is.
    pub(super) fn write_queued(&mut self) {
        if self.awaits_tls {
            return;
        }
        while let Some(next) = self.in_flight.next_queued() {
            let id = next.id;
            if next.resumes.is_some_and(|at| at > self.now) {
                return;
            }
            match turn(next, &self.in_flight, &self.circumstances()) {
                Turn::Later(_) => return,
                Turn::AfterDone => {
                    // For what can't be sent IDLE does not end.
                    if let Err(error) = self.check_state(id) {
                        self.fail_unsent(id, error);
                        continue;
                    }
                    let idling = self.in_flight.under_way().find(|entry| matches!(entry.stage, Stage::Idling { .. }));
                    let Some(idling) = idling.map(|entry| entry.id) else { return };
                    self.write_done(idling);
                }
                Turn::Now => self.begin(id),
            }
        }
    }

    pub(super) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            outstanding: self.config.outstanding,
            late_uids: self.late_uids,
            selected: self.view.selected().map(|selected| &selected.mailbox),
        }
    }

    fn begin(&mut self, id: CommandId) {
        let tag = self.next_tag;
        let takes_other_way = match self.check_state(id) {
            Ok(other) => other,
            Err(error) => return self.fail_unsent(id, error),
        };
        let Some(entry) = self.in_flight.begin(id, tag) else { return };
        if let Some(other) = entry.or_without.take().filter(|_| takes_other_way) {
            entry.parts = other.parts.into();
        }
        self.next_tag = self.next_tag.wrapping_add(1);
        log::begun(&self.span, entry, &self.tag_prefix, tag);
        let tagged = format!("{}{tag} ", self.tag_prefix);
        entry.parts.push_front(Part::Text(LineText::Open(tagged.into_bytes())));
        self.write_parts(id);
    }

    fn fail_unsent(&mut self, id: CommandId, error: Error) {
        if self.in_flight.remove(id).is_some_and(|entry| !entry.untold) {
            self.pending.push_back(Pending::Failed { id, error, fate: Fate::NotSent });
        }
    }

    /// Whether a command may be sent now, and whether it is what replaces an extension that the server lacks.
    fn check_state(&self, id: CommandId) -> Result<bool, Error> {
        let Some(entry) = self.in_flight.get(id) else { return Ok(false) };
        if entry.selection.is_some_and(|selection| selection != self.view.selection) {
            return Err(Error::Deselected);
        }
        if entry.expunged.is_some_and(|expunged| expunged != self.view.expunged) {
            return Err(Error::Renumbered);
        }
        #[cfg(any(feature = "compress", test))]
        if matches!(entry.effect, Effect::Compress) && self.view.is_compressed {
            return Err(Error::Misuse(Misuse::AlreadyCompressed));
        }
        let authenticated = self.view.is_authenticated();
        let allowed = match entry.state {
            State::Any => true,
            State::NotAuthenticated => !authenticated,
            State::Authenticated => authenticated,
            State::NeverSelected => authenticated && self.view.selection == 0,
            State::Selected => authenticated && self.view.selected.is_some(),
        };
        // A server that has not said what it can do is asked, unless there is another way; one that has said so is believed.
        let capabilities = self.view.capabilities();
        let unsaid = entry.said.iter().filter(|(needed, _)| !capabilities.has(needed));
        let missing = entry.needs.iter().filter(|(needed, _)| !self.view.offers(needed)).chain(unsaid).next();
        let missing = missing.filter(|_| !capabilities.is_empty());
        match (allowed, entry.selection) {
            (true, _) => match missing {
                Some((_, name)) => Err(Error::Unsupported(name)),
                None => Ok(entry.or_without.as_ref().is_some_and(|other| !capabilities.offers(&other.needed))),
            },
            // The SELECT of its own mailbox was refused.
            (false, Some(_)) => Err(Error::Deselected),
            (false, None) => Err(Error::Misuse(Misuse::State { command: entry.name.clone() })),
        }
    }

    /// Writes as much of a command as may be: up to a `+` or octets that the caller has.
    pub(super) fn write_parts(&mut self, id: CommandId) {
        let literals = match self.config.literals {
            LiteralPolicy::AsAdvertised => self.view.capabilities.literals(),
            LiteralPolicy::Synchronizing => Literals::Synchronizing,
        };
        let (utf8, capabilities) = (self.view.has_utf8_names(), self.view.offered());
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        // What was waited for is here: the octets in front go out without being announced again.
        let mut announced = matches!(entry.stage, Stage::WaitsForGoAhead | Stage::Feeding { .. });
        entry.stage = match entry.stage {
            Stage::Feeding { .. } => {
                entry.parts.pop_front();
                announced = false;
                Stage::Leaving
            }
            _ => Stage::Leaving,
        };
        let mut line: Option<LineText> = None;
        let mut written = 0;
        let mut is_next_message = false;
        while let Some(part) = entry.parts.front_mut() {
            part.settle(utf8, &capabilities);
            let len = match part {
                Part::Text(_) => {
                    if let Some(Part::Text(text)) = entry.parts.pop_front() {
                        line = Some(join(line, text));
                    }
                    continue;
                }
                Part::NextMessage => {
                    entry.parts.pop_front();
                    is_next_message = true;
                    continue;
                }
                Part::NoMessage if announced => {
                    entry.parts.pop_front();
                    continue;
                }
                Part::NoMessage => {
                    self.outbox.push_next_message(id, LineText::Open(Vec::from(NO_MESSAGE)));
                    entry.stage = Stage::WaitsForGoAhead;
                    return self.in_flight.wrote(id, written + NO_MESSAGE.len());
                }
                Part::Literal(octets) => octets.len() as u64,
                Part::Fed(len) => *len,
                Part::Mailbox(_) | Part::Charset | Part::Offered(..) => continue,
            };
            if !announced {
                let synchronizing = match literals {
                    Literals::Synchronizing => true,
                    Literals::Minus => len > LITERAL_MINUS_MOST,
                    Literals::Plus => false,
                };
                let marker = if synchronizing { format!("{{{len}}}\r\n") } else { format!("{{{len}+}}\r\n") };
                let announcement = join(line.take(), LineText::Open(marker.into_bytes()));
                written += announcement.as_bytes().len();
                match core::mem::take(&mut is_next_message) {
                    true => self.outbox.push_next_message(id, announcement),
                    false => self.outbox.push_line(id, announcement),
                }
                if synchronizing {
                    entry.stage = Stage::WaitsForGoAhead;
                    return self.in_flight.wrote(id, written);
                }
            }
            announced = false;
            if let Part::Fed(left) = *part {
                entry.stage = Stage::Feeding { left };
                // Else the octets are asked for once the announcement has left.
                if !self.outbox.holds(id) {
                    self.wanted_since = self.now;
                    self.pending.push_back(Pending::WantsBody { id });
                }
                return self.in_flight.wrote(id, written);
            }
            if let Some(Part::Literal(octets)) = entry.parts.pop_front() {
                written += octets.len();
                self.outbox.push_octets(id, octets);
            }
        }
        let line = join(line, LineText::Open(Vec::from(b"\r\n")));
        // It may be under way for days.
        entry.parts = VecDeque::new();
        self.in_flight.wrote(id, written + line.as_bytes().len());
        self.outbox.push_line(id, line);
    }

    /// Answers an [`Event::Challenge`](super::Event::Challenge). Without one nothing is sent.
    pub fn answer(&mut self, id: CommandId, response: &Secret, now: Time) {
        self.now = now;
        let mut line = crate::sasl::encode(response.expose());
        let mut whole = Zeroizing::new(Vec::with_capacity(line.len() + 2));
        whole.append(&mut line);
        whole.extend_from_slice(b"\r\n");
        self.write_answer(id, LineText::Secret(whole));
    }

    /// Tells the server that the exchange is over; its NO or BAD follows. RFC 9051 §6.2.2
    pub(super) fn cancel_exchange(&mut self, id: CommandId) {
        self.write_answer(id, LineText::Open(Vec::from(b"*\r\n")));
    }

    fn write_answer(&mut self, id: CommandId, line: LineText) {
        let Some(entry) = self.in_flight.get_mut(id) else { return };
        if entry.stage == Stage::Challenged {
            entry.stage = Stage::Leaving;
            self.outbox.push_line(id, line);
            self.activity = self.now;
        }
    }

    /// Ends a running IDLE. Its `+` was read.
    pub(super) fn write_done(&mut self, id: CommandId) {
        let by = self.now.saturating_add(self.config.done);
        if let Some(entry) = self.in_flight.get_mut(id) {
            entry.stage = Stage::Ending { by };
            self.outbox.push_line(id, LineText::Open(Vec::from(b"DONE\r\n")));
            self.activity = self.now;
        }
    }
}

/// RFC 7888 §5: longer literals have to wait for `+`.
const LITERAL_MINUS_MOST: u64 = 4096;

fn join(line: Option<LineText>, more: LineText) -> LineText {
    match (line, more) {
        (None, more) => more,
        (Some(mut line), LineText::Open(more)) => {
            line.push(&more);
            line
        }
        // Once there is a secret in a line, all of it is wiped.
        (Some(line), LineText::Secret(secret)) => {
            let mut whole = LineText::Secret(line.as_bytes().to_vec().into());
            whole.push(&secret);
            whole
        }
    }
}
