use std::collections::BTreeSet;

use imap_proto_core::types::MailboxName;

use super::Session;
use super::answer::{Outcome, ok};
use super::args::{Args, pattern};
use super::dispatch::no_such_mailbox;
use super::list_options::ListCommand;
use crate::message::write_string;
use crate::store::{DELIMITER, Store, levels_above};

impl Session {
    /// RFC 9051 §6.3.9
    pub(super) fn list(&mut self, args: Args<'_>) -> Outcome {
        let command = self.list_command(args)?;
        if !command.is_extended && command.patterns == [""] {
            // The client asks for the delimiter alone.
            self.untagged(&format!("LIST (\\Noselect) \"{DELIMITER}\" \"\""));
            return ok("That is all");
        }
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let store = account.lock();
        let mut names: BTreeSet<_> = store.iter().map(|(name, _)| name.clone()).collect();
        if command.select.subscribed {
            names.extend(store.subscriptions.iter().cloned());
            if command.select.recursive {
                names.extend(store.subscriptions.iter().flat_map(levels_above));
            }
        }
        for name in names.iter().filter(|name| command.matches(name)) {
            let is_selected = is_selected(&command, &store, name);
            let has_below = command.select.recursive && has_selected_below(&command, &store, name);
            if is_selected || has_below {
                let attributes = attributes(&command, &store, name);
                self.write_list("LIST", &attributes, name, has_below.then_some(&command));
            }
            if is_selected
                && !command.give.status.is_empty()
                && let Some(mailbox) = store.get(name)
            {
                self.write_status(name, mailbox, &command.give.status);
            }
        }
        ok("That is all")
    }

    /// RFC 3501 §6.3.9
    pub(super) fn lsub(&mut self, mut args: Args<'_>) -> Outcome {
        let reference = args.astring()?;
        let wanted = pattern(args.next()?)?;
        args.end()?;
        let text = |wire: &[u8]| MailboxName::from_wire(wire).as_str().to_owned();
        let command =
            ListCommand { reference: text(&reference), patterns: vec![text(&wanted)], ..ListCommand::default() };
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let store = account.lock();
        let mut found = BTreeSet::new();
        let mut levels = BTreeSet::new();
        for name in &store.subscriptions {
            if command.matches(name) {
                found.insert(name);
            } else {
                // `%` that stops above a subscribed name shows the level it stopped at.
                levels.extend(levels_above(name).into_iter().filter(|above| command.matches(above)));
            }
        }
        for name in &found {
            let attributes = if store.get(name).is_some() { "" } else { "\\Noselect" };
            self.write_list("LSUB", attributes, name, None);
        }
        for name in levels.iter().filter(|level| !found.contains(level)) {
            self.write_list("LSUB", "\\Noselect", name, None);
        }
        ok("That is all")
    }

    /// ```abnf
    /// mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    /// ```
    fn write_list(&mut self, response: &str, attributes: &str, name: &MailboxName, below: Option<&ListCommand>) {
        self.out.extend_from_slice(format!("* {response} ({attributes}) \"{DELIMITER}\" ").as_bytes());
        write_string(&name.to_wire(), &mut self.out);
        if let Some(command) = below {
            let mut options = Vec::new();
            options.extend(command.select.subscribed.then_some("\"SUBSCRIBED\""));
            options.extend(command.select.special_use.then_some("\"SPECIAL-USE\""));
            self.out.extend_from_slice(format!(" (\"CHILDINFO\" ({}))", options.join(" ")).as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

/// True when the mailbox is what the selection options ask for.
fn is_selected(command: &ListCommand, store: &Store, name: &MailboxName) -> bool {
    let select = &command.select;
    let entry = store.entry(name);
    if select.special_use && entry.is_none_or(|mailbox| mailbox.special_use.is_none()) {
        return false;
    }
    match select.subscribed {
        true => store.subscriptions.contains(name),
        false => entry.is_some(),
    }
}

/// RFC 5258 §3.5 tells of a mailbox when one below it is selected and does not match the pattern itself.
fn has_selected_below(command: &ListCommand, store: &Store, name: &MailboxName) -> bool {
    let prefix = format!("{name}{DELIMITER}");
    let mut all = store.iter().map(|(name, _)| name).chain(&store.subscriptions);
    all.any(|other| {
        other.as_str().starts_with(&prefix) && is_selected(command, store, other) && !command.matches(other)
    })
}

fn attributes(command: &ListCommand, store: &Store, name: &MailboxName) -> String {
    let mut attributes = Vec::new();
    let entry = store.entry(name);
    match entry {
        None => attributes.push("\\NonExistent".to_owned()),
        Some(mailbox) if !mailbox.is_selectable => attributes.push("\\Noselect".to_owned()),
        Some(_) => {}
    }
    if entry.is_some() {
        let children = if store.has_children(name) { "\\HasChildren" } else { "\\HasNoChildren" };
        attributes.push(children.to_owned());
    }
    if (command.select.subscribed || command.give.subscribed) && store.subscriptions.contains(name) {
        attributes.push("\\Subscribed".to_owned());
    }
    let gives_use = !command.is_extended || command.give.special_use || command.select.special_use;
    if gives_use && let Some(special_use) = entry.and_then(|mailbox| mailbox.special_use.as_ref()) {
        attributes.push(special_use.to_string());
    }
    attributes.join(" ")
}
