use imap_proto_core::types::{Capability, Flag, MailboxName};

use super::Session;
use super::answer::{Outcome, Parsed, bad, ok};
use super::args::Args;
use super::dispatch::no_such_mailbox;
use crate::message::write_string;
use crate::store::Mailbox;

/// What STATUS can be asked for. RFC 3501 §6.3.10
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    /// RFC 7162 §3.1.7
    HighestModSeq,
    /// RFC 8438
    Size,
}

impl Session {
    pub(super) fn status(&mut self, mut args: Args<'_>) -> Outcome {
        let name = args.mailbox()?;
        let items = self.status_items(args.list()?)?;
        args.end()?;
        let Some(account) = self.account.clone() else { return no_such_mailbox() };
        let store = account.lock();
        let Some(mailbox) = store.get(&name) else { return no_such_mailbox() };
        self.write_status(&name, mailbox, &items);
        ok("That is all")
    }

    /// ```abnf
    /// status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN"
    /// ```
    pub(super) fn status_items(&mut self, mut args: Args<'_>) -> Parsed<Vec<StatusItem>> {
        let mut items = Vec::new();
        loop {
            items.push(match &args.word()?[..] {
                "MESSAGES" => StatusItem::Messages,
                "RECENT" => StatusItem::Recent,
                "UIDNEXT" => StatusItem::UidNext,
                "UIDVALIDITY" => StatusItem::UidValidity,
                "UNSEEN" => StatusItem::Unseen,
                "HIGHESTMODSEQ" if self.has(&Capability::CondStore) => {
                    // Whoever asks knows what it is. RFC 7162 §3.1
                    self.cond_store = true;
                    StatusItem::HighestModSeq
                }
                "SIZE" if self.has(&Capability::StatusSize) => StatusItem::Size,
                _ => return bad("Unknown status item"),
            });
            if args.is_empty() {
                return Ok(items);
            }
        }
    }

    pub(super) fn write_status(&mut self, name: &MailboxName, mailbox: &Mailbox, items: &[StatusItem]) {
        let messages = mailbox.messages();
        let values: Vec<_> = items
            .iter()
            .map(|item| match item {
                StatusItem::Messages => format!("MESSAGES {}", messages.len()),
                StatusItem::Recent => {
                    let recent = messages.iter().filter(|message| message.uid.get() >= mailbox.recent_from).count();
                    format!("RECENT {recent}")
                }
                StatusItem::UidNext => format!("UIDNEXT {}", mailbox.uid_next()),
                StatusItem::UidValidity => format!("UIDVALIDITY {}", mailbox.uid_validity),
                StatusItem::Unseen => {
                    let unseen = messages.iter().filter(|message| !message.flags.contains(&Flag::Seen)).count();
                    format!("UNSEEN {unseen}")
                }
                StatusItem::HighestModSeq => format!("HIGHESTMODSEQ {}", mailbox.highest_mod_seq()),
                StatusItem::Size => {
                    let size: usize = messages.iter().map(|message| message.content.raw().len()).sum();
                    format!("SIZE {size}")
                }
            })
            .collect();
        self.out.extend_from_slice(b"* STATUS ");
        write_string(&name.to_wire(), &mut self.out);
        self.out.extend_from_slice(format!(" ({})\r\n", values.join(" ")).as_bytes());
    }
}
