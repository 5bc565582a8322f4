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
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
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

    fn canonical(text: String) -> Self {
        if text.eq_ignore_ascii_case(INBOX) { Self::inbox() } else { MailboxName { text, raw: None } }
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
    fn what_may_not_be_sent_is_refused() {
        assert_eq!(MailboxName::new(""), Err(InvalidName::Empty));
        for name in ["a\0", "a\r\nX LOGOUT", "\n"] {
            assert_eq!(MailboxName::new(name), Err(InvalidName::Control));
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
