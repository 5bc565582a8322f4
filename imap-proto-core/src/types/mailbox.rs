use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::wire::{decode, mutf7};

const INBOX: &str = "INBOX";

/// Names a mailbox, in Unicode whatever the wire form.
///
/// `INBOX` is the same in any case and kept in capitals. All other names are compared exactly, hierarchy included;
/// the delimiter is the server's. RFC 9051 §5.1
///
/// A name that a server sent in a form that is no modified UTF-7, or not the shortest, keeps its octets and goes back as it
/// came. It equals only itself, not the name a user would write in the same characters.
///
/// ```
/// use imap_proto_core::types::MailboxName;
///
/// let drafts = MailboxName::new("Entwürfe")?;
/// assert_eq!(&*drafts.to_wire(), b"Entw&APw-rfe");
/// assert_eq!(MailboxName::new("inbox")?, MailboxName::inbox());
/// # Ok::<(), imap_proto_core::types::InvalidName>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName {
    text: String,
    /// What came on the wire, where encoding the text would give something else.
    raw: Option<Vec<u8>>,
}

/// Says why a text can't name a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// It has no characters.
    #[error("mailbox name is empty")]
    Empty,
    /// It holds NUL, which no string of IMAP can carry, or CR or LF, which many servers choke on.
    #[error("mailbox name holds a NUL, CR or LF")]
    Control,
    /// What is to be one level of it holds the delimiter.
    #[error("a level of a mailbox name holds the delimiter")]
    Delimiter,
    /// It is to have several levels where there is but one.
    #[error("mailbox names have no levels here")]
    NoLevels,
}

impl MailboxName {
    /// Returns the name, with `INBOX` in capitals.
    ///
    /// # Errors
    /// [`InvalidName`] when it is empty or holds NUL, CR or LF.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidName> {
        let name = name.into();
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.contains(['\0', '\r', '\n']) {
            return Err(InvalidName::Control);
        }
        Ok(Self::canonical(name))
    }

    /// Returns `INBOX`, which every account has.
    pub fn inbox() -> Self {
        MailboxName { text: INBOX.to_string(), raw: None }
    }

    /// Reads a name as the server sent it, in modified UTF-7. Whatever came is kept (quirks 13, 63, 72).
    pub fn from_wire(wire: &[u8]) -> Self {
        match mutf7::decode(wire) {
            Some(Cow::Borrowed(text)) => Self::canonical(text.to_string()),
            Some(Cow::Owned(text)) => {
                let raw = (*mutf7::encode(&text) != *wire).then(|| wire.to_vec());
                MailboxName { text, raw }
            }
            None => MailboxName { text: decode(wire).into_owned(), raw: Some(wire.to_vec()) },
        }
    }

    /// Reads a name as the server sends it once UTF8=ACCEPT is enabled, or in a session of IMAP4rev2.
    ///
    /// RFC 6855 §3, RFC 9051 §5.1
    pub fn from_utf8(wire: &[u8]) -> Self {
        match core::str::from_utf8(wire) {
            Ok(text) => Self::canonical(text.to_string()),
            Err(_) => MailboxName { text: decode(wire).into_owned(), raw: Some(wire.to_vec()) },
        }
    }

    /// The octets to send, in modified UTF-7.
    ///
    /// Only a name that came from the server may hold what needs a literal (CR, LF, octets above 127), or what cannot
    /// be sent at all (NUL, or nothing).
    pub fn to_wire(&self) -> Cow<'_, [u8]> {
        match &self.raw {
            Some(raw) => Cow::Borrowed(raw),
            None => mutf7::encode(&self.text),
        }
    }

    /// The octets to send once UTF8=ACCEPT is enabled, or in a session of IMAP4rev2.
    pub fn to_utf8(&self) -> &[u8] {
        // What is ASCII came in modified UTF-7, which would be the name of another mailbox now.
        self.raw.as_deref().filter(|raw| !raw.is_ascii()).unwrap_or(self.text.as_bytes())
    }

    /// The name in Unicode.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True for `INBOX`, in any case.
    pub fn is_inbox(&self) -> bool {
        self.text == INBOX
    }

    /// Capitalises `INBOX` where it is the first of several levels, which some servers write as they like (quirk 65).
    #[must_use]
    pub fn with_canonical_inbox(mut self, delimiter: char) -> Self {
        let first = self.text.split(delimiter).next().unwrap_or_default();
        if self.raw.is_none() && first.eq_ignore_ascii_case(INBOX) {
            self.text.replace_range(..INBOX.len(), INBOX);
        }
        self
    }

    /// True for one name, where the case of a first level `INBOX` does not count (quirk 65).
    pub(crate) fn is_alike(&self, other: &Self) -> bool {
        let split = |name: &Self| {
            name.text.split_at_checked(INBOX.len()).map(|(top, below)| (top.to_ascii_uppercase(), below.to_string()))
        };
        // What is a delimiter is not known here, but no letter is, nor a digit: `INBOX2` is no `INBOX`.
        let is_below = |below: &str| !below.starts_with(char::is_alphanumeric);
        let is_below_inbox = || {
            split(self)
                .is_some_and(|(top, below)| top == INBOX && is_below(&below) && split(other) == Some((top, below)))
        };
        self == other || (self.raw.is_none() && other.raw.is_none() && is_below_inbox())
    }

    /// The name of a mailbox one level below.
    ///
    /// # Errors
    /// [`InvalidName`] where `level` is empty, holds the delimiter, or may not be in a name.
    pub fn child(&self, level: &str, delimiter: char) -> Result<Self, InvalidName> {
        let below = MailboxName::new(level)?;
        if level.contains(delimiter) {
            return Err(InvalidName::Delimiter);
        }
        let text = alloc::format!("{}{delimiter}{level}", self.text);
        let raw = self.raw.as_ref().map(|raw| {
            let mut raw = raw.clone();
            raw.extend_from_slice(delimiter.encode_utf8(&mut [0; 4]).as_bytes());
            raw.extend_from_slice(&if raw.is_ascii() { below.to_wire() } else { Cow::Borrowed(level.as_bytes()) });
            raw
        });
        Ok(MailboxName { text, raw })
    }

    /// The same in a form that can be compared: without delimiters at its ends (quirk 66), and with `INBOX` in capitals
    /// where it is the first level (quirk 65). One in front may be asked for and belongs to the name then.
    #[must_use]
    pub(crate) fn tidied(mut self, delimiter: char, keep_leading: bool) -> Self {
        self.trim(delimiter, keep_leading);
        self.with_canonical_inbox(delimiter)
    }

    /// Takes a delimiter off both ends, unless nothing else is there (quirk 66).
    fn trim(&mut self, delimiter: char, keep_leading: bool) {
        let mut wire = [0; 4];
        let wire = delimiter.encode_utf8(&mut wire).as_bytes();
        if self.text.ends_with(delimiter) && self.text.len() > wire.len() {
            self.text.truncate(self.text.len() - wire.len());
            if let Some(raw) = self.raw.as_mut().filter(|raw| raw.ends_with(wire)) {
                raw.truncate(raw.len() - wire.len());
            }
        }
        if !keep_leading && self.text.starts_with(delimiter) && self.text.len() > wire.len() {
            self.text.drain(..wire.len());
            if let Some(raw) = self.raw.as_mut().filter(|raw| raw.starts_with(wire)) {
                raw.drain(..wire.len());
            }
        }
    }

    fn canonical(text: String) -> Self {
        if text.eq_ignore_ascii_case(INBOX) { Self::inbox() } else { MailboxName { text, raw: None } }
    }
}

