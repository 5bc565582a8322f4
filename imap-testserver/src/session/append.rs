use std::sync::Arc;

use imap_proto_core::types::{Capability, DateTime};
use imap_proto_core::wire::TokenKind;

use super::Session;
use super::answer::{Bad, Outcome, bad, no, ok};
use super::args::Args;
use super::dispatch::no_such_mailbox;
use super::store::{MOST_FLAGS, TOO_MANY_FLAGS};
use crate::message::Content;
use crate::server::now;

/// The answer when the account is full. RFC 5530 §3
pub(super) const NO_ROOM: &str = "[LIMIT] Too many messages";

impl Session {
    /// ```abnf
    /// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
    /// ```
    ///
    /// RFC 9051 §6.3.12
    pub(super) fn append(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        let flags = if args.at_list() { args.list()?.flags()? } else { Vec::new() };
        let mut value = args.next()?;
        let mut date = None;
        if value.kind() == TokenKind::Quoted {
            let text = value.text().map(|text| text.to_bytes()).unwrap_or_default();
            let read = DateTime::from_wire(&text).filter(|date| is_written_so(*date, &text));
            date = Some(read.ok_or(Bad("Date and time expected".into()))?);
            value = args.next()?;
        }
        let octets = match (value.kind(), value.text()) {
            (TokenKind::Literal, Some(text)) if !value.raw().starts_with(b"~") => text.as_raw().to_vec(),
            _ => return bad("Literal expected"),
        };
        args.end()?;
        if flags.len() > MOST_FLAGS {
            return no(TOO_MANY_FLAGS);
        }
        if octets.is_empty() {
            return no("No message is empty");
        }
        if octets.contains(&0) {
            return bad("NUL in a message");
        }
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let mut store = account.lock();
        let has_room = store.has_room_for_messages(1);
        let Some(mailbox) = store.get_mut(&name) else { return no("[TRYCREATE] No such mailbox") };
        if !has_room {
            return no(NO_ROOM);
        }
        let content = Arc::new(Content::new(octets));
        let uid = mailbox.add(content, flags.into_iter().collect(), date.unwrap_or_else(now));
        let validity = mailbox.uid_validity;
        store.changed = true;
        match self.has(&Capability::UidPlus) {
            true => ok(format!("[APPENDUID {validity} {uid}] Stored")),
            false => ok("Stored"),
        }
    }
}

/// True when the text is the date as the grammar has it: two digits or a space and one, a zone.
fn is_written_so(date: DateTime, text: &[u8]) -> bool {
    let shown = date.to_string();
    let text = text.strip_prefix(b" ").map_or_else(|| text.to_vec(), |rest| [b"0", rest].concat());
    text.eq_ignore_ascii_case(shown.as_bytes())
}
