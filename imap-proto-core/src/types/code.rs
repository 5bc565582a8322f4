use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Capabilities, Caseless, Flag, SeqNum, Set, Uid, UidSet, UidValidity};

/// Says what a status response means, for programs to read.
///
/// RFC 9051 §7.1 and RFC 5530, unless a variant names another source. A code whose arguments can't be read is
/// [`Other`](Self::Other), with what came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// `ALERT`: the text must be shown to the user. It was not shown to be the server's own words before TLS.
    Alert,
    /// `ALREADYEXISTS`: what was to be made is there already.
    AlreadyExists,
    /// `APPENDUID`: where an appended message is now.
    AppendUid(AppendUid),
    /// `AUTHENTICATIONFAILED`: the credentials are wrong.
    AuthenticationFailed,
    /// `AUTHORIZATIONFAILED`: the credentials are right, and do not allow to act for that user.
    AuthorizationFailed,
    /// `BADCHARSET`: the charset of a SEARCH is not known; these are, where the server says so.
    BadCharset(Vec<String>),
    /// `BADEVENT`: NOTIFY does not know an event; these it does. RFC 5465
    BadEvent(String),
    /// `BADURL`: a URL of CATENATE can't be resolved. RFC 4469
    BadUrl(String),
    /// `CANNOT`: the operation is against the server's invariants.
    Cannot,
    /// `CAPABILITY`: what the server can do now.
    Capability(Capabilities),
    /// `CLIENTBUG`: the server thinks the client does something silly.
    ClientBug,
    /// `CLOSED`: the responses from here on are of the newly selected mailbox.
    Closed,
    /// `COMPRESSIONACTIVE`: the connection is compressed already. RFC 4978
    CompressionActive,
    /// `CONTACTADMIN`: the user should ask the administrator for help.
    ContactAdmin,
    /// `COPYUID`: where copied or moved messages are now. Boxed, being by far the largest.
    CopyUid(Box<CopyUid>),
    /// `CORRUPTION`: the server has found its data damaged.
    Corruption,
    /// `EXPIRED`: the credentials are no longer good.
    Expired,
    /// `EXPUNGEISSUED`: some of the messages are gone, by another session.
    ExpungeIssued,
    /// `HASCHILDREN`: a mailbox that has others below it can't be deleted.
    HasChildren,
    /// `HIGHESTMODSEQ`: the highest mod-sequence of the mailbox, never zero. RFC 7162 §3.1.2.1
    HighestModSeq(u64),
    /// `INPROGRESS`: a command takes long. RFC 9585
    InProgress(Option<Progress>),
    /// `INUSE`: another session holds what would be needed; it may work later.
    InUse,
    /// `LIMIT`: the operation goes beyond a limit of the server's.
    Limit,
    /// `MAILBOXID`: the object identifier of a mailbox. RFC 8474 §4.1
    MailboxId(String),
    /// `MESSAGELIMIT`: only so many messages were worked on, down to this UID where it is given. RFC 9738
    MessageLimit {
        /// The most messages for one command.
        limit: u64,
        /// The lowest UID that was worked on.
        last: Option<Uid>,
    },
    /// `METADATA LONGENTRIES`: entries were left out; the largest has this many octets. RFC 5464
    MetadataLongEntries(u64),
    /// `METADATA MAXSIZE`: an entry is larger than this many octets. RFC 5464
    MetadataMaxSize(u64),
    /// `METADATA NOPRIVATE`: the server keeps no private annotations. RFC 5464
    MetadataNoPrivate,
    /// `METADATA TOOMANY`: there are too many annotations. RFC 5464
    MetadataTooMany,
    /// `MODIFIED`: messages a conditional STORE left alone, UIDs or sequence numbers as the command was. RFC 7162 §3.1.3
    Modified(ModifiedSet),
    /// `NOMODSEQ`: the mailbox keeps no mod-sequences; also sent as `HIGHESTMODSEQ 0` (quirk 39). RFC 7162 §3.1.2.2
    NoModSeq,
    /// `NONEXISTENT`: what was to be worked on is not there.
    NonExistent,
    /// `NOPERM`: the access rights are missing.
    NoPerm,
    /// `NOTIFICATIONOVERFLOW`: the server has ended NOTIFY. RFC 5465
    NotificationOverflow,
    /// `NOTSAVED`: the saved search result `$` is empty now.
    NotSaved,
    /// `OVERQUOTA`: it would go beyond the quota, or already has.
    OverQuota,
    /// `PARSE`: the server could not parse a message's header.
    Parse,
    /// `PERMANENTFLAGS`: the flags that can be changed for good; [`Flag::Any`] says that keywords can be made.
    PermanentFlags(Vec<Flag>),
    /// `PRIVACYREQUIRED`: it would be allowed with TLS.
    PrivacyRequired,
    /// `READ-ONLY`: the mailbox can't be changed.
    ReadOnly,
    /// `READ-WRITE`: the mailbox can be changed.
    ReadWrite,
    /// `REFERRAL`: what was to be worked on is elsewhere, at this URL. RFC 2221, RFC 2193
    Referral(String),
    /// `SERVERBUG`: the server has met a bug of its own.
    ServerBug,
    /// `TEMPFAIL`: the server could not do it now. RFC 5259
    TempFail,
    /// `TOOBIG`: the message is too large to be stored. RFC 4469, RFC 7889
    TooBig,
    /// `TRYCREATE`: the target mailbox is not there, and could be made.
    TryCreate,
    /// `UIDNEXT`: the UID the next message gets at the least; `None` where the server does not know (quirk 37).
    UidNext(Option<Uid>),
    /// `UIDNOTSTICKY`: the mailbox does not keep its UIDs.
    UidNotSticky,
    /// `UIDREQUIRED`: the session takes UIDs only. RFC 9586
    UidRequired,
    /// `UIDVALIDITY`: the generation of the UIDs; `None` where the server has none (quirk 36).
    UidValidity(Option<UidValidity>),
    /// `UNAVAILABLE`: something the server depends on is down for now.
    Unavailable,
    /// `UNKNOWN-CTE`: a part can't be decoded. RFC 3516
    UnknownCte,
    /// `UNSEEN`: the first message that was not seen, of RFC 3501; `None` for none (quirk 38).
    Unseen(Option<SeqNum>),
    /// `USEATTR`: a special use is not supported, or taken. RFC 6154
    UseAttr,
    /// Any other code, or one whose arguments can't be read.
    Other {
        /// Its name.
        name: Caseless,
        /// What stood between the name and the closing bracket.
        text: String,
    },
}

