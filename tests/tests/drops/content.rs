//! What a server holds, and what each act makes of it: the expectation, which knows nothing of how the server does it.

use std::collections::{BTreeMap, BTreeSet};

use imap_tests::memory::NEWS;
use imap_tests::strict::{Message, SOME_DATE, StrictServer};

use super::acts::{Act, Part, World};
use super::several;

/// All that a session can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    mailboxes: BTreeMap<String, Messages>,
    subscribed: BTreeSet<String>,
}

/// The messages of a mailbox, and the UID that the next one will have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Messages {
    there: Vec<Message>,
    uid_next: u32,
}

/// One thing that an act does: it is done as a whole, or not.
pub(crate) type Step = fn(&mut Content, &Part);

/// How many commands of an act ask something before the first that is a step of it.
pub(crate) fn questions(act: Act, world: &World) -> usize {
    // Which messages there are, so that nothing is removed that was not copied.
    usize::from(matches!(act, Act::Move | Act::MoveNumbered) && !world.offers("MOVE"))
}

/// The steps of an act, each of them one command, where the server stores all that it is given.
pub(crate) fn steps(act: Act, world: &World) -> &'static [Step] {
    let can_remove = world.offers("UIDPLUS");
    match act {
        Act::Append | Act::AppendFrom | Act::AppendCut => &[|content, part| content.append(part.message())],
        Act::Several | Act::SeveralCut | Act::SeveralFrom | Act::SeveralFromCut | Act::UploadTogether => {
            &[|content, _| several::messages().into_iter().for_each(|message| content.append(message))]
        }
        Act::Upload => &[
            |content, _| content.append(several::messages()[0].clone()),
            |content, _| content.append(several::messages()[1].clone()),
            |content, _| content.append(several::messages()[2].clone()),
        ],
        Act::Create | Act::Ensure => {
            &[|content, part| content.insert(part.new, Messages { there: Vec::new(), uid_next: 1 })]
        }
        Act::DeleteMailbox => &[|content, part| drop(content.mailboxes.remove(part.mailbox))],
        Act::Rename => &[|content, part| {
            let renamed = content.mailboxes.remove(part.mailbox).expect("it is there");
            content.insert(part.renamed, renamed);
        }],
        Act::Subscribe => &[|content, part| _ = content.subscribed.insert(part.joined.into())],
        Act::Unsubscribe => &[|content, part| _ = content.subscribed.remove(part.left)],
        Act::Store | Act::StoreNumbered | Act::StoreSilent => &[|content, part| content.flag(part.uid, "\\Flagged")],
        Act::Copy | Act::CopyNumbered => &[Content::copy],
        Act::Move | Act::MoveNumbered if world.offers("MOVE") => &[|content, part| {
            content.copy(part);
            content.remove(part);
        }],
        Act::Move | Act::MoveNumbered if can_remove => &[Content::copy, Content::mark, Content::remove],
        Act::Move | Act::MoveNumbered => &[Content::copy, Content::mark],
        Act::Delete if can_remove => &[Content::mark, Content::remove],
        Act::Delete => &[Content::mark],
        Act::UidExpunge if !can_remove => &[],
        Act::Expunge | Act::UidExpunge | Act::Close => &[|content, _| content.inbox().retain(|m| !is_deleted(m))],
        _ => &[],
    }
}

fn is_deleted(message: &Message) -> bool {
    message.flags.contains("\\Deleted")
}

impl Content {
    pub(crate) fn of(server: &StrictServer) -> Self {
        let mailboxes = server.mailboxes().iter().map(|(name, mailbox)| {
            (name.clone(), Messages { there: mailbox.messages.clone(), uid_next: mailbox.uid_next })
        });
        Content { mailboxes: mailboxes.collect(), subscribed: server.subscribed().clone() }
    }

    /// The same after these steps of an act about `part`.
    pub(crate) fn after(mut self, steps: &[Step], part: &Part) -> Self {
        steps.iter().for_each(|step| step(&mut self, part));
        self
    }

    /// The same with so many new messages in INBOX.
    pub(crate) fn with_delivered(mut self, delivered: usize) -> Self {
        (0..delivered).for_each(|_| self.add("INBOX", BTreeSet::new(), NEWS.to_vec()));
        self
    }

    fn insert(&mut self, name: &str, messages: Messages) {
        assert!(self.mailboxes.insert(name.into(), messages).is_none(), "{name} is new");
    }

    fn of_name(&mut self, name: &str) -> &mut Messages {
        self.mailboxes.get_mut(name).expect("it is there")
    }

    fn inbox(&mut self) -> &mut Vec<Message> {
        &mut self.of_name("INBOX").there
    }

    fn add(&mut self, name: &str, flags: BTreeSet<String>, body: Vec<u8>) {
        let mailbox = self.of_name(name);
        mailbox.there.push(Message { uid: mailbox.uid_next, flags, internal_date: SOME_DATE.into(), body });
        mailbox.uid_next += 1;
    }

    fn append(&mut self, body: Vec<u8>) {
        self.add("Drafts", BTreeSet::new(), body);
    }

    fn message(&mut self, uid: u32) -> &mut Message {
        self.inbox().iter_mut().find(|message| message.uid == uid).expect("it is there")
    }

    fn flag(&mut self, uid: u32, flag: &str) {
        self.message(uid).flags.insert(flag.into());
    }

    fn copy(&mut self, part: &Part) {
        let Message { flags, body, .. } = self.message(part.uid).clone();
        self.add("Drafts", flags, body);
    }

    fn mark(&mut self, part: &Part) {
        self.flag(part.uid, "\\Deleted");
    }

    fn remove(&mut self, part: &Part) {
        self.inbox().retain(|message| message.uid != part.uid);
    }
}
