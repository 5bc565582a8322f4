use super::Addresses;
use crate::wire::{Parsed, Text, TokenKind, Value};

// RFC 9051 §9
//
// envelope        = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP
//                   env-bcc SP env-in-reply-to SP env-message-id ")"
// env-date        = nstring
// env-subject     = nstring
// env-from        = "(" 1*address ")" / nil        ; the same for sender, reply-to, to, cc, bcc
// env-in-reply-to = nstring
// env-message-id  = nstring

/// Tells that a value has not the shape its name calls for.
///
/// It costs that value alone: the response and what else is in it are whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("value of an unexpected shape")]
pub struct Malformed;

const DATE: usize = 0;
const SUBJECT: usize = 1;
const FROM: usize = 2;
const SENDER: usize = 3;
const REPLY_TO: usize = 4;
const TO: usize = 5;
const CC: usize = 6;
const BCC: usize = 7;
const IN_REPLY_TO: usize = 8;
const MESSAGE_ID: usize = 9;

const FIELDS: usize = 10;
/// The last two were seen to be missing (quirks 94, 95), no others.
const LEAST_FIELDS: usize = 8;

/// Shows the envelope of a message: the header fields a server reads for its clients. RFC 9051 §7.5.2
///
/// `NIL` and a field that is missing are both `None`. Where a server leaves out a field at the end, the position
/// counts: with nine, the last is In-Reply-To (quirk 94).
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    table: &'a Parsed,
    /// Where each field is in the table; past its end for what is missing.
    fields: [u32; FIELDS],
}

impl<'a> Envelope<'a> {
    /// Finds the fields of an envelope.
    ///
    /// # Errors
    /// [`Malformed`] when the value is no list, has fewer than eight fields, or addresses stand where a string
    /// should be or the reverse.
    pub fn new(value: Value<'a>) -> Result<Self, Malformed> {
        let mut values = value.without_extra_parens().list().ok_or(Malformed)?;
        let mut fields = [u32::MAX; FIELDS];
        for (position, field) in fields.iter_mut().enumerate() {
            let Some(value) = values.next() else {
                if position < LEAST_FIELDS {
                    return Err(Malformed);
                }
                break;
            };
            if !fits(position, value) {
                return Err(Malformed);
            }
            *field = value.index();
        }
        Ok(Envelope { table: value.table(), fields })
    }

    /// The Date header field, as it stands in the message.
    #[inline]
    pub fn date(self) -> Option<Text<'a>> {
        self.text(DATE)
    }

    /// The Subject header field, encoded words and all.
    #[inline]
    pub fn subject(self) -> Option<Text<'a>> {
        self.text(SUBJECT)
    }

    /// The authors.
    #[inline]
    pub fn from(self) -> Addresses<'a> {
        self.addresses(FROM)
    }

    /// Who sent it for the authors; servers repeat [`from`](Self::from) where the message does not say.
    #[inline]
    pub fn sender(self) -> Addresses<'a> {
        self.addresses(SENDER)
    }

    /// Who answers should go to; servers repeat [`from`](Self::from) where the message does not say.
    #[inline]
    pub fn reply_to(self) -> Addresses<'a> {
        self.addresses(REPLY_TO)
    }

    /// The recipients.
    #[inline]
    pub fn to(self) -> Addresses<'a> {
        self.addresses(TO)
    }

    /// Who got a copy.
    #[inline]
    pub fn cc(self) -> Addresses<'a> {
        self.addresses(CC)
    }

    /// Who got a copy without the others knowing.
    #[inline]
    pub fn bcc(self) -> Addresses<'a> {
        self.addresses(BCC)
    }

    /// The In-Reply-To header field, as it stands in the message.
    #[inline]
    pub fn in_reply_to(self) -> Option<Text<'a>> {
        self.text(IN_REPLY_TO)
    }

    /// The Message-ID header field, as it stands in the message.
    #[inline]
    pub fn message_id(self) -> Option<Text<'a>> {
        self.text(MESSAGE_ID)
    }

    #[inline]
    fn text(self, field: usize) -> Option<Text<'a>> {
        Value::at(self.table, self.fields[field])?.text()
    }

    #[inline]
    fn addresses(self, field: usize) -> Addresses<'a> {
        Addresses::new(Value::at(self.table, self.fields[field]))
    }
}

/// Address lists are lists, and strings are none; either may be `NIL`, `()` or `""` (quirks 96, 106).
#[inline]
fn fits(position: usize, value: Value<'_>) -> bool {
    let is_empty = match value.kind() {
        TokenKind::Nil => return true,
        TokenKind::List if matches!(position, FROM..=BCC) => return true,
        TokenKind::List => value.inner_tokens().is_empty(),
        TokenKind::Opaque => false,
        _ if !matches!(position, FROM..=BCC) => return true,
        _ => value.text().is_some_and(Text::is_empty),
    };
    // Nothing follows these two whose place could be wrong.
    is_empty || matches!(position, IN_REPLY_TO | MESSAGE_ID)
}