impl Code {
    /// Its name, as the RFC has it or as it came.
    pub fn name(&self) -> &str {
        match self {
            Code::Alert => "ALERT",
            Code::AlreadyExists => "ALREADYEXISTS",
            Code::AppendUid(_) => "APPENDUID",
            Code::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Code::AuthorizationFailed => "AUTHORIZATIONFAILED",
            Code::BadCharset(_) => "BADCHARSET",
            Code::BadEvent(_) => "BADEVENT",
            Code::BadUrl(_) => "BADURL",
            Code::Cannot => "CANNOT",
            Code::Capability(_) => "CAPABILITY",
            Code::ClientBug => "CLIENTBUG",
            Code::Closed => "CLOSED",
            Code::CompressionActive => "COMPRESSIONACTIVE",
            Code::ContactAdmin => "CONTACTADMIN",
            Code::CopyUid(_) => "COPYUID",
            Code::Corruption => "CORRUPTION",
            Code::Expired => "EXPIRED",
            Code::ExpungeIssued => "EXPUNGEISSUED",
            Code::HasChildren => "HASCHILDREN",
            Code::HighestModSeq(_) => "HIGHESTMODSEQ",
            Code::InProgress(_) => "INPROGRESS",
            Code::InUse => "INUSE",
            Code::Limit => "LIMIT",
            Code::MailboxId(_) => "MAILBOXID",
            Code::MessageLimit { .. } => "MESSAGELIMIT",
            Code::MetadataLongEntries(_)
            | Code::MetadataMaxSize(_)
            | Code::MetadataNoPrivate
            | Code::MetadataTooMany => "METADATA",
            Code::Modified(_) => "MODIFIED",
            Code::NoModSeq => "NOMODSEQ",
            Code::NonExistent => "NONEXISTENT",
            Code::NoPerm => "NOPERM",
            Code::NotificationOverflow => "NOTIFICATIONOVERFLOW",
            Code::NotSaved => "NOTSAVED",
            Code::OverQuota => "OVERQUOTA",
            Code::Parse => "PARSE",
            Code::PermanentFlags(_) => "PERMANENTFLAGS",
            Code::PrivacyRequired => "PRIVACYREQUIRED",
            Code::ReadOnly => "READ-ONLY",
            Code::ReadWrite => "READ-WRITE",
            Code::Referral(_) => "REFERRAL",
            Code::ServerBug => "SERVERBUG",
            Code::TempFail => "TEMPFAIL",
            Code::TooBig => "TOOBIG",
            Code::TryCreate => "TRYCREATE",
            Code::UidNext(_) => "UIDNEXT",
            Code::UidNotSticky => "UIDNOTSTICKY",
            Code::UidRequired => "UIDREQUIRED",
            Code::UidValidity(_) => "UIDVALIDITY",
            Code::Unavailable => "UNAVAILABLE",
            Code::UnknownCte => "UNKNOWN-CTE",
            Code::Unseen(_) => "UNSEEN",
            Code::UseAttr => "USEATTR",
            Code::Other { name, .. } => name.as_str(),
        }
    }
}

