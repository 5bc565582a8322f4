//! What is said through `tracing`, where the feature is on: each command and its end at debug level, each line at
//! trace level under the target `imap::wire`. No secret is in it: what is secret is known here, and only here.

#[cfg(feature = "tracing")]
mod on {
    use super::super::CommandId;
    use super::super::outbox::Content;
    use super::super::view::SessionState;
    use crate::error::{Closed, Error};
    use crate::wire::{Condition, Kind, LineText, Response};

    /// What is shown of one line.
    const MOST: usize = 512;

    /// A line has left.
    pub(in super::super) fn sent(content: &Content) {
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
    pub(in super::super) fn received(response: &Response<'_>, state: SessionState) {
        if !tracing::enabled!(target: "imap::wire", tracing::Level::TRACE) {
            return;
        }
        let may_echo = response.kind() != Kind::Capability;
        if state == SessionState::NotAuthenticated && may_echo {
            tracing::trace!(target: "imap::wire", "S: [{:?}, {} octets]", response.kind(), response.raw().len());
        } else {
            tracing::trace!(target: "imap::wire", "S: {}", shown(response.raw()));
        }
    }

    /// Octets of a streamed body have come.
    pub(in super::super) fn received_octets(octets: &[u8]) {
        tracing::trace!(target: "imap::wire", "S: [{} octets]", octets.len());
    }

    pub(in super::super) fn begun(id: CommandId, name: &str, tag: u32) {
        tracing::debug!(target: "imap", command = name, id = id.0, tag, "begun");
    }

    pub(in super::super) fn answered(id: CommandId, name: &str, condition: Condition) {
        tracing::debug!(target: "imap", command = name, id = id.0, ?condition, "answered");
    }

    pub(in super::super) fn abandoned(id: CommandId, effect: super::super::CancelEffect) {
        tracing::debug!(target: "imap", id = id.0, ?effect, "abandoned");
    }

    pub(in super::super) fn closed(error: &Error, credentials_out: bool) {
        match error {
            Error::Bye { .. } if credentials_out => tracing::warn!(target: "imap", "closed by BYE"),
            Error::Closed(Closed::LoggedOut | Closed::ByOwner) => tracing::debug!(target: "imap", %error, "closed"),
            _ => tracing::warn!(target: "imap", %error, "closed"),
        }
    }

    fn shown(line: &[u8]) -> impl core::fmt::Display + '_ {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        line.get(..MOST).unwrap_or(line).escape_ascii()
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use super::super::CommandId;
    use super::super::outbox::Content;
    use super::super::view::SessionState;
    use crate::error::Error;
    use crate::wire::{Condition, Response};

    pub(in super::super) fn sent(_: &Content) {}
    pub(in super::super) fn received(_: &Response<'_>, _: SessionState) {}
    pub(in super::super) fn received_octets(_: &[u8]) {}
    pub(in super::super) fn begun(_: CommandId, _: &str, _: u32) {}
    pub(in super::super) fn answered(_: CommandId, _: &str, _: Condition) {}
    pub(in super::super) fn abandoned(_: CommandId, _: super::super::CancelEffect) {}
    pub(in super::super) fn closed(_: &Error, _: bool) {}
}

#[cfg(not(feature = "tracing"))]
pub(super) use off::*;
#[cfg(feature = "tracing")]
pub(super) use on::*;
