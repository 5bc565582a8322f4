use imap_proto_core::types::{Capability, MailboxName, Uid, UidSet, UidValidity};

use super::Session;
use super::answer::{Outcome, Parsed, no, ok};
use super::append::NO_ROOM;
use super::args::Args;
use super::dispatch::By;
use super::fetch::GONE;
use super::view::{Access, Expunges, Numbers};

/// Where messages went.
struct Copied {
    validity: UidValidity,
    pairs: Vec<(Uid, Uid)>,
}

/// Whether the messages stay where they were.
#[derive(Clone, Copy, PartialEq)]
enum Originals {
    Stay,
    Go,
}

/// Why nothing was copied.
enum NotCopied {
    NoTarget,
    Gone,
    NoRoom,
}

impl NotCopied {
    fn outcome(self) -> Outcome {
        no(match self {
            NotCopied::NoTarget => "[TRYCREATE] No such mailbox",
            NotCopied::Gone => GONE,
            NotCopied::NoRoom => NO_ROOM,
        })
    }
}

impl Session {
    /// COPY and UID COPY. All or nothing. RFC 9051 §6.4.7
    pub(super) fn copy(&mut self, by: By, mut args: Args<'_>) -> Outcome {
        let numbers = Numbers::parse(&mut args, by)?;
        let target = args.mailbox()?;
        args.end()?;
        let uids = self.chosen_uids(&numbers)?;
        match self.copy_to(&uids, &target, by, Originals::Stay) {
            Ok(copied) => ok(format!("{}Copied", self.code(&copied))),
            Err(why) => why.outcome(),
        }
    }

    /// MOVE and UID MOVE. The new UIDs are told before the old messages go. RFC 6851 §4.3
    pub(super) fn move_messages(&mut self, by: By, mut args: Args<'_>) -> Outcome {
        let numbers = Numbers::parse(&mut args, by)?;
        let target = args.mailbox()?;
        args.end()?;
        let uids = self.chosen_uids(&numbers)?;
        if self.view.as_ref().is_some_and(|view| view.access == Access::ReadOnly) {
            return no("[READ-ONLY] Nothing is removed from here");
        }
        let copied = match self.copy_to(&uids, &target, by, Originals::Go) {
            Ok(copied) => copied,
            Err(why) => return why.outcome(),
        };
        let code = self.code(&copied);
        if !code.is_empty() {
            self.untagged(&format!("OK {code}Moved"));
        }
        self.tell_changes(Expunges::Told);
        ok("Done")
    }

    fn chosen_uids(&self, numbers: &Numbers) -> Parsed<Vec<Uid>> {
        let Some(view) = &self.view else { return Ok(Vec::new()) };
        Ok(view.choose(numbers)?.at.into_iter().map(|at| view.entries[at].uid).collect())
    }

    /// In one go, so that no other session sees half of it.
    fn copy_to(&self, uids: &[Uid], target: &MailboxName, by: By, originals: Originals) -> Result<Copied, NotCopied> {
        let (Some(account), Some(view)) = (&self.account, &self.view) else { return Err(NotCopied::NoTarget) };
        let mut store = account.lock();
        let validity = store.get(target).ok_or(NotCopied::NoTarget)?.uid_validity;
        let source = store.by_validity(view.validity).ok_or(NotCopied::Gone)?;
        let messages: Vec<_> = uids.iter().filter_map(|uid| source.get(*uid).cloned()).collect();
        if messages.len() < uids.len() && by == By::SeqNum {
            return Err(NotCopied::Gone);
        }
        if originals == Originals::Stay && !store.has_room_for_messages(messages.len()) {
            return Err(NotCopied::NoRoom);
        }
        store.changed |= !messages.is_empty();
        let target = store.get_mut(target).ok_or(NotCopied::NoTarget)?;
        let pairs: Vec<_> = messages
            .into_iter()
            .map(|message| (message.uid, target.add(message.content, message.flags, message.date)))
            .collect();
        if originals == Originals::Go
            && let Some(source) = store.by_validity(view.validity)
        {
            pairs.iter().for_each(|(old, _)| drop(source.remove(*old)));
        }
        Ok(Copied { validity, pairs })
    }

    /// `[COPYUID …] `, or nothing when nothing was copied. RFC 4315 §3
    fn code(&self, copied: &Copied) -> String {
        if copied.pairs.is_empty() || !self.has(&Capability::UidPlus) {
            return String::new();
        }
        let (sources, targets): (Vec<_>, Vec<_>) = copied.pairs.iter().copied().unzip();
        format!("[COPYUID {} {} {}] ", copied.validity, ranges(&sources), ranges(&targets))
    }
}

/// UIDs in ascending order as ranges.
fn ranges(uids: &[Uid]) -> UidSet {
    uids.iter().copied().collect()
}
