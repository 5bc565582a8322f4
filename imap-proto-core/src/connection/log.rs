//! What is said through `tracing`, where the feature is on: each command and its end at debug level, inside a span of its
//! own, each line at trace level under the target `imap::wire`. No secret is in it: what is secret is known here, and only
//! here.
//!
//! A span lives in the connection's plain data and is entered for as long as one event takes, never across calls: tasks
//! may take turns at a connection, and connections at a thread.

#[cfg(feature = "tracing")]
mod on {
    use tracing::field::{Empty, debug};
    use tracing::{Level, Span};

    use super::super::CommandId;
    use super::super::in_flight::{Entry, InFlight};
    use super::super::outbox::Content;
    use crate::error::{Closed, Error, Fate};
    use crate::wire::{Condition, Kind, LineText, Response};

    /// What is shown of one line.
    const MOST: usize = 512;

    /// What a connection belongs to: the span that was current when it was made.
    #[derive(Debug)]
    pub(in super::super) struct ConnectionSpan(Span);

    impl ConnectionSpan {
        pub(in super::super) fn current() -> Self {
            ConnectionSpan(Span::current())
        }
    }

    /// The span of a command, from when it begins until its tagged answer. It closes when it is dropped.
    #[derive(Debug)]
    pub(in super::super) struct CommandSpan(Span);

    impl CommandSpan {
        pub(in super::super) fn none() -> Self {
            CommandSpan(Span::none())
        }
    }

    /// A line of a command has left.
    pub(in super::super) fn sent(in_flight: &InFlight, owner: CommandId, content: &Content) {
        if !is_wire_shown() {
            return;
        }
        let _inside = in_flight.get(owner).map(|entry| entry.span.0.enter());
        match content {
            Content::Line(LineText::Open(line)) => {
                tracing::trace!(target: "imap::wire", "C: {}", shown(line));
            }
            Content::Line(LineText::Secret(_)) => tracing::trace!(target: "imap::wire", "C: [secret]"),
            // A password may be a literal.
            Content::Octets(octets) => tracing::trace!(target: "imap::wire", "C: [{} octets]", octets.len()),
        }
    }

    /// A response has come. What a server says while credentials are on their way may have them in it.
    #[inline]
    pub(in super::super) fn received(around: &ConnectionSpan, response: &Response<'_>, may_echo: bool) {
        if is_wire_shown() {
            show_received(around, response, may_echo);
        }
    }

    #[cold]
    fn show_received(around: &ConnectionSpan, response: &Response<'_>, may_echo: bool) {
        let _inside = around.0.enter();
        if may_echo && response.kind() != Kind::Capability {
            tracing::trace!(target: "imap::wire", "S: [{:?}, {} octets]", response.kind(), response.raw().len());
        } else {
            tracing::trace!(target: "imap::wire", "S: {}", shown(response.raw()));
        }
    }

    /// Octets of a streamed body have come.
    pub(in super::super) fn received_octets(around: &ConnectionSpan, octets: &[u8]) {
        if is_wire_shown() {
            around.0.in_scope(|| tracing::trace!(target: "imap::wire", "S: [{} octets]", octets.len()));
        }
    }

    /// A command begins, and with it its span.
    pub(in super::super) fn begun(around: &ConnectionSpan, entry: &mut Entry, prefix: &str, tag: u32) {
        let Entry { id, name, .. } = entry;
        let span = tracing::debug_span!(
            target: "imap",
            // Where it was made in no span it belongs to whoever moves it.
            parent: around.0.id().or_else(|| Span::current().id()),
            "command",
            name = &**name,
            id = id.0,
            tag = %format_args!("{prefix}{tag}"),
            outcome = Empty
        );
        span.in_scope(|| tracing::debug!(target: "imap", command = &**name, id = id.0, tag, "begun"));
        entry.span = CommandSpan(span);
    }

    /// The tagged answer has come, or what is taken for it. An IDLE that goes on has another span then.
    pub(in super::super) fn answered(entry: &mut Entry, condition: Condition) {
        let CommandSpan(span) = core::mem::replace(&mut entry.span, CommandSpan::none());
        span.record("outcome", debug(condition));
        let (command, id) = (&*entry.name, entry.id.0);
        span.in_scope(|| tracing::debug!(target: "imap", command, id, ?condition, "answered"));
    }

    /// No answer will come.
    pub(in super::super) fn unanswered(entry: &Entry, fate: &Fate<()>) {
        entry.span.0.record("outcome", debug(fate));
    }

    pub(in super::super) fn abandoned(in_flight: &InFlight, id: CommandId, effect: super::super::CancelEffect) {
        let _inside = in_flight.get(id).map(|entry| entry.span.0.enter());
        tracing::debug!(target: "imap", id = id.0, ?effect, "abandoned");
    }

    pub(in super::super) fn closed(around: &ConnectionSpan, error: &Error, credentials_out: bool) {
        let _inside = around.0.enter();
        match error {
            Error::Bye { .. } if credentials_out => tracing::warn!(target: "imap", "closed by BYE"),
            Error::Closed(Closed::LoggedOut | Closed::ByOwner) => tracing::debug!(target: "imap", %error, "closed"),
            _ => tracing::warn!(target: "imap", %error, "closed"),
        }
    }

    fn is_wire_shown() -> bool {
        tracing::enabled!(target: "imap::wire", Level::TRACE)
    }

    fn shown(line: &[u8]) -> impl core::fmt::Display + '_ {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        line.get(..MOST).unwrap_or(line).escape_ascii()
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use super::super::CommandId;
    use super::super::in_flight::{Entry, InFlight};
    use super::super::outbox::Content;
    use crate::error::{Error, Fate};
    use crate::wire::{Condition, Response};

    #[derive(Debug)]
    pub(in super::super) struct ConnectionSpan;

    impl ConnectionSpan {
        pub(in super::super) fn current() -> Self {
            ConnectionSpan
        }
    }

    #[derive(Debug)]
    pub(in super::super) struct CommandSpan;

    impl CommandSpan {
        pub(in super::super) fn none() -> Self {
            CommandSpan
        }
    }

    pub(in super::super) fn sent(_: &InFlight, _: CommandId, _: &Content) {}
    pub(in super::super) fn received(_: &ConnectionSpan, _: &Response<'_>, _: bool) {}
    pub(in super::super) fn received_octets(_: &ConnectionSpan, _: &[u8]) {}
    pub(in super::super) fn begun(_: &ConnectionSpan, _: &mut Entry, _: &str, _: u32) {}
    pub(in super::super) fn answered(_: &mut Entry, _: Condition) {}
    pub(in super::super) fn unanswered(_: &Entry, _: &Fate<()>) {}
    pub(in super::super) fn abandoned(_: &InFlight, _: CommandId, _: super::super::CancelEffect) {}
    pub(in super::super) fn closed(_: &ConnectionSpan, _: &Error, _: bool) {}
}

#[cfg(not(feature = "tracing"))]
pub(super) use off::*;
#[cfg(feature = "tracing")]
pub(super) use on::*;