/// Whatever names a mailbox: a [`MailboxName`], or text that is one.
///
/// Calls and commands take it, so that `client.select("INBOX")` works. Text that cannot be a name is
/// [`Misuse::Name`](crate::Misuse::Name) when the call is polled; nothing is sent.
pub trait IntoMailboxName {
    /// Makes it a name.
    ///
    /// # Errors
    /// [`InvalidName`] where it cannot be one.
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName>;
}

impl IntoMailboxName for MailboxName {
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName> {
        Ok(self)
    }
}

impl IntoMailboxName for &MailboxName {
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName> {
        Ok(self.clone())
    }
}

impl IntoMailboxName for &str {
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName> {
        MailboxName::new(self)
    }
}

impl IntoMailboxName for String {
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName> {
        MailboxName::new(self)
    }
}

impl IntoMailboxName for &String {
    fn into_mailbox_name(self) -> Result<MailboxName, InvalidName> {
        MailboxName::new(self.as_str())
    }
}

impl TryFrom<&str> for MailboxName {
    type Error = InvalidName;

    fn try_from(name: &str) -> Result<Self, InvalidName> {
        MailboxName::new(name)
    }
}

impl TryFrom<String> for MailboxName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        MailboxName::new(name)
    }
}

impl TryFrom<&String> for MailboxName {
    type Error = InvalidName;

    fn try_from(name: &String) -> Result<Self, InvalidName> {
        MailboxName::new(name.as_str())
    }
}

impl TryFrom<&MailboxName> for MailboxName {
    type Error = InvalidName;

    fn try_from(name: &MailboxName) -> Result<Self, InvalidName> {
        Ok(name.clone())
    }
}

