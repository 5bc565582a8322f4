//! Commands on the messages of the selected mailbox.

use super::StrictServer;
use super::command::{By, Change, Item, Section, SectionText, Set};
use super::model::Mailbox;
use super::render;
use super::session::{Selected, State};

impl StrictServer {
    /// The selected mailbox, which [`judge`](Self::judge) has seen to be there.
    pub(super) fn selected(&mut self) -> Option<(&mut Selected, &mut Mailbox)> {
        let State::Selected(selected) = &mut self.state else {
            return None;
        };
        let mailbox = self.model.get_mut(&selected.name)?;
        Some((selected, mailbox))
    }

    pub(super) fn fetch(&mut self, by: By, set: &Set, items: &[Item]) -> String {
        let Some((selected, mailbox)) = self.selected() else {
            return "NO Nothing selected.".into();
        };
        let mut items = items.to_vec();
        if by == By::Uid && !items.contains(&Item::Uid) {
            items.insert(0, Item::Uid);
        }
        let sees = !selected.read_only && items.iter().any(|item| matches!(item, Item::Section { peek: false, .. }));
        let mut output = Vec::new();
        for (number, uid) in named(selected, by, set) {
            let Some(message) = mailbox.message_mut(uid) else {
                continue;
            };
            let mut items = items.clone();
            if sees && message.flags.insert("\\Seen".into()) && !items.contains(&Item::Flags) {
                items.push(Item::Flags);
            }
            render::fetch(&mut output, number, message, &items);
        }
        self.output.extend(output);
        "OK Fetched.".into()
    }

    pub(super) fn store(&mut self, by: By, set: &Set, change: Change, silent: bool, flags: &[String]) -> String {
        let Some((selected, mailbox)) = self.selected() else {
            return "NO Nothing selected.".into();
        };
        if selected.read_only {
            return "NO [READ-ONLY] Mailbox is read-only.".into();
        }
        let mut output = Vec::new();
        for (number, uid) in named(selected, by, set) {
            let Some(message) = mailbox.message_mut(uid) else {
                continue;
            };
            if change == Change::Replace {
                message.flags.clear();
            }
            for flag in flags {
                if change == Change::Remove {
                    message.flags.retain(|set| !set.eq_ignore_ascii_case(flag));
                } else if !message.has(flag) {
                    message.flags.insert(flag.clone());
                }
            }
            if !silent {
                let items = if by == By::Uid { vec![Item::Uid, Item::Flags] } else { vec![Item::Flags] };
                render::fetch(&mut output, number, message, &items);
            }
        }
        self.output.extend(output);
        "OK Stored.".into()
    }

    pub(super) fn copy(&mut self, by: By, set: &Set, to: &str) -> String {
        match self.copy_messages(by, set, to) {
            Ok(Some((code, _))) => format!("OK {code} Copied."),
            Ok(None) => "OK Nothing to copy.".into(),
            Err(refusal) => refusal,
        }
    }

    pub(super) fn move_messages(&mut self, by: By, set: &Set, to: &str) -> String {
        if matches!(&self.state, State::Selected(Selected { read_only: true, .. })) {
            return "NO [READ-ONLY] Mailbox is read-only.".into();
        }
        match self.copy_messages(by, set, to) {
            Ok(Some((code, uids))) => {
                self.line(&format!("* OK {code} Moved."));
                if let Some((_, mailbox)) = self.selected() {
                    mailbox.messages.retain(|message| !uids.contains(&message.uid));
                }
                "OK Moved.".into()
            }
            Ok(None) => "OK Nothing to move.".into(),
            Err(refusal) => refusal,
        }
    }

    /// Copies and returns `[COPYUID …]` and the UIDs of the originals, or nothing when there were none.
    fn copy_messages(&mut self, by: By, set: &Set, to: &str) -> Result<Option<(String, Vec<u32>)>, String> {
        let Some((selected, mailbox)) = self.selected() else {
            return Err("NO Nothing selected.".into());
        };
        let originals: Vec<_> =
            named(selected, by, set).into_iter().filter_map(|(_, uid)| mailbox.message(uid).cloned()).collect();
        let Some(target) = self.model.get_mut(to) else {
            return Err("NO [TRYCREATE] No such mailbox.".into());
        };
        if originals.is_empty() {
            return Ok(None);
        }
        let uids: Vec<u32> = originals.iter().map(|message| message.uid).collect();
        let copies: Vec<u32> =
            originals.into_iter().map(|copy| target.add(copy.flags, copy.internal_date, copy.body)).collect();
        let code = format!("[COPYUID {} {} {}]", target.uid_validity, render::numbers(&uids), render::numbers(&copies));
        Ok(Some((code, uids)))
    }

    pub(super) fn expunge_deleted(&mut self, set: Option<&Set>) -> String {
        let Some((selected, mailbox)) = self.selected() else {
            return "NO Nothing selected.".into();
        };
        if selected.read_only {
            return "NO [READ-ONLY] Mailbox is read-only.".into();
        }
        let last = selected.view.last().copied().unwrap_or(0);
        let inside = |uid| set.is_none_or(|set| set.contains(uid, last));
        mailbox.messages.retain(|message| !(message.has("\\Deleted") && inside(message.uid)));
        "OK Expunged.".into()
    }
}

/// The messages that a set names: sequence number and UID.
pub(super) fn named(selected: &Selected, by: By, set: &Set) -> Vec<(u32, u32)> {
    let last_uid = selected.view.last().copied().unwrap_or(0);
    let count = selected.view.len() as u32;
    (1..)
        .zip(selected.view.iter().copied())
        .filter(|&(number, uid)| match by {
            By::Sequence => set.contains(number, count),
            By::Uid => set.contains(uid, last_uid),
        })
        .collect()
}

/// The octets of a section, or `None` for NIL: every message counts as one part of text.
pub(super) fn section(message: &super::Message, section: &Section) -> Option<Vec<u8>> {
    let (header, text) = message.split();
    Some(match (section.part.as_slice(), &section.text) {
        ([], SectionText::Whole) => message.body.clone(),
        ([], SectionText::Header) => header.to_vec(),
        ([], SectionText::Text) | ([1], SectionText::Whole) => text.to_vec(),
        ([], SectionText::Fields { names, inverted }) => {
            let named = |field: &str| names.iter().any(|name| name.eq_ignore_ascii_case(field));
            let chosen = message.fields().into_iter().filter(|(field, _)| named(field) != *inverted);
            let mut fields: Vec<u8> = chosen.flat_map(|(_, raw)| raw.iter().copied()).collect();
            fields.extend_from_slice(b"\r\n");
            fields
        }
        ([1], SectionText::Mime) => {
            let mime = |field: &str| field.to_ascii_lowercase().starts_with("content-");
            let chosen = message.fields().into_iter().filter(|(field, _)| mime(field));
            let mut fields: Vec<u8> = chosen.flat_map(|(_, raw)| raw.iter().copied()).collect();
            fields.extend_from_slice(b"\r\n");
            fields
        }
        _ => return None,
    })
}
