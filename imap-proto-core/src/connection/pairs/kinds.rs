//! The commands of the table: each command of the crate, in the forms and at the points where the order makes a difference.

use alloc::vec::Vec;

use crate::command::{
    Access, Append, Authenticate, CapabilityCommand, Check, Close, Command, Compress, Copy, Create, Delete, Enable,
    Expunge, Fetch, Id, Idle, List, Login, Logout, Lsub, Message, Move, MultiAppend, NamespaceCommand, Noop, Raw,
    Rename, Request, Returns, Search, Select, StartTls, StatusCommand, Store, StoreCommand, Subscribe, UidExpunge,
    Unselect, Unsubscribe,
};
use crate::types::{Capability, FetchItems, Flag, Messages, Query, Section, SeqSet, StatusItems, UidSet};

/// A command, and how far it is when the next one is submitted.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) request: Request,
    pub(super) until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Nothing of it has left.
    Submitted,
    /// The server has sent its `+`.
    GoAhead,
    /// IDLE is to be renewed: DONE is written.
    Done,
}

fn kind(name: &'static str, command: &impl Command) -> Kind {
    Kind { name, request: command.request().expect("it has a wire form"), until: Until::Submitted }
}

fn late(name: &'static str, command: &impl Command, until: Until) -> Kind {
    Kind { until, ..kind(name, command) }
}

fn uids(wire: &str) -> Messages {
    UidSet::from_wire(wire.as_bytes()).expect("a set").into()
}

fn seqs(wire: &str) -> Messages {
    SeqSet::from_wire(wire.as_bytes()).expect("a set").into()
}

fn numbers(wire: &str) -> Query {
    Query::seq_num(SeqSet::from_wire(wire.as_bytes()).expect("a set"))
}

fn flags() -> FetchItems {
    FetchItems::ids().flags()
}

fn flagging() -> Store {
    Store::add(Flag::Flagged)
}

fn marking() -> FetchItems {
    FetchItems::ids().section_marking_seen(Section::whole())
}

fn raw(line: &str) -> Raw {
    Raw::new(line).expect("a command")
}

/// More than goes without waiting with LITERAL-.
const LONG: u64 = 5000;

fn long() -> Vec<u8> {
    alloc::vec![b'x'; LONG as usize]
}

/// With INBOX selected.
pub(super) fn selected() -> Vec<Kind> {
    let kinds = [in_any_state(), on_messages(), on_mailboxes(), on_the_selection(), fed(), idles()];
    kinds.into_iter().flatten().collect()
}

/// With no mailbox selected so far.
pub(super) fn unselected() -> Vec<Kind> {
    let mut kinds = in_any_state();
    kinds.extend(on_mailboxes());
    kinds.extend([
        kind("ENABLE UTF8=ACCEPT", &Enable::new([Capability::Utf8Accept])),
        kind("SELECT INBOX", &Select::new("INBOX", Access::ReadWrite)),
        kind("EXAMINE Other", &Select::new("Other", Access::ReadOnly)),
    ]);
    kinds.extend(fed());
    kinds
}

/// Before the login.
pub(super) fn unauthenticated() -> Vec<Kind> {
    let mut kinds = in_any_state();
    let initial = Authenticate::new("PLAIN", Some("secret".into()));
    kinds.extend([
        kind("LOGIN alice", &Login::new("alice", "secret".into())),
        // A literal of more than 4096 octets waits for its `+`.
        kind("LOGIN {5000}", &Login::new("x\r\n".repeat(2000), "secret".into())),
        kind("AUTHENTICATE PLAIN", &Authenticate::new("PLAIN", None)),
        kind("AUTHENTICATE PLAIN with its response", &initial),
        kind("STARTTLS", &StartTls),
        late("AUTHENTICATE PLAIN, challenged", &Authenticate::new("PLAIN", None), Until::GoAhead),
    ]);
    kinds
}

fn in_any_state() -> Vec<Kind> {
    alloc::vec![
        kind("NOOP", &Noop),
        kind("CAPABILITY", &CapabilityCommand::default()),
        kind("ID", &Id::new(None)),
        kind("LOGOUT", &Logout),
        kind("raw XFOO", &raw("XFOO")),
        kind("raw XFOO, pipelined", &raw("XFOO").pipelined()),
    ]
}

