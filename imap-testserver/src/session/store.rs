use std::collections::BTreeSet;

use imap_proto_core::types::{Capability, Flag, SeqNum, SeqSet, Uid, UidSet};

use super::Session;
use super::answer::{Outcome, Parsed, bad, no, ok};
use super::args::{Args, flag};
use super::dispatch::{By, no_such_mailbox};
use super::fetch::{GONE, flags_text};
use super::view::{Access, Numbers};

/// The most flags that a message may have.
pub(super) const MOST_FLAGS: usize = 100;
/// The answer when it would have more. RFC 5530 §3
pub(super) const TOO_MANY_FLAGS: &str = "[LIMIT] Too many flags";

/// What a STORE does with its flags. RFC 9051 §6.4.6
#[derive(Clone, Copy)]
enum Change {
    Replace,
    Add,
    Remove,
}

impl Session {
    /// ```abnf
    /// store           = "STORE" SP sequence-set SP store-att-flags
    /// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
    /// ```
    pub(super) fn store(&mut self, by: By, mut args: Args<'_>) -> Outcome {
        let numbers = Numbers::parse(&mut args, by)?;
        let unchanged_since = self.unchanged_since(&mut args)?;
        let word = args.word()?;
        let (name, silent) = word.strip_suffix(".SILENT").map_or((&word[..], false), |name| (name, true));
        let change = match name {
            "FLAGS" => Change::Replace,
            "+FLAGS" => Change::Add,
            "-FLAGS" => Change::Remove,
            _ => return bad("FLAGS, +FLAGS or -FLAGS expected"),
        };
        let flags = flag_list(&mut args)?;
        let cond_store = self.cond_store;
        let (Some(account), Some(view)) = (self.account.clone(), &mut self.view) else { return no_such_mailbox() };
        let chosen = view.choose(&numbers)?;
        if view.access == Access::ReadOnly {
            return no("[READ-ONLY] Nothing is changed here");
        }
        let mut store = account.lock();
        let (mut any_gone, mut any_changed) = (false, false);
        let mut modified = Vec::new();
        let mut lines = String::new();
        if let Some(mailbox) = store.by_validity(view.validity) {
            let has_too_many = |at: &usize| {
                let message = mailbox.get(view.entries[*at].uid);
                message.is_some_and(|message| changed(&message.flags, &flags, change).len() > MOST_FLAGS)
            };
            if matches!(change, Change::Replace | Change::Add) && chosen.at.iter().any(has_too_many) {
                return no(TOO_MANY_FLAGS);
            }
            for at in chosen.at {
                let entry = &mut view.entries[at];
                let Some(message) = mailbox.get(entry.uid) else {
                    any_gone = true;
                    continue;
                };
                if unchanged_since.is_some_and(|since| message.mod_seq > since) {
                    modified.push((at, entry.uid));
                    continue;
                }
                let was_known = entry.mod_seq == message.mod_seq;
                let wanted = changed(&message.flags, &flags, change);
                any_changed |= mailbox.set_flags(entry.uid, wanted);
                let Some(message) = mailbox.get(entry.uid) else { continue };
                // What somebody else has changed before is told even so.
                let tell_flags = !silent || !was_known;
                if tell_flags || cond_store {
                    lines += &format!("* {} FETCH (", at + 1);
                    let mut items = Vec::new();
                    items.extend((by == By::Uid).then(|| format!("UID {}", entry.uid)));
                    items.extend(tell_flags.then(|| format!("FLAGS {}", flags_text(message, entry.is_recent))));
                    items.extend(cond_store.then(|| format!("MODSEQ ({})", message.mod_seq)));
                    lines += &format!("{})\r\n", items.join(" "));
                }
                entry.mod_seq = message.mod_seq;
            }
        }
        store.changed |= any_changed;
        drop(store);
        self.out.extend_from_slice(lines.as_bytes());
        let code = modified_code(by, &modified);
        match any_gone && by == By::SeqNum {
            true => no(GONE),
            false => ok(format!("{code}Stored")),
        }
    }

    /// RFC 7162 §3.1.3: `"(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"`
    fn unchanged_since(&mut self, args: &mut Args<'_>) -> Parsed<Option<u64>> {
        if !args.at_list() {
            return Ok(None);
        }
        let mut modifiers = args.list()?;
        if !self.has(&Capability::CondStore) || modifiers.word()? != "UNCHANGEDSINCE" {
            return bad("Unknown modifier");
        }
        let since = modifiers.number()?;
        modifiers.end()?;
        self.cond_store = true;
        Ok(Some(since))
    }
}

fn flag_list(args: &mut Args<'_>) -> Parsed<BTreeSet<Flag>> {
    let flags = if args.at_list() {
        args.list()?.flags()?
    } else {
        let mut flags = vec![flag(args.next()?)?];
        while !args.is_empty() {
            flags.push(flag(args.next()?)?);
        }
        flags
    };
    args.end()?;
    Ok(flags.into_iter().collect())
}

fn changed(old: &BTreeSet<Flag>, flags: &BTreeSet<Flag>, change: Change) -> BTreeSet<Flag> {
    match change {
        Change::Replace => flags.clone(),
        Change::Add => old.union(flags).cloned().collect(),
        Change::Remove => old.difference(flags).cloned().collect(),
    }
}

/// The messages a conditional STORE left alone, named as the command has named them.
fn modified_code(by: By, modified: &[(usize, Uid)]) -> String {
    if modified.is_empty() {
        return String::new();
    }
    match by {
        By::Uid => format!("[MODIFIED {}] ", modified.iter().map(|(_, uid)| *uid).collect::<UidSet>()),
        By::SeqNum => {
            let numbers: SeqSet = modified.iter().filter_map(|(at, _)| SeqNum::new(*at as u32 + 1)).collect();
            format!("[MODIFIED {numbers}] ")
        }
    }
}
