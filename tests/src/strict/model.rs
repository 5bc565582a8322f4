use std::collections::{BTreeMap, BTreeSet};

/// The mailboxes by name.
pub type Model = BTreeMap<String, Mailbox>;

/// The internal date of messages that were given none, for the server has no clock.
pub const SOME_DATE: &str = "01-Jan-2024 00:00:00 +0000";

/// A mailbox as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// UIDVALIDITY: other for every mailbox ever created.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
    /// The messages, by ascending UID.
    pub messages: Vec<Message>,
}

/// A message as the server holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The UID, which never changes.
    pub uid: u32,
    /// System flags and keywords; system flags are spelled as in the RFC.
    pub flags: BTreeSet<String>,
    /// INTERNALDATE without its quotes.
    pub internal_date: String,
    /// The octets of the whole message.
    pub body: Vec<u8>,
}

impl Mailbox {
    pub(super) fn new(uid_validity: u32) -> Self {
        Self { uid_validity, uid_next: 1, messages: Vec::new() }
    }

    /// Returns the message with this UID.
    pub fn message(&self, uid: u32) -> Option<&Message> {
        let index = self.messages.binary_search_by_key(&uid, |message| message.uid).ok()?;
        self.messages.get(index)
    }

    pub(super) fn message_mut(&mut self, uid: u32) -> Option<&mut Message> {
        let index = self.messages.binary_search_by_key(&uid, |message| message.uid).ok()?;
        self.messages.get_mut(index)
    }

    pub(super) fn add(&mut self, flags: BTreeSet<String>, internal_date: String, body: Vec<u8>) -> u32 {
        let uid = self.uid_next;
        self.uid_next += 1;
        self.messages.push(Message { uid, flags, internal_date, body });
        uid
    }

    pub(super) fn remove(&mut self, uid: u32) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.uid != uid);
        self.messages.len() < before
    }
}

impl Message {
    pub(super) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|set| set.eq_ignore_ascii_case(flag))
    }

    /// The header with the empty line that ends it, and the text.
    pub(super) fn split(&self) -> (&[u8], &[u8]) {
        let end = self.body.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
        self.body.split_at(end.unwrap_or(self.body.len()))
    }

    /// The header's fields: name and raw bytes, folded lines included.
    pub(super) fn fields(&self) -> Vec<(String, &[u8])> {
        let mut fields: Vec<(String, &[u8])> = Vec::new();
        let mut rest = self.split().0;
        while !rest.is_empty() && !rest.starts_with(b"\r\n") {
            let mut end = 0;
            loop {
                let line = rest.get(end..).unwrap_or_default();
                end += line.windows(2).position(|pair| pair == b"\r\n").map_or(line.len(), |at| at + 2);
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let (field, after) = rest.split_at(end);
            let name = field.split(|&byte| byte == b':').next().unwrap_or_default();
            fields.push((String::from_utf8_lossy(name).trim().to_owned(), field));
            rest = after;
        }
        fields
    }

    /// The first field of this name, unfolded and trimmed.
    pub(super) fn field(&self, name: &str) -> Option<Vec<u8>> {
        let (_, raw) = self.fields().into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        let colon = raw.iter().position(|&byte| byte == b':')?;
        let value = raw.get(colon + 1..)?;
        let unfolded: Vec<u8> = value.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
        Some(unfolded.trim_ascii().to_vec())
    }
}
