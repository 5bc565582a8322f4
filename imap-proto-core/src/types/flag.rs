use alloc::string::String;
use core::fmt;

use super::Caseless;
use crate::wire::{decode, is_atom};

/// Marks a message, by what IMAP defines or by a keyword of anybody's.
///
/// Compared without case. RFC 9051 §2.3.2
///
/// Servers send more than may be sent to them; whatever came is kept, and [`is_storable`](Self::is_storable) says whether
/// a STORE or APPEND may carry it.
///
/// ```
/// use imap_proto_core::types::Flag;
///
/// assert_eq!(Flag::from_wire(b"\\SEEN"), Flag::Seen);
/// assert_eq!(Flag::keyword("$junk")?, Flag::Junk);
/// assert!(Flag::keyword("two words").is_err());
/// # Ok::<(), imap_proto_core::types::InvalidFlag>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Flag {
    /// `\Seen`: it has been read.
    Seen,
    /// `\Answered`: it has been answered.
    Answered,
    /// `\Flagged`: it wants attention.
    Flagged,
    /// `\Deleted`: the next EXPUNGE removes it.
    Deleted,
    /// `\Draft`: it is not finished.
    Draft,
    /// `\Recent`: this session was the first to see it. Of RFC 3501; the server alone sets it.
    Recent,
    /// `$Forwarded`: it has been forwarded.
    Forwarded,
    /// `$MDNSent`: a disposition notification was sent for it.
    MdnSent,
    /// `$Junk`: the user takes it for junk.
    Junk,
    /// `$NotJunk`: the user does not take it for junk.
    NotJunk,
    /// `$Phishing`: it is likely to be phishing.
    Phishing,
    /// `$Important`: it is likely to be important. RFC 8457
    Important,
    /// Any other keyword.
    Keyword(Keyword),
    /// Any other flag that begins with a backslash, which is kept for extensions.
    Extension(Keyword),
    /// `\*` among permanent flags: clients may create keywords.
    Any,
    /// What a server sent as a flag and is none (quirk 87). It can't be sent.
    Odd(Caseless),
}

/// Names a flag of no fixed meaning: an atom, without a backslash before it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyword(Caseless);

/// Says that a text can't be a keyword: it is empty, or holds more than atoms may.
///
/// RFC 9051 §9, `flag-keyword`
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keyword is no atom")]
pub struct InvalidFlag;

static KNOWN: [(Flag, &str); 12] = [
    (Flag::Seen, "\\Seen"),
    (Flag::Answered, "\\Answered"),
    (Flag::Flagged, "\\Flagged"),
    (Flag::Deleted, "\\Deleted"),
    (Flag::Draft, "\\Draft"),
    (Flag::Recent, "\\Recent"),
    (Flag::Forwarded, "$Forwarded"),
    (Flag::MdnSent, "$MDNSent"),
    (Flag::Junk, "$Junk"),
    (Flag::NotJunk, "$NotJunk"),
    (Flag::Phishing, "$Phishing"),
    (Flag::Important, "$Important"),
];

impl Flag {
    /// Returns the keyword of this name, which may be a known one such as `$Junk`.
    ///
    /// # Errors
    /// [`InvalidFlag`] when it is no atom.
    pub fn keyword(name: &str) -> Result<Flag, InvalidFlag> {
        match Flag::from_wire(name.as_bytes()) {
            Flag::Extension(_) | Flag::Odd(_) | Flag::Any => Err(InvalidFlag),
            _ if name.starts_with('\\') => Err(InvalidFlag),
            flag => Ok(flag),
        }
    }