impl AsRef<str> for MailboxName {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl PartialEq<str> for MailboxName {
    fn eq(&self, other: &str) -> bool {
        self.text == other
    }
}

impl PartialEq<&str> for MailboxName {
    fn eq(&self, other: &&str) -> bool {
        self.text == *other
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn inbox_is_one_mailbox_in_any_case() {
        assert_eq!(MailboxName::new("inBox"), Ok(MailboxName::inbox()));
        assert_eq!(MailboxName::from_wire(b"Inbox"), MailboxName::inbox());
        assert_ne!(MailboxName::from_wire(b"inbox/x"), MailboxName::from_wire(b"INBOX/x"));
        assert_eq!(MailboxName::from_wire(b"inbox/x").with_canonical_inbox('/').as_str(), "INBOX/x");
        assert_eq!(MailboxName::from_wire(b"inboxes/x").with_canonical_inbox('/').as_str(), "inboxes/x");
    }

    #[test]
    fn only_a_first_level_inbox_is_alike_in_any_case() {
        for (one, other, alike) in [
            ("INBOX/x", "inbox/x", true),
            ("Inbox.x", "INBOX.x", true),
            ("INBOX/x", "inbox/X", false),
            ("INBOXES", "inboxes", false),
            ("INBOX2/x", "inbox2/x", false),
            ("a", "a", true),
        ] {
            let (one, other) = (MailboxName::from_wire(one.as_bytes()), MailboxName::from_wire(other.as_bytes()));
            assert_eq!((one.is_alike(&other), other.is_alike(&one)), (alike, alike), "{one} {other}");
        }
    }

    #[test]
    fn what_may_not_be_sent_is_refused() {
        assert_eq!(MailboxName::new(""), Err(InvalidName::Empty));
        for name in ["a\0", "a\r\nX LOGOUT", "\n"] {
            assert_eq!(MailboxName::new(name), Err(InvalidName::Control));
        }
    }

    #[test]
    fn a_name_below_keeps_what_is_above_it_as_it_came() {
        let child = |wire: &[u8], level: &str| {
            MailboxName::from_wire(wire).child(level, '/').map(|name| name.to_wire().into_owned())
        };
        let table: &[(&[u8], &str, &[u8])] = &[
            (b"a", "b", b"a/b"),
            (b"INBOX", "Entw\u{fc}rfe", b"INBOX/Entw&APw-rfe"),
            (b"&U,BTFw-&ZeVnLIqe-", "\u{fc}", b"&U,BTFw-&ZeVnLIqe-/&APw-"),
            (b"\xfc", "\u{fc}", b"\xfc/\xc3\xbc"),
        ];
        for (wire, level, expected) in table {
            assert_eq!(child(wire, level).as_deref(), Ok(*expected));
        }
        let refused = [("", InvalidName::Empty), ("b/c", InvalidName::Delimiter), ("b\r", InvalidName::Control)];
        for (level, error) in refused {
            assert_eq!(child(b"a", level), Err(error));
        }
    }

    #[test]
    fn quirk_66_delimiters_at_the_ends_are_taken_off() {
        let table: &[(&[u8], bool, &[u8])] = &[
            (b"a/", false, b"a"),
            (b"/a", false, b"a"),
            (b"/a/b/", false, b"a/b"),
            (b"/a/", true, b"/a"),
            (b"/", false, b"/"),
            (b"", false, b""),
            (b"/&invalid-/", false, b"&invalid-"),
        ];
        for (wire, keep_leading, expected) in table {
            let mut name = MailboxName::from_wire(wire);
            name.trim('/', *keep_leading);
            assert_eq!(*name.to_wire(), **expected);
        }
    }

    #[test]
    fn odd_names_go_back_as_they_came() {
        let table: &[(&[u8], &str)] = &[
            (b"&invalid-", "&invalid-"),
            (b"&U,BTFw-&ZeVnLIqe-", "台北日本語"),
            ("Społeczności".as_bytes(), "Społeczności"),
            (b"Entw\xfcrfe", "Entwürfe"),
            (b"INBOX.[Airmail].Snooze", "INBOX.[Airmail].Snooze"),
        ];
        for (wire, text) in table {
            let name = MailboxName::from_wire(wire);
            assert_eq!(name.as_str(), *text);
            assert_eq!(&*name.to_wire(), *wire);
        }
    }

    #[test]
    fn what_came_in_modified_utf_7_goes_back_in_utf_8_once_that_is_enabled() {
        let table: &[(&[u8], &[u8])] = &[
            (b"&U,BTFw-&ZeVnLIqe-", "台北日本語".as_bytes()),
            (b"Entw&APw-rfe", "Entwürfe".as_bytes()),
            (b"&invalid-", b"&invalid-"),
            (b"Entw\xfcrfe", b"Entw\xfcrfe"),
        ];
        for (wire, utf8) in table {
            assert_eq!(MailboxName::from_wire(wire).to_utf8(), *utf8);
        }
    }

    proptest! {
        #[test]
        fn a_name_survives_the_wire(name in "[^\0\r\n]{1,30}") {
            let name = MailboxName::new(name).unwrap();
            prop_assert_eq!(&MailboxName::from_wire(&name.to_wire()), &name);
            prop_assert_eq!(&MailboxName::from_utf8(name.to_utf8()), &name);
        }

        #[test]
        fn octets_go_back_as_they_came(wire in "[&A-Da-d0,+\\-~é ]{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            for wire in [wire.as_bytes(), &bytes] {
                let name = MailboxName::from_wire(wire);
                prop_assert!(*name.to_wire() == *wire || name.is_inbox());
            }
        }
    }
}
