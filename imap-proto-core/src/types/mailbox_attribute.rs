use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

use super::{Caseless, InvalidFlag};
use crate::wire::{decode, is_atom};

/// Says something about a mailbox, or about its place among the others.
///
/// RFC 9051 §7.3.1; compared without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum MailboxAttribute {
    /// `\NonExistent`: the name stands for no mailbox, but may have others below it.
    NonExistent,
    /// `\Noselect`: it can't be selected.
    NoSelect,
    /// `\Noinferiors`: there is nothing below it, and nothing can be made there.
    NoInferiors,
    /// `\HasChildren`: there are others below it that the user may see.
    HasChildren,
    /// `\HasNoChildren`: there are none.
    HasNoChildren,
    /// `\Marked`: it may hold messages that came since it was last selected.
    Marked,
    /// `\Unmarked`: it holds none such.
    Unmarked,
    /// `\Subscribed`: the user has subscribed to it.
    Subscribed,
    /// `\Remote`: it is on another server.
    Remote,
    /// `\Inbox` of XLIST: it is the INBOX, whatever it is called here.
    Inbox,
    /// What it is used for. RFC 6154
    Use(SpecialUse),
    /// Any other, without its backslash.
    Other(Caseless),
}

/// Says what a mailbox is used for.
///
/// RFC 6154 §2 and RFC 8457
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpecialUse {
    /// `\All`: it shows all messages.
    All,
    /// `\Archive`: messages are archived here.
    Archive,
    /// `\Drafts`: messages that are being written.
    Drafts,
    /// `\Flagged`: it shows the messages with a flag.
    Flagged,
    /// `\Important`: it shows what matters to the user.
    Important,
    /// `\Junk`: what is taken for junk.
    Junk,
    /// `\Sent`: copies of what was sent.
    Sent,
    /// `\Trash`: what was thrown away.
    Trash,
    /// Another one, without its backslash, to be asked for in a CREATE. What a server lists is
    /// [`MailboxAttribute::Other`] instead, since nothing tells it from other attributes.
    Other(SpecialUseName),
}

/// Names a special use of no fixed meaning: an atom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpecialUseName(Caseless);

impl SpecialUseName {
    /// Returns the name, given without its backslash.
    ///
    /// # Errors
    /// [`InvalidFlag`] when it is no atom.
    pub fn new(name: &str) -> Result<Self, InvalidFlag> {
        if is_atom(name.as_bytes()) { Ok(SpecialUseName(Caseless::new(name))) } else { Err(InvalidFlag) }
    }
}

impl fmt::Display for SpecialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            SpecialUse::All => "All",
            SpecialUse::Archive => "Archive",
            SpecialUse::Drafts => "Drafts",
            SpecialUse::Flagged => "Flagged",
            SpecialUse::Important => "Important",
            SpecialUse::Junk => "Junk",
            SpecialUse::Sent => "Sent",
            SpecialUse::Trash => "Trash",
            SpecialUse::Other(SpecialUseName(name)) => name.as_str(),
        };
        write!(f, "\\{name}")
    }
}

/// All with a place in the set, and their names; the first with an attribute is how it is shown.
static KNOWN: [(&str, MailboxAttribute); 23] = [
    ("NonExistent", MailboxAttribute::NonExistent),
    ("Noselect", MailboxAttribute::NoSelect),
    ("Noinferiors", MailboxAttribute::NoInferiors),
    ("HasChildren", MailboxAttribute::HasChildren),
    ("HasNoChildren", MailboxAttribute::HasNoChildren),
    ("Marked", MailboxAttribute::Marked),
    ("Unmarked", MailboxAttribute::Unmarked),
    ("Subscribed", MailboxAttribute::Subscribed),
    ("Remote", MailboxAttribute::Remote),
    ("Inbox", MailboxAttribute::Inbox),
    ("All", MailboxAttribute::Use(SpecialUse::All)),
    ("Archive", MailboxAttribute::Use(SpecialUse::Archive)),
    ("Drafts", MailboxAttribute::Use(SpecialUse::Drafts)),
    ("Flagged", MailboxAttribute::Use(SpecialUse::Flagged)),
    ("Important", MailboxAttribute::Use(SpecialUse::Important)),
    ("Junk", MailboxAttribute::Use(SpecialUse::Junk)),
    ("Sent", MailboxAttribute::Use(SpecialUse::Sent)),
    ("Trash", MailboxAttribute::Use(SpecialUse::Trash)),
    // XLIST (quirk 69).
    ("AllMail", MailboxAttribute::Use(SpecialUse::All)),
    ("Starred", MailboxAttribute::Use(SpecialUse::Flagged)),
    ("Spam", MailboxAttribute::Use(SpecialUse::Junk)),
    ("SentMail", MailboxAttribute::Use(SpecialUse::Sent)),
    ("Bin", MailboxAttribute::Use(SpecialUse::Trash)),
];

