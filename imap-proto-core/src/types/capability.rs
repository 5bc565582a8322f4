use alloc::collections::BTreeSet;
use alloc::collections::btree_set;
use core::fmt;

use super::Caseless;
use crate::wire::grammar::capability::{capability, capability_list};

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Names something a server can do.
        ///
        /// RFC 9051 §7.2.2; each variant says where it is defined.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Capability {
            $($(#[$doc])* $variant,)*
            /// `AUTH=…`: a SASL mechanism that AUTHENTICATE takes. RFC 9051 §6.2.2
            Auth(Caseless),
            /// `THREAD=…`: an algorithm that THREAD takes. RFC 5256
            Thread(Caseless),
            /// `APPENDLIMIT`: the largest message in octets that APPEND takes, where it is one for all. RFC 7889
            AppendLimit(Option<u64>),
            /// One that has no variant here.
            Other(Caseless),
        }

        /// The names of all that take no value.
        static NAMES: &[(&str, Capability)] = &[$(($name, Capability::$variant),)*];

        /// Their indices in [`NAMES`].
        enum Index { $($variant,)* }

        impl Capability {
            /// Where it is among those that take no value.
            fn index(&self) -> Option<usize> {
                match self {
                    $(Capability::$variant => Some(Index::$variant as usize),)*
                    _ => None,
                }
            }
        }
    };
}

capabilities! {
    /// RFC 3501
    Imap4Rev1 = "IMAP4rev1",
    /// RFC 9051
    Imap4Rev2 = "IMAP4rev2",
    /// TLS can be taken up on this connection. RFC 9051 §6.2.1
    StartTls = "STARTTLS",
    /// LOGIN is refused for now. RFC 9051 §6.2.3
    LoginDisabled = "LOGINDISABLED",
    /// AUTHENTICATE takes an initial response. RFC 4959
    SaslIr = "SASL-IR",
    /// Literals need not wait for the server. RFC 7888
    LiteralPlus = "LITERAL+",
    /// Literals of up to 4096 octets need not wait for the server. RFC 7888
    LiteralMinus = "LITERAL-",
    /// RFC 5161
    Enable = "ENABLE",
    /// RFC 2177
    Idle = "IDLE",
    /// RFC 2971
    Id = "ID",
    /// RFC 2342
    Namespace = "NAMESPACE",
    /// RFC 4315
    UidPlus = "UIDPLUS",
    /// RFC 6851
    Move = "MOVE",
    /// RFC 3691
    Unselect = "UNSELECT",
    /// RFC 4731
    Esearch = "ESEARCH",
    /// RFC 7377
    MultiSearch = "MULTISEARCH",
    /// RFC 5182
    SearchRes = "SEARCHRES",
    /// RFC 6203
    SearchFuzzy = "SEARCH=FUZZY",
    /// RFC 5267
    ContextSearch = "CONTEXT=SEARCH",
    /// RFC 5267
    ContextSort = "CONTEXT=SORT",
    /// RFC 5267
    Esort = "ESORT",
    /// RFC 5032
    Within = "WITHIN",
    /// RFC 5466
    Filters = "FILTERS",
    /// RFC 9394
    Partial = "PARTIAL",
    /// RFC 5256
    Sort = "SORT",
    /// RFC 5957
    SortDisplay = "SORT=DISPLAY",
    /// RFC 7162
    CondStore = "CONDSTORE",
    /// RFC 7162
    Qresync = "QRESYNC",
    /// RFC 9586
    UidOnly = "UIDONLY",
    /// RFC 3348
    Children = "CHILDREN",
    /// RFC 5258
    ListExtended = "LIST-EXTENDED",
    /// RFC 5819
    ListStatus = "LIST-STATUS",
    /// RFC 8440
    ListMyRights = "LIST-MYRIGHTS",
    /// RFC 9590
    ListMetadata = "LIST-METADATA",
    /// RFC 6154
    SpecialUse = "SPECIAL-USE",
    /// RFC 6154
    CreateSpecialUse = "CREATE-SPECIAL-USE",
    /// RFC 8438
    StatusSize = "STATUS=SIZE",
    /// RFC 3516
    Binary = "BINARY",
    /// RFC 3502
    MultiAppend = "MULTIAPPEND",
    /// RFC 4469
    Catenate = "CATENATE",
    /// RFC 8508
    Replace = "REPLACE",
    /// RFC 4978
    CompressDeflate = "COMPRESS=DEFLATE",
    /// RFC 6855
    Utf8Accept = "UTF8=ACCEPT",
    /// RFC 6855
    Utf8Only = "UTF8=ONLY",
    /// RFC 8474
    ObjectId = "OBJECTID",
    /// RFC 8970
    Preview = "PREVIEW",
    /// RFC 8514
    SaveDate = "SAVEDATE",
    /// RFC 9208
    Quota = "QUOTA",
    /// RFC 9208
    QuotaSet = "QUOTASET",
    /// RFC 4314
    Acl = "ACL",
    /// RFC 5464
    Metadata = "METADATA",
    /// RFC 5464
    MetadataServer = "METADATA-SERVER",
    /// RFC 5465
    Notify = "NOTIFY",
    /// RFC 5255
    Language = "LANGUAGE",
    /// RFC 5255
    I18nLevel1 = "I18NLEVEL=1",
    /// RFC 5255
    I18nLevel2 = "I18NLEVEL=2",
    /// RFC 5259
    Convert = "CONVERT",
    /// RFC 4467
    UrlAuth = "URLAUTH",
    /// RFC 2221
    LoginReferrals = "LOGIN-REFERRALS",
    /// RFC 2193
    MailboxReferrals = "MAILBOX-REFERRALS",
    /// RFC 8437
    Unauthenticate = "UNAUTHENTICATE",
    /// RFC 9585
    InProgress = "INPROGRESS",
    /// Gmail's labels, message and thread identifiers.
    GmailExtensions = "X-GM-EXT-1",
    /// The LIST with special uses that came before RFC 6154.
    Xlist = "XLIST",
}

