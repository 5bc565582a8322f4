use imap_proto_core::types::{Capability, Flag};

use super::Session;
use super::answer::{Outcome, Parsed, bad, no, ok};
use super::args::Args;
use super::dispatch::{By, no_such_mailbox};
use super::fetch_items::{BodyItem, Item};
use super::view::{Access, Entry, Numbers};
use crate::message::{BodyShape, body_structure, envelope, section};
use crate::store::Message;

/// The answer when messages that were asked for are gone, and the client does not know yet. RFC 5530 §3
pub(super) const GONE: &str = "[EXPUNGEISSUED] Some of the messages are gone";

impl Session {
    /// FETCH and UID FETCH. RFC 9051 §6.4.5
    pub(super) fn fetch(&mut self, by: By, mut args: Args<'_>) -> Outcome {
        let numbers = Numbers::parse(&mut args, by)?;
        let mut items = self.fetch_items(&mut args)?;
        let changed_since = self.changed_since(&mut args)?;
        args.end()?;
        if changed_since.is_some() {
            items.push(Item::ModSeq);
        }
        if items.iter().any(|item| matches!(item, Item::ModSeq)) {
            self.cond_store = true;
        }
        if by == By::Uid {
            items.insert(0, Item::Uid);
        }
        let items = without_twins(items);
        let mut out = Vec::new();
        let (Some(account), Some(view)) = (self.account.clone(), &mut self.view) else { return no_such_mailbox() };
        let chosen = view.choose(&numbers)?;
        let mut store = account.lock();
        let mut any_gone = false;
        let mut any_seen = false;
        if let Some(mailbox) = store.by_validity(view.validity) {
            let sets_seen = view.access == Access::ReadWrite
                && items.iter().any(|item| matches!(item, Item::Body(body) if body.sets_seen));
            for at in chosen.at {
                let entry = &mut view.entries[at];
                let Some(message) = mailbox.get(entry.uid) else {
                    any_gone = true;
                    continue;
                };
                if changed_since.is_some_and(|since| message.mod_seq <= since) {
                    continue;
                }
                let mut flags = message.flags.clone();
                if sets_seen && flags.insert(Flag::Seen) {
                    any_seen |= mailbox.set_flags(entry.uid, flags);
                }
                let Some(message) = mailbox.get(entry.uid) else { continue };
                write_fetch(at + 1, message, entry, &items, self.cond_store, &mut out);
            }
        }
        store.changed |= any_seen;
        drop(store);
        self.out.append(&mut out);
        if any_gone && by == By::SeqNum { no(GONE) } else { ok("That is all") }
    }

    /// RFC 7162 §3.1.4: `"(" "CHANGEDSINCE" SP mod-sequence-value ")"`
    fn changed_since(&self, args: &mut Args<'_>) -> Parsed<Option<u64>> {
        if args.is_empty() {
            return Ok(None);
        }
        let mut modifiers = args.list()?;
        if !self.has(&Capability::CondStore) || modifiers.word()? != "CHANGEDSINCE" {
            return bad("Unknown modifier");
        }
        let since = modifiers.number()?;
        modifiers.end()?;
        if since == 0 { bad("Mod-sequences begin at 1") } else { Ok(Some(since)) }
    }
}

/// Each simple item once: a client that asks twice is told once.
fn without_twins(items: Vec<Item>) -> Vec<Item> {
    let mut once: Vec<Item> = Vec::new();
    for item in items {
        let is_twin = |known: &Item| match (known, &item) {
            (Item::Body(known), Item::Body(body)) => known.name == body.name && known.partial == body.partial,
            (Item::Structure(known), Item::Structure(shape)) => known == shape,
            (known, item) => std::mem::discriminant(known) == std::mem::discriminant(item),
        };
        if !once.iter().any(is_twin) {
            once.push(item);
        }
    }
    once
}

fn write_fetch(
    number: usize,
    message: &Message,
    entry: &mut Entry,
    items: &[Item],
    cond_store: bool,
    out: &mut Vec<u8>,
) {
    let content = &message.content;
    // Flags that have changed are told, whoever has changed them.
    let has_flags = items.iter().any(|item| matches!(item, Item::Flags));
    let more = (!has_flags && entry.mod_seq != message.mod_seq).then_some(Item::Flags);
    let has_mod_seq = items.iter().any(|item| matches!(item, Item::ModSeq));
    let more_mod_seq = (cond_store && !has_mod_seq && entry.mod_seq != message.mod_seq).then_some(Item::ModSeq);
    out.extend_from_slice(format!("* {number} FETCH (").as_bytes());
    for (at, item) in items.iter().chain(&more).chain(&more_mod_seq).enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        let mut text = |text: String| out.extend_from_slice(text.as_bytes());
        match item {
            Item::Uid => text(format!("UID {}", message.uid)),
            Item::Flags => text(format!("FLAGS {}", flags_text(message, entry.is_recent))),
            Item::InternalDate => text(format!("INTERNALDATE \"{}\"", message.date)),
            Item::Size => text(format!("RFC822.SIZE {}", content.raw().len())),
            Item::ModSeq => text(format!("MODSEQ ({})", message.mod_seq)),
            Item::Envelope => {
                text("ENVELOPE ".to_owned());
                envelope(content.header(), out);
            }
            Item::Structure(shape) => {
                text(format!("{} ", if *shape == BodyShape::Basic { "BODY" } else { "BODYSTRUCTURE" }));
                body_structure(content, *shape, out);
            }
            Item::Body(body) => {
                text(format!("{} ", body.name));
                write_body(message, body, out);
            }
        }
    }
    out.extend_from_slice(b")\r\n");
    if has_flags || more.is_some() {
        entry.mod_seq = message.mod_seq;
    }
}

/// The octets, as a literal always: what is asked for is often long, and never looked at.
fn write_body(message: &Message, body: &BodyItem, out: &mut Vec<u8>) {
    let Some(octets) = section(&message.content, &body.section) else {
        return out.extend_from_slice(b"NIL");
    };
    let octets = match body.partial {
        Some((origin, length)) => {
            let from = usize::try_from(origin).unwrap_or(usize::MAX).min(octets.len());
            let until = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(octets.len());
            &octets[from..until]
        }
        None => &octets[..],
    };
    out.extend_from_slice(format!("{{{}}}\r\n", octets.len()).as_bytes());
    out.extend_from_slice(octets);
}

/// The flags in parentheses.
pub(super) fn flags_text(message: &Message, is_recent: bool) -> String {
    let recent = is_recent.then_some(Flag::Recent);
    let flags: Vec<_> = message.flags.iter().chain(&recent).map(Flag::to_string).collect();
    format!("({})", flags.join(" "))
}
