use alloc::string::String;

use super::parse_status_text;
use super::set::parse_set;
use crate::error::words;
use crate::types::{Code, MessageFlags, SeqNum, UidSet};
use crate::wire::{Condition, Kind, Response, Value};

/// Something that a server tells unasked, as a value.
///
/// [`Response::unsolicited`] makes it of any response. RFC 9051 §7.4 and §7.5
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsolicited {
    /// The mailbox has so many messages now.
    Exists(u32),
    /// So many of them are recent; of RFC 3501.
    Recent(u32),
    /// A message is gone, and those behind it have moved up by one.
    Expunge(SeqNum),
    /// These are gone, in place of EXPUNGE where QRESYNC is enabled. RFC 7162 §3.2.10
    Vanished {
        /// What is gone. Bounded by its ranges: servers name UIDs that never were.
        uids: UidSet,
        /// True when they were gone before the mailbox was selected, or since the mod-sequence that was asked about:
        /// no sequence number moves.
        earlier: bool,
    },
    /// A message has these flags now, or another mod-sequence.
    Flags(MessageFlags),
    /// The server has something to say: `OK`, `NO` (a warning) or `BAD` without a tag.
    Status {
        /// Which of them.
        condition: Condition,
        /// What it means, for programs.
        code: Option<Code>,
        /// The server's words.
        text: String,
    },
    /// Anything else: the response says it.
    Other,
}

impl Response<'_> {
    /// What the server tells with it, as a value.
    ///
    /// ```
    /// use imap_proto_core::wire::{Decoder, Limits, grammar::Unsolicited};
    ///
    /// let mut decoder = Decoder::new(Limits::default());
    /// let line = b"* VANISHED 300:310,405\r\n";
    /// decoder.space()[..line.len()].copy_from_slice(line);
    /// decoder.received(line.len());
    /// decoder.advance()?;
    /// let Unsolicited::Vanished { uids, earlier } = decoder.response().unsolicited() else { panic!() };
    /// assert_eq!((uids.to_string().as_str(), earlier), ("300:310,405", false));
    /// # Ok::<(), imap_proto_core::wire::FrameError>(())
    /// ```
    pub fn unsolicited(&self) -> Unsolicited {
        let told = match self.kind() {
            Kind::Exists(exists) => Some(Unsolicited::Exists(exists)),
            Kind::Recent(recent) => Some(Unsolicited::Recent(recent)),
            Kind::Expunge(seq) => SeqNum::new(seq).map(Unsolicited::Expunge),
            Kind::Fetch(_) => self.message_flags().map(Unsolicited::Flags),
            Kind::Status(condition) => {
                let (code, text) = parse_status_text(self.text().as_raw());
                Some(Unsolicited::Status { condition, code, text: words(text) })
            }
            Kind::Other if self.name().eq_ignore_ascii_case(b"VANISHED") => self.vanished(),
            _ => None,
        };
        told.unwrap_or(Unsolicited::Other)
    }

    /// What FETCH data tells of flags; `None` where it tells of none, nor of a mod-sequence.
    fn message_flags(&self) -> Option<MessageFlags> {
        let told = self.as_fetch()?.to_message_flags();
        (told.flags.is_some() || told.mod_seq.is_some()).then_some(told)
    }

    /// RFC 7162 §7:
    ///
    /// ```abnf
    /// expunged-resp   = "VANISHED" [SP "(EARLIER)"] SP known-uids
    /// ```
    fn vanished(&self) -> Option<Unsolicited> {
        let mut values = self.values();
        let earlier = values.peek().and_then(Value::list).is_some();
        if earlier {
            values.next();
        }
        // Nothing at all is an empty set (quirk 126).
        let uids = values.next().map_or(Some(UidSet::new()), |uids| parse_set(uids.atom()?))?;
        Some(Unsolicited::Vanished { uids, earlier })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use crate::wire::{Decoder, Limits};

    #[test]
    fn what_is_told_unasked_is_read_whatever_servers_make_of_it() {
        for (line, expected) in [
            ("* 23 EXISTS", "Exists(23)"),
            ("* 5 recent", "Recent(5)"),
            ("* 3 EXPUNGE", "Expunge(SeqNum(3))"),
            ("* 0 EXPUNGE", "Other"),
            ("* VANISHED 41,43:116", "Vanished { uids: {41,43:116}, earlier: false }"),
            ("* VANISHED (EARLIER) 41", "Vanished { uids: {41}, earlier: true }"),
            ("* VANISHED (EARLIER) ", "Vanished { uids: {}, earlier: true }"),
            ("* VANISHED", "Vanished { uids: {}, earlier: false }"),
            ("* VANISHED x", "Other"),
            (
                "* 2 FETCH (FLAGS (\\Seen x) UID 9 MODSEQ (7))",
                "Flags(MessageFlags { seq: SeqNum(2), uid: Some(Uid(9)), flags: Some([\\Seen, x]), mod_seq: Some(7) })",
            ),
            (
                "* 2 FETCH (MODSEQ (7))",
                "Flags(MessageFlags { seq: SeqNum(2), uid: None, flags: None, mod_seq: Some(7) })",
            ),
            ("* 2 FETCH (UID 9)", "Other"),
            ("* 0 FETCH (FLAGS ())", "Other"),
            ("* OK [ALERT] disk", "Status { condition: Ok, code: Some(Alert), text: \"disk\" }"),
            ("* NO slow", "Status { condition: No, code: None, text: \"slow\" }"),
            ("* XFOO 1", "Other"),
        ] {
            let mut decoder = Decoder::new(Limits::default());
            let line = format!("{line}\r\n");
            decoder.space()[..line.len()].copy_from_slice(line.as_bytes());
            decoder.received(line.len());
            assert!(matches!(decoder.advance(), Ok(Some(_))));
            assert_eq!(format!("{:?}", decoder.response().unsolicited()), expected, "{line}");
        }
    }
}