impl core::fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Envelope")
            .field("date", &self.date())
            .field("subject", &self.subject())
            .field("from", &self.from())
            .field("sender", &self.sender())
            .field("reply_to", &self.reply_to())
            .field("to", &self.to())
            .field("cc", &self.cc())
            .field("bcc", &self.bcc())
            .field("in_reply_to", &self.in_reply_to())
            .field("message_id", &self.message_id())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    const WHOLE: &str = r#"("Wed, 17 Jul 1996 02:23:25 -0700" "IMAP4rev2 WG" (("f" NIL "f" "h")) (("s" NIL "s" "h"))
        (("r" NIL "r" "h")) (("t" NIL "t" "h")("u" NIL "u" "h")) (("c" NIL "c" "h")) (("b" NIL "b" "h")) "<i@h>" "<m@h>")"#;

    /// The ten fields, a `-` for `None`, `;` between; addresses as their mailboxes.
    fn shown(envelope: &str) -> Option<String> {
        let parsed = Parsed::of(envelope);
        let envelope = Envelope::new(parsed.first()).ok()?;
        let text = |text: Option<Text<'_>>| text.map_or("-".into(), |text| text.to_str().into_owned());
        let list =
            |list: Addresses<'_>| list.iter().map(|a| text(a.mailbox())).collect::<alloc::vec::Vec<_>>().join(",");
        let e = envelope;
        let people = [e.from(), e.sender(), e.reply_to(), e.to(), e.cc(), e.bcc()].map(list).join(";");
        Some([text(e.date()), text(e.subject()), people, text(e.in_reply_to()), text(e.message_id())].join(";"))
    }

    #[test]
    fn envelopes_are_read_whatever_servers_make_of_them() {
        for (quirk, envelope, fields) in [
            (0, WHOLE, Some("Wed, 17 Jul 1996 02:23:25 -0700;IMAP4rev2 WG;f;s;r;t,u;c;b;<i@h>;<m@h>")),
            (17, "({1}\r\nd {3}\r\na\nb NIL NIL NIL NIL NIL NIL {1}\r\ni {1}\r\nm)", Some("d;a\nb;;;;;;;i;m")),
            (20, "(nil nil nil nil nil nil nil nil nil nil)", Some("-;-;;;;;;;-;-")),
            (21, "(d s NIL NIL NIL NIL NIL NIL i m)", Some("d;s;;;;;;;i;m")),
            (81, r#"((("d" "s" NIL NIL NIL NIL NIL NIL "i" "m")))"#, Some("d;s;;;;;;;i;m")),
            (94, r#"("d" "s" NIL NIL NIL NIL NIL NIL "<x@h>")"#, Some("d;s;;;;;;;<x@h>;-")),
            (95, r#"("d" "s" NIL NIL NIL NIL NIL NIL)"#, Some("d;s;;;;;;;-;-")),
            (96, r#"("d" "s" () () () () () () NIL NIL)"#, Some("d;s;;;;;;;-;-")),
            (97, r#"("d" "s" (NIL ("n" NIL "u" "h")) NIL NIL NIL NIL NIL NIL NIL)"#, Some("d;s;u;;;;;;-;-")),
            (98, "(NIL NIL (({1}\r\nn NIL {1}\r\nu h)) NIL NIL NIL NIL NIL NIL NIL)", Some("-;-;u;;;;;;-;-")),
            (104, r#"("not a date" NIL NIL NIL NIL NIL NIL NIL NIL NIL)"#, Some("not a date;-;;;;;;;-;-")),
            (105, r#"(NIL NIL NIL NIL NIL NIL NIL NIL "a b" "m\"")"#, Some("-;-;;;;;;;a b;m\"")),
            (106, r#"("" "" "" NIL NIL NIL NIL NIL "" "")"#, Some(";;;;;;;;;")),
            (106, "(() () NIL NIL NIL NIL NIL NIL (x) ())", Some("-;-;;;;;;;-;-")),
            (0, r#"("d" "s" NIL NIL NIL NIL NIL NIL "i" "m" "more" (x))"#, Some("d;s;;;;;;;i;m")),
            (0, r#"("d" "s" NIL NIL NIL NIL NIL NIL "i" "m"#, Some("d;s;;;;;;;i;m")),
            (0, r#"("d" "s" NIL NIL NIL NIL NIL)"#, None),
            (0, r#"("d" "s" "t" NIL NIL NIL NIL NIL NIL NIL)"#, None),
            (0, r#"("d" (("f" NIL "f" "h")) NIL NIL NIL NIL NIL NIL NIL NIL)"#, None),
            (0, "()", None),
            (0, "NIL", None),
            (0, r#""x""#, None),
        ] {
            assert_eq!(shown(envelope).as_deref(), fields, "quirk {quirk}: {envelope}");
        }
    }
}