impl MailboxAttribute {
    /// Reads an attribute in any case, with its backslash or without (quirk 67), under its name of today or of XLIST
    /// (quirk 69).
    pub fn from_wire(wire: &[u8]) -> Self {
        let name = wire.strip_prefix(b"\\").unwrap_or(wire);
        match KNOWN.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)) {
            Some((_, attribute)) => attribute.clone(),
            None => MailboxAttribute::Other(Caseless::new(decode(name))),
        }
    }

    /// Its bit in the set; `None` for those of no fixed meaning.
    fn bit(&self) -> Option<u32> {
        KNOWN.iter().position(|(_, attribute)| attribute == self).map(|at| 1 << at)
    }
}

impl fmt::Display for MailboxAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MailboxAttribute::Other(name) => write!(f, "\\{name}"),
            MailboxAttribute::Use(special_use) => special_use.fmt(f),
            known => {
                let known = KNOWN.iter().find(|(_, attribute)| attribute == known);
                write!(f, "\\{}", known.map_or("", |(name, _)| name))
            }
        }
    }
}

/// Holds the attributes of a mailbox, each once.
///
/// ```
/// use imap_proto_core::types::{MailboxAttribute, MailboxAttributes, SpecialUse};
///
/// let attributes: MailboxAttributes = ["\\NONEXISTENT", "\\Sent", "X"].map(|name| MailboxAttribute::from_wire(name.as_bytes())).into_iter().collect();
/// assert!(attributes.has(&MailboxAttribute::NoSelect), "what is not there can't be selected");
/// assert_eq!(attributes.special_uses().next(), None, "nor used for anything");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MailboxAttributes {
    known: u32,
    others: Vec<Caseless>,
}

impl MailboxAttributes {
    /// True when the attribute was said, or follows from what was: `\NonExistent` implies `\Noselect` (quirk 68), and
    /// `\Noinferiors` implies `\HasNoChildren`. RFC 9051 §7.3.1
    pub fn has(&self, attribute: &MailboxAttribute) -> bool {
        let was_said = |attribute: &MailboxAttribute| attribute.bit().is_some_and(|bit| self.known & bit != 0);
        match attribute {
            MailboxAttribute::Other(name) => self.others.contains(name),
            MailboxAttribute::NoSelect => was_said(attribute) || was_said(&MailboxAttribute::NonExistent),
            MailboxAttribute::HasNoChildren => was_said(attribute) || was_said(&MailboxAttribute::NoInferiors),
            known => was_said(known),
        }
    }

    /// What the server said, each once.
    pub fn iter(&self) -> impl Iterator<Item = MailboxAttribute> + '_ {
        let known = KNOWN.iter().enumerate().filter(|(at, _)| self.known & (1 << at) != 0);
        let known = known.map(|(_, (_, attribute))| attribute.clone());
        known.chain(self.others.iter().cloned().map(MailboxAttribute::Other))
    }

    /// What the mailbox is used for; nothing where it does not exist (quirk 68).
    pub fn special_uses(&self) -> impl Iterator<Item = SpecialUse> + '_ {
        let exists = !self.has(&MailboxAttribute::NonExistent);
        self.iter().filter(move |_| exists).filter_map(|attribute| match attribute {
            MailboxAttribute::Use(special_use) => Some(special_use),
            _ => None,
        })
    }

    /// True when the server said none.
    pub fn is_empty(&self) -> bool {
        self.known == 0 && self.others.is_empty()
    }

    pub(crate) fn insert(&mut self, attribute: MailboxAttribute) {
        match (attribute.bit(), attribute) {
            (Some(bit), _) => self.known |= bit,
            (None, MailboxAttribute::Other(name)) if !self.others.contains(&name) => self.others.push(name),
            // A special use of no fixed meaning is one of the others.
            (None, MailboxAttribute::Use(SpecialUse::Other(SpecialUseName(name)))) if !self.others.contains(&name) => {
                self.others.push(name);
            }
            (None, _) => {}
        }
    }

    /// True where there is one that may be a use this crate does not know.
    pub(crate) fn may_have_use(&self) -> bool {
        self.special_uses().next().is_some() || !self.others.is_empty()
    }
}