impl Capability {
    /// Reads one capability, in any case.
    pub fn from_wire(wire: &[u8]) -> Self {
        capability(wire)
    }

    /// The one of this name that takes no value.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        NAMES.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(_, known)| known.clone())
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Capability::Auth(mechanism) => write!(f, "AUTH={mechanism}"),
            Capability::Thread(algorithm) => write!(f, "THREAD={algorithm}"),
            Capability::AppendLimit(None) => f.write_str("APPENDLIMIT"),
            Capability::AppendLimit(Some(limit)) => write!(f, "APPENDLIMIT={limit}"),
            Capability::Other(name) => name.fmt(f),
            known => {
                let name = known.index().and_then(|index| NAMES.get(index));
                f.write_str(name.map_or("", |(name, _)| name))
            }
        }
    }
}

/// What IMAP4rev2 includes, of BINARY no more than FETCH. RFC 9051 appendices B and E
const INCLUDED: &[Capability] = &[
    Capability::Binary,
    Capability::Children,
    Capability::Enable,
    Capability::Esearch,
    Capability::Idle,
    Capability::ListExtended,
    Capability::ListStatus,
    Capability::LiteralMinus,
    Capability::Move,
    Capability::Namespace,
    Capability::SaslIr,
    Capability::SearchRes,
    Capability::SpecialUse,
    Capability::StatusSize,
    Capability::UidPlus,
    Capability::Unselect,
];

/// Says which literals a client may send without waiting for the server.
///
/// RFC 7888
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Literals {
    /// None: each waits for a `+`.
    #[default]
    Synchronizing,
    /// Those of up to 4096 octets.
    Minus,
    /// All.
    Plus,
}

/// Holds what a server says it can do.
///
/// ```
/// use imap_proto_core::types::{Capabilities, Capability, Literals};
///
/// let capabilities = Capabilities::from_wire(b"IMAP4rev1 LITERAL+ AUTH=PLAIN idle");
/// assert!(capabilities.has(&Capability::Idle));
/// assert_eq!(capabilities.literals(), Literals::Plus);
/// assert_eq!(capabilities.auth_mechanisms().collect::<Vec<_>>(), ["PLAIN"]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// A bit for each of [`NAMES`]: servers have dozens of them, and a client may have thousands of connections.
    known: u128,
    others: BTreeSet<Capability>,
}

impl Capabilities {
    /// Returns the empty set.
    pub const fn new() -> Self {
        Capabilities { known: 0, others: BTreeSet::new() }
    }

    /// Reads the capabilities of a list, in any case and with any spaces between them (quirks 4, 22, 57).
    pub fn from_wire(wire: &[u8]) -> Self {
        capability_list(wire)
    }

    /// True when it is among them. One with a value, such as a mechanism, is asked for with its value.
    pub fn has(&self, capability: &Capability) -> bool {
        match capability.index() {
            Some(index) => self.known & (1 << index) != 0,
            None => self.others.contains(capability),
        }
    }

    /// True when the server does what it names: because it says so, or because IMAP4rev2 includes it.
    ///
    /// RFC 9051 appendix E
    pub fn offers(&self, capability: &Capability) -> bool {
        self.has(capability)
            || (self.has(&Capability::Imap4Rev2) && INCLUDED.contains(capability))
            // RFC 7162 §3.2: QRESYNC has all of CONDSTORE, named or not.
            || (*capability == Capability::CondStore && self.has(&Capability::Qresync))
    }

    /// Adds one; the answer is whether it is new.
    pub fn insert(&mut self, capability: Capability) -> bool {
        let Some(index) = capability.index() else { return self.others.insert(capability) };
        let is_new = self.known & (1 << index) == 0;
        self.known |= 1 << index;
        is_new
    }

    /// Adds all that are known here, and of others as many as there is room for.
    pub(crate) fn extend_to(&mut self, most: usize, capabilities: impl IntoIterator<Item = Capability>) {
        for capability in capabilities {
            let len = self.known.count_ones() as usize + self.others.len();
            if len < most || capability.index().is_some() {
                self.insert(capability);
            }
        }
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.known == 0 && self.others.is_empty()
    }

