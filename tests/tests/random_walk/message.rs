use std::collections::BTreeSet;

use bytes::Bytes;
use imap_tests::mailbox::message;
use imap_tokio::FetchedMessage;
use imap_tokio::types::{DateTime, Flag, MailboxName};

pub(super) type Flags = BTreeSet<Flag>;

/// The flags that messages are given.
pub(super) const FLAGS: [Flag; 4] = [Flag::Seen, Flag::Flagged, Flag::Answered, Flag::Junk];

/// A message of the model: everything about it follows from its number, which its Message-ID holds.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) id: u64,
    pub(crate) octets: Bytes,
    /// Those it is stored with.
    pub(crate) flags: Flags,
    subject: String,
}

impl Expected {
    pub(super) fn new(id: u64) -> Self {
        let mut octets = message(id);
        // Every 17th is downloaded in pieces, every 5th comes as a streamed literal.
        let len = match id {
            _ if id.is_multiple_of(17) => 300_000 + id as usize % 7919,
            _ if id.is_multiple_of(5) => 40_000 + id as usize % 7919,
            _ => octets.len(),
        };
        let mut line = 0;
        while octets.len() < len {
            octets.extend_from_slice(
                format!("{id} {line} of a message that is long: {{17}} A1 OK * BYE )\r\n").as_bytes(),
            );
            line += 1;
        }
        let flags = FLAGS.into_iter().enumerate().filter(|(bit, _)| id >> bit & 1 == 1).map(|(_, flag)| flag).collect();
        let text = String::from_utf8_lossy(&octets);
        let subject = text.split_once("\r\nSubject: ").and_then(|(_, rest)| rest.split_once("\r\nDate: "));
        let subject = subject.map(|(subject, _)| subject.replace("\r\n ", " ")).expect("messages have a subject");
        Expected { id, octets: octets.into(), flags, subject }
    }

    pub(super) fn date(&self) -> DateTime {
        DateTime::from_unix_timestamp(1_700_000_000 + self.id as i64).expect("a date of our time")
    }

    /// What about `message` is not as it should be, of all that came for it but its flags.
    pub(super) fn difference(&self, message: &FetchedMessage) -> Option<String> {
        let fetch = message.get();
        let differs = |what: &str, found: String| Some(format!("{what} of {} is {found}", self.id));
        if let Some(size) = fetch.size().filter(|size| *size != self.octets.len() as u64) {
            return differs("the size", size.to_string());
        }
        if let Some(date) = fetch.internal_date() {
            let moment = DateTime::from_wire(&date.to_bytes()).map(DateTime::to_unix_timestamp);
            if moment != Some(self.date().to_unix_timestamp()) {
                return differs("the date", date.to_str().into_owned());
            }
        }
        if let Some(envelope) = fetch.envelope() {
            let subject = envelope.subject().map(|subject| subject.to_str().into_owned());
            if subject.as_deref() != Some(&self.subject) {
                return differs("the subject", format!("{subject:?}"));
            }
        }
        let octets = message.section("").filter(|octets| **octets != self.octets);
        octets.and_then(|octets| differs("the content", format!("of {} octets", octets.len())))
    }
}

/// The flags that came with a message, without the one that the server keeps for itself.
pub(super) fn flags_of(message: &FetchedMessage) -> Option<Flags> {
    message.flags().map(|flags| flags.into_iter().filter(|flag| *flag != Flag::Recent).collect())
}

/// Whether a message is what a server has left of one that another connection removes: no octets with Dovecot, and with
/// Courier a few of its own.
pub(super) fn is_remnant(message: &FetchedMessage) -> bool {
    let octets = message.section("");
    let len = message.get().size().or(octets.as_ref().map(|octets| octets.len() as u64));
    let subject = message.get().envelope().and_then(|envelope| envelope.subject());
    let is_couriers = subject.is_some_and(|subject| subject.to_str() == "message unavailable");
    is_couriers || (len == Some(0) && octets.is_none_or(|octets| octets.is_empty()))
}

/// The same of what was downloaded.
pub(super) fn is_remnant_body(octets: &[u8]) -> bool {
    octets.is_empty() || String::from_utf8_lossy(octets).contains("\nSubject: message unavailable\r\n")
}

/// The number of a message, from its envelope or its header.
pub(super) fn id_of(message: &FetchedMessage) -> Option<u64> {
    let envelope = message.get().envelope().and_then(|envelope| envelope.message_id());
    let own = envelope.map(|id| id.to_str().into_owned()).or_else(|| {
        let octets = message.section("")?;
        let text = String::from_utf8_lossy(&octets[..octets.len().min(4000)]).into_owned();
        text.split_once("Message-ID: ").map(|(_, rest)| rest.to_owned())
    })?;
    own.strip_prefix('<')?.split_once(".rig@")?.0.parse().ok()
}

pub(super) fn name(name: &str) -> MailboxName {
    MailboxName::new(name).expect("the names of the mailboxes are good")
}
