use std::collections::BTreeSet;
use std::fmt::Write;

use imap_proto_core::types::{Capability, Flag, UidSet};

use super::Session;
use super::answer::{Outcome, bad, no, ok};
use super::args::Args;
use super::dispatch::no_such_mailbox;
use super::view::{Access, Expunges, Numbers, View};
use crate::store::Mailbox;

/// The flags every mailbox knows.
const SYSTEM_FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

impl Session {
    /// SELECT and EXAMINE. A mailbox that was selected is not any more, whatever comes of it. RFC 9051 §6.3.2
    pub(super) fn select(&mut self, command: &str, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        let mut cond_store = false;
        if args.at_list() {
            let mut parameters = args.list()?;
            if !self.has(&Capability::CondStore) || parameters.word()? != "CONDSTORE" || !parameters.is_empty() {
                return bad("Unknown parameter");
            }
            cond_store = true;
        }
        args.end()?;
        if self.view.take().is_some() {
            // What comes behind it is of the other mailbox. RFC 7162 §3.2.11
            self.untagged("OK [CLOSED] The mailbox before is closed");
        }
        self.cond_store |= cond_store;
        let access = if command == "SELECT" { Access::ReadWrite } else { Access::ReadOnly };
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let mut store = account.lock();
        let Some(mailbox) = store.get_mut(&name) else { return no_such_mailbox() };
        let view = View::new(mailbox, access);
        let text = self.describe(mailbox, &view);
        self.out.extend_from_slice(text.as_bytes());
        self.view = Some(view);
        ok(match access {
            Access::ReadWrite => "[READ-WRITE] Selected",
            Access::ReadOnly => "[READ-ONLY] Examined",
        })
    }

    fn describe(&self, mailbox: &Mailbox, view: &View) -> String {
        let mut text = String::new();
        let mut flags = SYSTEM_FLAGS.to_owned();
        for keyword in keywords(mailbox) {
            let _ = write!(flags, " {keyword}");
        }
        let permanent = match view.access {
            Access::ReadWrite => format!("{flags} \\*"),
            Access::ReadOnly => String::new(),
        };
        let (count, recent) = (view.entries.len(), view.recent());
        let _ = write!(text, "* FLAGS ({flags})\r\n* OK [PERMANENTFLAGS ({permanent})] Kept\r\n");
        let _ = write!(text, "* {count} EXISTS\r\n* {recent} RECENT\r\n");
        if let Some(at) = mailbox.messages().iter().position(|message| !message.flags.contains(&Flag::Seen)) {
            let _ = write!(text, "* OK [UNSEEN {}] First unseen\r\n", at + 1);
        }
        let _ = write!(text, "* OK [UIDVALIDITY {}] UIDs are valid\r\n", mailbox.uid_validity);
        let _ = write!(text, "* OK [UIDNEXT {}] The next UID\r\n", mailbox.uid_next());
        if self.has(&Capability::CondStore) {
            let _ = write!(text, "* OK [HIGHESTMODSEQ {}] Highest\r\n", mailbox.highest_mod_seq());
        }
        text
    }

    /// CLOSE and UNSELECT. RFC 9051 §6.4.1, §6.4.2
    pub(super) fn close_mailbox(&mut self, command: &str, args: Args<'_>) -> Outcome {
        args.end()?;
        let (Some(account), Some(view)) = (&self.account, self.view.take()) else { return no_such_mailbox() };
        if command == "CLOSE" && view.access == Access::ReadWrite {
            let mut store = account.lock();
            if let Some(mailbox) = store.by_validity(view.validity) {
                let uids: Vec<_> = view.entries.iter().map(|entry| entry.uid).collect();
                let is_deleted = |uid| mailbox.get(uid).is_some_and(|message| message.flags.contains(&Flag::Deleted));
                let deleted: Vec<_> = uids.into_iter().filter(|uid| is_deleted(*uid)).collect();
                let any = !deleted.is_empty();
                deleted.into_iter().for_each(|uid| drop(mailbox.remove(uid)));
                store.changed |= any;
            }
        }
        ok("Closed")
    }

    /// EXPUNGE and UID EXPUNGE. RFC 9051 §6.4.3, §6.4.9
    pub(super) fn expunge(&mut self, uids: Option<UidSet>, args: Args<'_>) -> Outcome {
        args.end()?;
        let (Some(account), Some(view)) = (self.account.clone(), &self.view) else { return no_such_mailbox() };
        if view.access == Access::ReadOnly {
            return no("[READ-ONLY] Nothing is removed from here");
        }
        let chosen = match uids {
            Some(uids) => view.choose(&Numbers::Uids(uids))?.at,
            None => (0..view.entries.len()).collect(),
        };
        let mut store = account.lock();
        let Some(mailbox) = store.by_validity(view.validity) else { return ok("Nothing is left") };
        let mut any = false;
        for at in chosen {
            let uid = view.entries[at].uid;
            if mailbox.get(uid).is_some_and(|message| message.flags.contains(&Flag::Deleted)) {
                any |= mailbox.remove(uid).is_some();
            }
        }
        let highest = mailbox.highest_mod_seq();
        store.changed |= any;
        drop(store);
        self.tell_changes(Expunges::Told);
        if any && self.cond_store { ok(format!("[HIGHESTMODSEQ {highest}] Expunged")) } else { ok("Expunged") }
    }
}

/// The keywords that messages of the mailbox have.
pub(super) fn keywords(mailbox: &Mailbox) -> Vec<Flag> {
    let all = mailbox.messages().iter().flat_map(|message| &message.flags);
    let keywords: BTreeSet<_> =
        all.filter(|flag| flag.is_keyword() || matches!(flag, Flag::Extension(_))).cloned().collect();
    keywords.into_iter().collect()
}
