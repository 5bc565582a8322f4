use imap_proto_core::types::MailboxName;

use super::Session;
use super::answer::{Outcome, no, ok};
use super::args::Args;
use super::dispatch::no_such_mailbox;
use crate::store::{DELIMITER, LONGEST_NAME, MOST_MAILBOXES};

/// The answers when names grow too long or too many. RFC 5530 §3
const TOO_LONG: &str = "[LIMIT] Name too long";
const TOO_MANY: &str = "[LIMIT] Too many mailboxes";

impl Session {
    /// RFC 9051 §6.3.4
    pub(super) fn create(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        args.end()?;
        let Some(name) = creatable(&name) else { return no("[CANNOT] No name for a mailbox") };
        let Some(account) = &self.account else { return no_such_mailbox() };
        let mut store = account.lock();
        if store.get(&name).is_some() {
            return no("[ALREADYEXISTS] It is there already");
        }
        if name.as_str().len() > LONGEST_NAME {
            return no(TOO_LONG);
        }
        if !store.has_room_for(&name) {
            return no(TOO_MANY);
        }
        store.create(&name);
        ok("Created")
    }

    /// RFC 9051 §6.3.5
    pub(super) fn delete(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        args.end()?;
        if name.is_inbox() {
            return no("[CANNOT] INBOX stays");
        }
        let Some(account) = &self.account else { return no_such_mailbox() };
        let mut store = account.lock();
        match store.entry(&name) {
            None => no_such_mailbox(),
            Some(mailbox) if !mailbox.is_selectable && store.has_children(&name) => {
                no("[HASCHILDREN] There are mailboxes below it")
            }
            Some(mailbox) => {
                let validity = mailbox.uid_validity;
                store.delete(&name);
                if self.view.as_ref().is_some_and(|view| view.validity == validity) {
                    self.view = None;
                }
                ok("Deleted")
            }
        }
    }

    /// RFC 9051 §6.3.6
    pub(super) fn rename(&mut self, mut args: Args<'_>) -> Outcome {
        let (from, to) = (args.mailbox()?, args.mailbox()?);
        args.end()?;
        let Some(to) = creatable(&to) else { return no("[CANNOT] No name for a mailbox") };
        let Some(account) = &self.account else { return no_such_mailbox() };
        let mut store = account.lock();
        if store.entry(&from).is_none() {
            return no_such_mailbox();
        }
        if store.entry(&to).is_some() {
            return no("[ALREADYEXISTS] It is there already");
        }
        if !from.is_inbox() && to.as_str().starts_with(&format!("{from}{DELIMITER}")) {
            return no("[CANNOT] Not below itself");
        }
        if store.longest_renamed(&from, &to) > LONGEST_NAME {
            return no(TOO_LONG);
        }
        if !store.has_room_for(&to) {
            return no(TOO_MANY);
        }
        store.rename(&from, &to);
        ok("Renamed")
    }

    /// RFC 9051 §6.3.7. What is not there can be subscribed to all the same.
    pub(super) fn subscribe(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        args.end()?;
        let Some(account) = &self.account else { return no_such_mailbox() };
        let mut store = account.lock();
        if name.as_str().len() > LONGEST_NAME {
            return no(TOO_LONG);
        }
        if store.subscriptions.len() >= MOST_MAILBOXES && !store.subscriptions.contains(&name) {
            return no(TOO_MANY);
        }
        store.subscriptions.insert(name);
        ok("Subscribed")
    }

    /// RFC 9051 §6.3.8
    pub(super) fn unsubscribe(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        args.end()?;
        let Some(account) = &self.account else { return no_such_mailbox() };
        match account.lock().subscriptions.remove(&name) {
            true => ok("Unsubscribed"),
            false => no("Not subscribed"),
        }
    }
}

/// The name to make, without the delimiter that says that others will come below it; `None` where it can't be made.
fn creatable(name: &MailboxName) -> Option<MailboxName> {
    let text = name.as_str();
    let text = text.strip_suffix(DELIMITER).unwrap_or(text);
    let made = MailboxName::new(text).ok()?;
    // A name that is no modified UTF-7, or not the shortest, would not come back as it was sent.
    let is_plain = *name == MailboxName::new(name.as_str()).ok()?;
    let has_levels = text.split(DELIMITER).all(|level| !level.is_empty());
    let has_wildcards = text.contains(['*', '%']);
    (is_plain && has_levels && !has_wildcards).then_some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_made_is_named_well() {
        for (wire, made) in [
            ("a", Some("a")),
            ("a/b/", Some("a/b")),
            ("Entw&APw-rfe", Some("Entw\u{fc}rfe")),
            ("&AGE-", None),
            ("&bad", None),
            ("a//b", None),
            ("/a", None),
            ("/", None),
            ("a*", None),
            ("a%", None),
        ] {
            let name = creatable(&MailboxName::from_wire(wire.as_bytes()));
            assert_eq!(name.as_ref().map(MailboxName::as_str), made, "{wire}");
        }
    }
}
