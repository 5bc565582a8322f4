use std::sync::Arc;

use imap_proto_core::types::{Capability, DateTime, Flag, UidSet};
use imap_proto_core::wire::TokenKind;

use super::Session;
use super::answer::{Bad, Outcome, Parsed, bad, no, ok};
use super::args::Args;
use super::dispatch::no_such_mailbox;
use super::store::{MOST_FLAGS, TOO_MANY_FLAGS};
use crate::message::Content;
use crate::server::now;

/// The answer when the account is full. RFC 5530 §3
pub(super) const NO_ROOM: &str = "[LIMIT] Too many messages";

/// The answer to a message of no octets, which takes back those before it. RFC 3502 §6.3.11
pub(super) const EMPTY: &str = "No message is empty";

/// A message to be stored.
struct NewMessage {
    flags: Vec<Flag>,
    date: Option<DateTime>,
    octets: Vec<u8>,
}

impl Session {
    /// ```abnf
    /// append = "APPEND" SP mailbox 1*append-message
    /// ```
    ///
    /// RFC 9051 §6.3.12; more than one by RFC 3502, all of them or none.
    pub(super) fn append(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        let mut messages = vec![new_message(&mut args)?];
        while self.has(&Capability::MultiAppend) && !args.is_empty() {
            messages.push(new_message(&mut args)?);
        }
        args.end()?;
        if messages.iter().any(|message| message.flags.len() > MOST_FLAGS) {
            return no(TOO_MANY_FLAGS);
        }
        if messages.iter().any(|message| message.octets.is_empty()) {
            return no(EMPTY);
        }
        if messages.iter().any(|message| message.octets.contains(&0)) {
            return bad("NUL in a message");
        }
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let mut store = account.lock();
        let has_room = store.has_room_for_messages(messages.len());
        let Some(mailbox) = store.get_mut(&name) else { return no("[TRYCREATE] No such mailbox") };
        if !has_room {
            return no(NO_ROOM);
        }
        let mut uids = UidSet::new();
        for NewMessage { flags, date, octets } in messages {
            let content = Arc::new(Content::new(octets));
            uids.insert(mailbox.add(content, flags.into_iter().collect(), date.unwrap_or_else(now)));
        }
        let validity = mailbox.uid_validity;
        store.changed = true;
        match self.has(&Capability::UidPlus) {
            true => ok(format!("[APPENDUID {validity} {uids}] Stored")),
            false => ok("Stored"),
        }
    }
}

/// ```abnf
/// append-message = [SP flag-list] [SP date-time] SP literal
/// ```
fn new_message(args: &mut Args<'_>) -> Parsed<NewMessage> {
    let flags = if args.at_list() { args.list()?.flags()? } else { Vec::new() };
    let mut value = args.next()?;
    let mut date = None;
    if value.kind() == TokenKind::Quoted {
        let text = value.text().map(|text| text.to_bytes()).unwrap_or_default();
        let read = DateTime::from_wire(&text).filter(|date| is_written_so(*date, &text));
        date = Some(read.ok_or(Bad("Date and time expected".into()))?);
        value = args.next()?;
    }
    match (value.kind(), value.text()) {
        (TokenKind::Literal, Some(text)) if !value.raw().starts_with(b"~") => {
            Ok(NewMessage { flags, date, octets: text.as_raw().to_vec() })
        }
        _ => bad("Literal expected"),
    }
}

/// True when the text is the date as the grammar has it: two digits or a space and one, a zone.
fn is_written_so(date: DateTime, text: &[u8]) -> bool {
    let shown = date.to_string();
    let text = text.strip_prefix(b" ").map_or_else(|| text.to_vec(), |rest| [b"0", rest].concat());
    text.eq_ignore_ascii_case(shown.as_bytes())
}