impl FromIterator<MailboxAttribute> for MailboxAttributes {
    fn from_iter<I: IntoIterator<Item = MailboxAttribute>>(attributes: I) -> Self {
        let mut set = MailboxAttributes::default();
        // A server may say a million: not each is compared with all before it.
        let mut others = BTreeSet::new();
        for attribute in attributes {
            match attribute {
                MailboxAttribute::Other(name) | MailboxAttribute::Use(SpecialUse::Other(SpecialUseName(name))) => {
                    if others.insert(name.clone()) {
                        set.others.push(name);
                    }
                }
                known => set.insert(known),
            }
        }
        set
    }
}

impl fmt::Debug for MailboxAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|attribute| attribute.to_string())).finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn set(names: &[&str]) -> MailboxAttributes {
        names.iter().map(|name| MailboxAttribute::from_wire(name.as_bytes())).collect()
    }

    #[test]
    fn quirk_67_attributes_are_a_set_in_any_case_and_without_backslashes() {
        let table: [(&[&str], &str); 6] = [
            (&["HasNoChildren", "UnMarked"], r"\HasNoChildren \Unmarked"),
            (&["\\haschildren", "\\HASCHILDREN", "HasChildren"], r"\HasChildren"),
            (&["\\X-New", "x-new", "\\x-NEW"], r"\X-New"),
            (&["\\NoSelect", "\\noinferiors"], r"\Noselect \Noinferiors"),
            (&["\\Remote", "\\Subscribed", "\\Marked"], r"\Marked \Subscribed \Remote"),
            (&[], ""),
        ];
        for (names, expected) in table {
            let shown: Vec<String> = set(names).iter().map(|attribute| attribute.to_string()).collect();
            assert_eq!(shown.join(" "), expected);
        }
    }

    #[test]
    fn quirk_68_what_does_not_exist_is_not_selectable_and_has_no_use() {
        let attributes = set(&["\\NonExistent", "\\Sent"]);
        assert!(attributes.has(&MailboxAttribute::NoSelect));
        assert_eq!(attributes.special_uses().count(), 0);
        assert!(attributes.has(&MailboxAttribute::Use(SpecialUse::Sent)), "what was said is kept");
        assert!(set(&["\\Noinferiors"]).has(&MailboxAttribute::HasNoChildren));
    }

    #[test]
    fn quirk_69_names_of_xlist_are_mapped() {
        let table = [
            ("\\AllMail", SpecialUse::All),
            ("\\Spam", SpecialUse::Junk),
            ("\\Starred", SpecialUse::Flagged),
            ("\\Important", SpecialUse::Important),
            ("\\Trash", SpecialUse::Trash),
        ];
        for (name, special_use) in table {
            assert_eq!(set(&[name]).special_uses().collect::<Vec<_>>(), [special_use]);
        }
        assert!(set(&["\\Inbox"]).has(&MailboxAttribute::Inbox));
    }

    #[test]
    fn the_name_of_a_use_is_an_atom() {
        assert_eq!(SpecialUse::Other(SpecialUseName::new("X-Snoozed").unwrap()).to_string(), "\\X-Snoozed");
        for name in ["", "\\Sent", "a b", "a)", "a\r\nb"] {
            assert!(SpecialUseName::new(name).is_err(), "{name:?}");
        }
    }
}
