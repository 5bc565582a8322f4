use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use memchr::memchr;

use super::{Command, Completion, Effect, Given, Request, checked};
use crate::error::Misuse;
use crate::types::{Capability, Code, DateTime, Flag, IntoMailboxName, Uid, UidValidity};
use crate::wire::Encoder;

/// The octets of a message to be stored.
#[derive(Clone, Debug)]
pub enum Message {
    /// All of them, held by the core from then on.
    Octets(Bytes),
    /// So many, which the caller feeds when the connection wants them.
    Fed(u64),
}

impl From<Bytes> for Message {
    fn from(octets: Bytes) -> Self {
        Message::Octets(octets)
    }
}

impl From<Vec<u8>> for Message {
    fn from(octets: Vec<u8>) -> Self {
        Message::Octets(octets.into())
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Message::from(text.as_bytes())
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Message::from(text.into_bytes())
    }
}

impl<const N: usize> From<&[u8; N]> for Message {
    fn from(octets: &[u8; N]) -> Self {
        Message::from(&octets[..])
    }
}

impl From<&[u8]> for Message {
    fn from(octets: &[u8]) -> Self {
        Message::Octets(Bytes::copy_from_slice(octets))
    }
}

/// A message to be stored, with the flags and the date it is to have.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub(crate) octets: Message,
    flags: Vec<Flag>,
    date: Option<DateTime>,
}

impl NewMessage {
    /// Its octets go out as they are: lines are to end with CR LF (RFC 5322 §2.1).
    pub fn new(octets: impl Into<Message>) -> Self {
        NewMessage { octets: octets.into(), flags: Vec::new(), date: None }
    }

    /// Sets the flags of the stored message.
    pub fn flags(mut self, flags: impl IntoIterator<Item = Flag>) -> Self {
        self.flags.extend(flags);
        self
    }

    /// Sets its internal date; else it is the time of storing.
    pub fn date(mut self, date: DateTime) -> Self {
        self.date = Some(date);
        self
    }

    /// How many octets it has.
    pub fn size(&self) -> u64 {
        match &self.octets {
            Message::Octets(octets) => octets.len() as u64,
            Message::Fed(len) => *len,
        }
    }

    /// True where it has a wire form and its octets are at hand, none of them NUL.
    #[cfg(feature = "client")]
    pub(crate) fn is_plain(&self) -> bool {
        let octets = match &self.octets {
            Message::Octets(octets) => octets,
            Message::Fed(_) => return false,
        };
        !octets.is_empty() && memchr(0, octets).is_none() && self.flags.iter().all(Flag::is_storable)
    }

    /// Writes ` (flags) "date" literal`. RFC 9051 §6.3.12, RFC 3516 §4.4. True where the literal has to be binary.
    pub(super) fn encode(&self, encoder: &mut Encoder) -> Result<bool, Misuse> {
        if let Some(flag) = self.flags.iter().find(|flag| !flag.is_storable()) {
            return Err(Misuse::Flag(flag.clone()));
        }
        if !self.flags.is_empty() {
            let flags: Vec<String> = self.flags.iter().map(ToString::to_string).collect();
            encoder.text(" (").text(&flags.join(" ")).text(")");
        }
        if let Some(date) = &self.date {
            encoder.text(" \"").text(&date.to_string()).text("\"");
        }
        // RFC 3516 §4.4: NUL goes into no other literal.
        let binary = matches!(&self.octets, Message::Octets(octets) if memchr(0, octets).is_some());
        encoder.text(if binary { " ~" } else { " " });
        match &self.octets {
            _ if self.size() == 0 => return Err(Misuse::EmptyMessage),
            Message::Octets(octets) => encoder.literal(octets.clone()),
            Message::Fed(len) => encoder.fed_literal(*len),
        };
        Ok(binary)
    }
}

impl<M: Into<Message>> From<M> for NewMessage {
    fn from(octets: M) -> Self {
        NewMessage::new(octets)
    }
}

/// What becomes of an [`Append`] or a [`MultiAppend`](super::MultiAppend) that is given up once it is begun.
///
/// The protocol has no way to take back a literal that is begun (RFC 9051 §2.2.1): its octets are sent, or the
/// connection is closed. It is the caller who knows whether the message or the connection is worth more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelling {
    /// What the core holds is sent to its end, and stored.
    #[default]
    Finish,
    /// As little more is sent as can be, and nothing is stored, for as long as any octet has not left.
    ///
    /// Between two messages of a [`MultiAppend`](super::MultiAppend) the server is told so (RFC 3502 §6.3.11), and the
    /// connection stays usable. Elsewhere it has to be closed, unless the server refuses the message.
    Cut,
}

/// `APPEND`: stores a message in a mailbox. RFC 9051 §6.3.12
///
/// A message with NUL in it needs BINARY, which IMAP4rev2 does not include here. One that is fed goes as an ordinary
/// literal, and must hold none. RFC 3516 §4.4
///
/// Dropped half-way: octets that the core holds are sent to the end and the message is stored, unless
/// [`cancelling`](Self::cancelling) says otherwise. Octets that the caller was to feed cannot be invented: once the
/// literal is begun the connection must close, and nothing is stored unless the last octet had left.
#[derive(Clone, Debug)]
pub struct Append {
    mailbox: Given,
    message: NewMessage,
    cancelling: Cancelling,
}

/// Where a message was stored (RFC 4315).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The UIDVALIDITY of the mailbox.
    pub uid_validity: UidValidity,
    /// The UID of the message.
    pub uid: Uid,
}

impl Append {
    /// Stores `message` in `mailbox`.
    pub fn new(mailbox: impl IntoMailboxName, message: impl Into<NewMessage>) -> Self {
        let cancelling = Cancelling::default();
        Append { mailbox: mailbox.into_mailbox_name(), message: message.into(), cancelling }
    }

    /// Sets the flags of the stored message.
    pub fn flags(mut self, flags: impl IntoIterator<Item = Flag>) -> Self {
        self.message = self.message.flags(flags);
        self
    }

    /// Sets its internal date; else it is the time of storing.
    pub fn date(mut self, date: DateTime) -> Self {
        self.message = self.message.date(date);
        self
    }

    /// Says what giving it up half-way does; else it is finished.
    pub fn cancelling(mut self, cancelling: Cancelling) -> Self {
        self.cancelling = cancelling;
        self
    }
}

impl Command for Append {
    /// Where it was stored, when the server says so.
    type Output = Option<Stored>;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("APPEND");
        encoder.mailbox(checked(&self.mailbox)?);
        let binary = self.message.encode(&mut encoder)?;
        let request =
            Request { effect: Effect::Store, cancelling: self.cancelling, ..Request::new("APPEND", encoder)? };
        // RFC 9051 appendix B: what IMAP4rev2 includes of BINARY is not this.
        let said = binary.then_some((Capability::Binary, "BINARY"));
        Ok(Request { said, ..request })
    }

    fn finish(self, ok: Completion) -> Option<Stored> {
        stored(&ok, 1).first().copied()
    }
}

/// Where the messages of an APPEND were stored, in their order; empty where its completion does not say so of all.
///
/// RFC 3502 §6.3.11: a UID for each message, in the order they were appended, which is that of UIDs.
pub(crate) fn stored(ok: &Completion, messages: usize) -> Vec<Stored> {
    match &ok.code {
        Some(Code::AppendUid(stored)) if stored.uids.len() == messages as u64 => {
            stored.uids.iter().take(messages).map(|uid| Stored { uid_validity: stored.uid_validity, uid }).collect()
        }
        _ => Vec::new(),
    }
}
