//! Commands on mailboxes as a whole.

use super::command::NewMessage;
use super::model::SOME_DATE;
use super::session::{Selected, State};
use super::{StrictServer, render};

impl StrictServer {
    pub(super) fn list(&mut self, verb: &str, pattern: &str) -> String {
        if pattern.is_empty() {
            self.line(&format!("* {verb} (\\Noselect) \"/\" \"\""));
        }
        let names: Vec<&String> =
            if verb == "LSUB" { self.subscribed.iter().collect() } else { self.model.keys().collect() };
        let names: Vec<String> = names
            .into_iter()
            .filter(|name| {
                matches(pattern.as_bytes(), name.as_bytes())
                    || (name.as_str() == "INBOX" && matches(pattern.to_ascii_uppercase().as_bytes(), b"INBOX"))
            })
            .map(|name| format!("* {verb} () \"/\" {}", quoted(name)))
            .collect();
        for name in names {
            self.line(&name);
        }
        "OK Listed.".into()
    }

    pub(super) fn status(&mut self, name: &str, items: &[String]) -> String {
        let Some(mailbox) = self.model.get(name) else {
            return "NO [NONEXISTENT] No such mailbox.".into();
        };
        let unseen = mailbox.messages.iter().filter(|message| !message.has("\\Seen")).count();
        let values: Vec<String> = items
            .iter()
            .map(|item| match item.as_str() {
                "MESSAGES" => format!("{item} {}", mailbox.messages.len()),
                "UIDNEXT" => format!("{item} {}", mailbox.uid_next),
                "UIDVALIDITY" => format!("{item} {}", mailbox.uid_validity),
                "UNSEEN" => format!("{item} {unseen}"),
                _ => format!("{item} 0"),
            })
            .collect();
        self.line(&format!("* STATUS {} ({})", quoted(name), values.join(" ")));
        "OK Done.".into()
    }

    pub(super) fn create_mailbox(&mut self, name: &str) -> String {
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() || self.model.contains_key(name) {
            return "NO [ALREADYEXISTS] Cannot create that.".into();
        }
        self.create(name);
        "OK Created.".into()
    }

    pub(super) fn delete_mailbox(&mut self, name: &str) -> String {
        if name == "INBOX" || self.is_selected(name) {
            return "NO [CANNOT] Not that one.".into();
        }
        match self.model.remove(name) {
            Some(_) => "OK Deleted.".into(),
            None => "NO [NONEXISTENT] No such mailbox.".into(),
        }
    }

    pub(super) fn rename_mailbox(&mut self, from: &str, to: String) -> String {
        if from == "INBOX" || self.is_selected(from) || self.model.contains_key(&to) {
            return "NO [CANNOT] Not that one.".into();
        }
        match self.model.remove(from) {
            Some(mailbox) => {
                self.model.insert(to, mailbox);
                "OK Renamed.".into()
            }
            None => "NO [NONEXISTENT] No such mailbox.".into(),
        }
    }

    /// Whether there is a mailbox of that name or not. RFC 3501 §6.3.6
    pub(super) fn subscribe_to(&mut self, name: String, wanted: bool) -> String {
        if wanted {
            self.subscribed.insert(name)
        } else {
            self.subscribed.remove(&name)
        };
        "OK Done.".into()
    }

    fn is_selected(&self, name: &str) -> bool {
        matches!(&self.state, State::Selected(Selected { name: selected, .. }) if selected == name)
    }

    /// Stores all or none. RFC 3502 §6.3.11
    pub(super) fn append(&mut self, name: &str, messages: Vec<NewMessage>) -> String {
        if messages.iter().any(|message| message.octets.is_empty()) {
            return "NO No message of no octets.".into();
        }
        let Some(mailbox) = self.model.get_mut(name) else {
            return "NO [TRYCREATE] No such mailbox.".into();
        };
        let add = |NewMessage { flags, date, octets }| {
            mailbox.add(flags.into_iter().collect(), date.unwrap_or_else(|| SOME_DATE.into()), octets)
        };
        let uids: Vec<u32> = messages.into_iter().map(add).collect();
        format!("OK [APPENDUID {} {}] Stored.", mailbox.uid_validity, render::numbers(&uids))
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `*` stands for anything, `%` for anything without the separator.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|at| matches(rest, &name[at..])),
        Some((b'%', rest)) => {
            let end = name.iter().position(|&byte| byte == b'/').unwrap_or(name.len());
            (0..=end).any(|at| matches(rest, &name[at..]))
        }
        Some((first, rest)) => name.split_first().is_some_and(|(head, tail)| head == first && matches(rest, tail)),
    }
}