/// Says where appended messages are now.
///
/// RFC 9051 §7.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendUid {
    /// The generation of the UIDs.
    pub uid_validity: UidValidity,
    /// The UIDs, one for each message; more than one after an APPEND of several.
    pub uids: UidSet,
}

/// Says where copied or moved messages are now.
///
/// The first of the source became the first of the destination, and so on, in the order of the wire: see
/// [`pairs`](Self::pairs). RFC 9051 §7.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyUid {
    /// The generation of the UIDs in the destination.
    pub uid_validity: UidValidity,
    /// What was copied, in the mailbox that was selected.
    pub source: UidSequence,
    /// What it is now, in the mailbox copied to.
    pub destination: UidSequence,
}

impl CopyUid {
    /// Each copied UID with what it is now. A server that counts differently on both sides loses the surplus.
    ///
    /// Made while walking; servers can announce billions.
    pub fn pairs(&self) -> impl Iterator<Item = (Uid, Uid)> + '_ {
        self.source.iter().zip(self.destination.iter())
    }

    /// True when both sides have equally many, as they must.
    pub fn is_consistent(&self) -> bool {
        self.source.len() == self.destination.len()
    }
}

/// Holds ranges of UIDs in the order they came in, where that order means something.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UidSequence(Vec<(Uid, Uid)>);

impl UidSequence {
    /// The ranges, both ends included, each ascending.
    pub fn ranges(&self) -> &[(Uid, Uid)] {
        &self.0
    }

    /// The UIDs, in the order they came in.
    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.0.iter().flat_map(|(low, high)| (low.get()..=high.get()).filter_map(Uid::new))
    }

    /// How many UIDs there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|(low, high)| u64::from(high.get().saturating_sub(low.get())) + 1).sum()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The UIDs without their order.
    pub fn to_set(&self) -> UidSet {
        let mut set = UidSet::new();
        set.extend_ranges(self.0.iter().copied());
        set
    }
}

impl From<Vec<(Uid, Uid)>> for UidSequence {
    /// Takes ranges in order; a reversed one is turned.
    fn from(mut ranges: Vec<(Uid, Uid)>) -> Self {
        for (low, high) in &mut ranges {
            if *low > *high {
                core::mem::swap(low, high);
            }
        }
        UidSequence(ranges)
    }
}

/// Holds the messages of `MODIFIED`, which are UIDs or sequence numbers as the command was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModifiedSet(UidSet);

impl ModifiedSet {
    pub(crate) fn new(numbers: UidSet) -> Self {
        ModifiedSet(numbers)
    }

    /// The messages, when the command was UID STORE.
    pub fn uids(&self) -> &UidSet {
        &self.0
    }

    /// The messages, when the command was STORE.
    pub fn seq_nums(&self) -> Set<SeqNum> {
        let number = |uid: Uid| SeqNum::new(uid.get()).unwrap_or(SeqNum::MIN);
        let mut set = Set::new();
        set.extend_ranges(self.0.ranges().map(|(low, high)| (number(low), number(high))));
        set
    }
}

/// Says how far a long command is.
///
/// RFC 9585 §4
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The tag of the command, where the server names it.
    pub tag: Option<String>,
    /// How much is done, in units of the server's.
    pub done: Option<u64>,
    /// How much there is to do.
    pub goal: Option<u64>,
}