    /// All of them, each once, in no order that means anything.
    pub fn iter(&self) -> CapabilitiesIter<'_> {
        CapabilitiesIter { known: self.known, others: self.others.iter() }
    }

    /// The names of the SASL mechanisms.
    pub fn auth_mechanisms(&self) -> impl Iterator<Item = &str> + '_ {
        self.iter().filter_map(|capability| match capability {
            Capability::Auth(mechanism) => Some(mechanism.as_str()),
            _ => None,
        })
    }

    /// True when AUTHENTICATE takes this mechanism.
    pub fn has_auth(&self, mechanism: &str) -> bool {
        self.auth_mechanisms().any(|known| known.eq_ignore_ascii_case(mechanism))
    }

    /// The largest message in octets that APPEND takes, where the server names one for all mailboxes.
    pub fn append_limit(&self) -> Option<u64> {
        self.iter().find_map(|capability| match capability {
            Capability::AppendLimit(limit) => *limit,
            _ => None,
        })
    }

    /// Which literals may be sent without waiting. IMAP4rev2 includes `LITERAL-`. RFC 9051 §4.3
    pub fn literals(&self) -> Literals {
        if self.has(&Capability::LiteralPlus) {
            Literals::Plus
        } else if self.has(&Capability::LiteralMinus) || self.has(&Capability::Imap4Rev2) {
            Literals::Minus
        } else {
            Literals::Synchronizing
        }
    }
}

impl Extend<Capability> for Capabilities {
    fn extend<I: IntoIterator<Item = Capability>>(&mut self, capabilities: I) {
        capabilities.into_iter().for_each(|capability| {
            self.insert(capability);
        });
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        let mut all = Capabilities::new();
        all.extend(capabilities);
        all
    }
}

impl<'a> IntoIterator for &'a Capabilities {
    type Item = &'a Capability;
    type IntoIter = CapabilitiesIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Goes through [`Capabilities`].
#[derive(Clone, Debug)]
pub struct CapabilitiesIter<'a> {
    known: u128,
    others: btree_set::Iter<'a, Capability>,
}

impl<'a> Iterator for CapabilitiesIter<'a> {
    type Item = &'a Capability;

    fn next(&mut self) -> Option<&'a Capability> {
        let Some((_, known)) = NAMES.get(self.known.trailing_zeros() as usize) else { return self.others.next() };
        self.known &= self.known - 1;
        Some(known)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut space = "";
        for capability in self {
            write!(f, "{space}{capability}")?;
            space = " ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn every_capability_is_read_as_it_is_shown() {
        for (name, capability) in NAMES {
            assert_eq!(&Capability::from_wire(name.to_ascii_lowercase().as_bytes()), capability);
            assert_eq!(capability.to_string(), *name);
        }
        for name in ["AUTH=SCRAM-SHA-256", "THREAD=REFERENCES", "APPENDLIMIT=42", "APPENDLIMIT", "X-NEW"] {
            assert_eq!(Capability::from_wire(name.as_bytes()).to_string(), name);
        }
    }

    #[test]
    fn each_is_in_the_set_once_and_no_other() {
        assert!(NAMES.len() < 128, "there is a bit for each");
        for (at, (name, capability)) in NAMES.iter().enumerate() {
            assert_eq!(capability.index(), Some(at), "{name}");
            let mut one = Capabilities::from_wire(name.as_bytes());
            assert!(one.iter().eq([capability]) && one.has(capability) && !one.insert(capability.clone()));
            assert!(one.insert(Capability::Other("X".into())) && !one.insert(Capability::Other("x".into())));
            assert_eq!(one.to_string(), [name, "X"].join(" "));
        }
        let all: Capabilities = NAMES.iter().map(|(_, capability)| capability.clone()).collect();
        assert!(all.iter().eq(NAMES.iter().map(|(_, capability)| capability)));
        assert!(Capabilities::new().is_empty() && Capabilities::new().iter().next().is_none());
    }

    #[test]
    fn literals_take_the_best_offer() {
        let table = [
            ("IMAP4rev1", Literals::Synchronizing),
            ("IMAP4rev1 LITERAL-", Literals::Minus),
            ("IMAP4rev2", Literals::Minus),
            ("IMAP4rev2 literal+ LITERAL-", Literals::Plus),
            ("LITERAL + ", Literals::Synchronizing),
        ];
        for (wire, literals) in table {
            assert_eq!(Capabilities::from_wire(wire.as_bytes()).literals(), literals, "{wire}");
        }
    }

    #[test]
    fn mechanisms_are_asked_for_in_any_case() {
        let capabilities = Capabilities::from_wire(b"auth=plain AUTH=XOAUTH2 auth=PLAIN APPENDLIMIT APPENDLIMIT=7");
        assert_eq!(capabilities.auth_mechanisms().collect::<Vec<_>>(), ["plain", "XOAUTH2"]);
        assert!(capabilities.has_auth("Plain") && capabilities.has(&Capability::Auth("PLAIN".into())));
        assert_eq!(capabilities.append_limit(), Some(7));
    }
}