fn on_messages() -> Vec<Kind> {
    let body = || FetchItems::ids().section(Section::whole());
    alloc::vec![
        kind("UID FETCH 1:9 FLAGS", &Fetch::new(uids("1:9"), flags())),
        kind("UID FETCH 1:9 RFC822.SIZE", &Fetch::new(uids("1:9"), FetchItems::ids().size())),
        kind("UID FETCH 10:19 FLAGS", &Fetch::new(uids("10:19"), flags())),
        kind("UID FETCH 10:* FLAGS", &Fetch::new(uids("10:*"), flags())),
        kind("UID FETCH $ FLAGS", &Fetch::new(Messages::Saved, flags())),
        kind("UID FETCH 1 BODY.PEEK[]", &Fetch::new(uids("1"), body())),
        kind("UID FETCH 1 BODY[]", &Fetch::new(uids("1"), marking())),
        kind("FETCH 1:9 FLAGS", &Fetch::new(seqs("1:9"), flags())),
        kind("FETCH 10:19 FLAGS", &Fetch::new(seqs("10:19"), flags())),
        kind("FETCH 1 BODY[]", &Fetch::new(seqs("1"), marking())),
        kind("UID STORE 1:9", &StoreCommand::new(uids("1:9"), flagging())),
        kind("UID STORE 10:19 silent", &StoreCommand::new(uids("10:19"), flagging().silent())),
        kind("STORE 1:9", &StoreCommand::new(seqs("1:9"), flagging())),
        kind("STORE 10:19 silent", &StoreCommand::new(seqs("10:19"), flagging().silent())),
        kind("UID SEARCH ALL", &Search::new(Query::all())),
        kind("UID SEARCH UNSEEN", &Search::new(Query::unseen())),
        kind("UID SEARCH 1:9", &Search::new(numbers("1:9"))),
        kind("UID SEARCH RETURN (COUNT) ALL", &Search::new(Query::all()).returning(Returns::COUNT)),
        kind("UID SEARCH RETURN (SAVE) ALL", &Search::new(Query::all()).returning(Returns::SAVE)),
        kind("SEARCH ALL", &Search::numbers(Query::all())),
        kind("SEARCH 1:9", &Search::numbers(numbers("1:9"))),
        kind("SEARCH RETURN (COUNT) UNSEEN", &Search::numbers(Query::unseen()).returning(Returns::COUNT)),
        kind("UID COPY 1:9 Other", &Copy::new(uids("1:9"), "Other")),
        kind("UID COPY 1:9 INBOX", &Copy::new(uids("1:9"), "INBOX")),
        kind("COPY 1:9 Other", &Copy::new(seqs("1:9"), "Other")),
        kind("UID MOVE 1:9 Other", &Move::new(uids("1:9"), "Other")),
        kind("MOVE 1:9 Other", &Move::new(seqs("1:9"), "Other")),
        kind("EXPUNGE", &Expunge),
        kind("UID EXPUNGE 1:9", &UidExpunge::new(uids("1:9"))),
        kind("CHECK", &Check),
        kind("raw XFETCH, claims FETCH", &raw("XFETCH").pipelined().claims("FETCH")),
        kind("raw XSEARCH, claims ESEARCH", &raw("XSEARCH").pipelined().claims("ESEARCH")),
    ]
}

fn on_mailboxes() -> Vec<Kind> {
    let status = |name: &'static str| StatusCommand::new(name, StatusItems::counts());
    alloc::vec![
        kind("APPEND Other {3+}", &Append::new("Other", "abc")),
        kind("APPEND Other {5000}", &Append::new("Other", long())),
        kind("APPEND Other {3+}, fed", &Append::new("Other", Message::Fed(3))),
        kind("APPEND Other {5000}, fed", &Append::new("Other", Message::Fed(LONG))),
        kind("APPEND INBOX {3+}", &Append::new("INBOX", "abc")),
        kind("APPEND Other {3+} {3+}", &MultiAppend::new("Other", ["abc", "def"])),
        kind("STATUS Other", &status("Other")),
        kind("STATUS Third", &status("Third")),
        kind("STATUS INBOX", &status("INBOX")),
        kind("LIST *", &List::all()),
        kind("LIST * RETURN (STATUS)", &List::all().return_status(StatusItems::counts())),
        kind("LIST (SUBSCRIBED) *", &List::all().select_subscribed()),
        kind("LSUB *", &Lsub::new("*")),
        kind("NAMESPACE", &NamespaceCommand::default()),
        kind("CREATE Other", &Create::new("Other")),
        kind("CREATE other/Sub", &Create::new("other/Sub")),
        kind("CREATE inbox/Sub", &Create::new("inbox/Sub")),
        kind("DELETE Other", &Delete::new("Other")),
        kind("RENAME Other Third", &Rename::new("Other", "Third")),
        kind("RENAME INBOX Fourth", &Rename::new("INBOX", "Fourth")),
        kind("SUBSCRIBE Other", &Subscribe::new("Other")),
        kind("UNSUBSCRIBE INBOX", &Unsubscribe::new("INBOX")),
        kind("COMPRESS", &Compress),
    ]
}

fn on_the_selection() -> Vec<Kind> {
    alloc::vec![
        kind("SELECT INBOX", &Select::new("INBOX", Access::ReadWrite)),
        kind("EXAMINE Other", &Select::new("Other", Access::ReadOnly)),
        kind("CLOSE", &Close),
        kind("UNSELECT", &Unselect),
        kind("IDLE", &Idle),
    ]
}

fn fed() -> Vec<Kind> {
    let fed = Append::new("Other", Message::Fed(LONG));
    Vec::from([late("APPEND Other {5000}, fed, after +", &fed, Until::GoAhead)])
}

fn idles() -> Vec<Kind> {
    Vec::from([late("IDLE, after +", &Idle, Until::GoAhead), late("IDLE, after DONE", &Idle, Until::Done)])
}