    /// Reads a flag as a server sent it; whatever it is, it is kept.
    pub fn from_wire(wire: &[u8]) -> Flag {
        if let Some((known, _)) = KNOWN.iter().find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(wire)) {
            return known.clone();
        }
        let caseless = |wire| Caseless::new(decode(wire));
        match wire {
            b"\\*" => Flag::Any,
            [b'\\', name @ ..] if is_atom(name) => Flag::Extension(Keyword(caseless(name))),
            name if is_atom(name) => Flag::Keyword(Keyword(caseless(name))),
            odd => Flag::Odd(caseless(odd)),
        }
    }

    /// True when a client may send it: not so for `\Recent`, `\*` and what is no flag at all.
    pub fn is_storable(&self) -> bool {
        !matches!(self, Flag::Recent | Flag::Any | Flag::Odd(_))
    }

    /// True for those without a backslash, which SEARCH knows as `KEYWORD`.
    pub fn is_keyword(&self) -> bool {
        match self {
            Flag::Keyword(_) => true,
            known => known.known_name().is_some_and(|name| name.starts_with('$')),
        }
    }

    /// The flag as a keyword; `None` for those that are none.
    pub fn to_keyword(&self) -> Option<Keyword> {
        match self {
            Flag::Keyword(keyword) => Some(keyword.clone()),
            known => Keyword::new(known.known_name()?).ok(),
        }
    }

    fn known_name(&self) -> Option<&'static str> {
        KNOWN.iter().find(|(flag, _)| flag == self).map(|(_, name)| *name)
    }
}

/// One flag where several may stand: `Store::add(Flag::Seen)`.
impl IntoIterator for Flag {
    type Item = Flag;
    type IntoIter = core::iter::Once<Flag>;

    fn into_iter(self) -> Self::IntoIter {
        core::iter::once(self)
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flag::Keyword(name) => name.fmt(f),
            Flag::Extension(name) => write!(f, "\\{name}"),
            Flag::Any => f.write_str("\\*"),
            Flag::Odd(text) => text.fmt(f),
            known => f.write_str(known.known_name().unwrap_or_default()),
        }
    }
}

impl fmt::Debug for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flag::Odd(text) => write!(f, "Odd({text:?})"),
            flag => fmt::Display::fmt(flag, f),
        }
    }
}

impl Keyword {
    /// Returns the keyword.
    ///
    /// # Errors
    /// [`InvalidFlag`] when it is no atom.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidFlag> {
        let name = name.into();
        if is_atom(name.as_bytes()) { Ok(Keyword(Caseless::new(name))) } else { Err(InvalidFlag) }
    }

    /// The keyword, in the case it came in.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn flags_are_read_in_any_case() {
        for (flag, name) in &KNOWN {
            for wire in [name.to_string(), name.to_uppercase(), name.to_lowercase()] {
                assert_eq!(Flag::from_wire(wire.as_bytes()), *flag);
            }
            assert_eq!(flag.to_string(), *name);
        }
        assert_eq!(Flag::from_wire(b"Work"), Flag::from_wire(b"WORK"));
        assert_eq!(Flag::from_wire(b"\\*"), Flag::Any);
    }

    #[test]
    fn odd_flags_are_kept_and_not_sent() {
        for wire in ["[x]", "+", "a b", "", "\\", "é", "\\Seen\\Draft", "a\r\nb LOGOUT"] {
            let flag = Flag::from_wire(wire.as_bytes());
            assert_eq!(flag.to_string(), wire);
            assert_eq!(flag.is_storable(), matches!(wire, "[x" | "+"), "{wire:?}");
        }
    }

    #[test]
    fn a_keyword_is_an_atom() {
        assert!(Flag::keyword("Work").is_ok_and(|flag| flag.is_keyword()));
        assert!(Flag::keyword("$notjunk").is_ok_and(|flag| flag.is_keyword()));
        for name in ["\\Seen", "\\*", "\\New", "", "a b", "a)", "a\"", "é", "a\r\nb", "a]"] {
            assert_eq!(Flag::keyword(name), Err(InvalidFlag), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_shown_again(wire in "[a-zA-Z$\\\\\\[\\]* ]{0,10}") {
            let shown = Flag::from_wire(wire.as_bytes()).to_string();
            prop_assert!(shown.eq_ignore_ascii_case(&wire));
        }
    }
}
