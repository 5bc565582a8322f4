use alloc::string::String;
use core::fmt;

use super::body_shape::{Fields, Shape, Slot, is_list};
use super::{Envelope, Malformed, Walk};
use crate::wire::{Parsed, Text, TokenKind, Value, Values};

// RFC 9051 §9
//
// body            = "(" (body-type-1part / body-type-mpart) ")"
// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
// body-type-basic = media-basic SP body-fields
// body-type-msg   = media-message SP body-fields SP envelope SP body SP body-fld-lines
// body-type-text  = media-text SP body-fields SP body-fld-lines
// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
// body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
// body-ext-1part  = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
// body-ext-mpart  = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
// body-fld-dsp    = "(" string SP body-fld-param ")" / nil
// body-fld-lang   = nstring / "(" string *(SP string) ")"
// body-fld-param  = "(" string SP string *(SP string SP string) ")" / nil

/// What a part is, which says what else is known of it. RFC 9051 §7.5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BodyKind {
    /// Parts within: it has [`parts`](BodyStructure::parts).
    Multipart,
    /// Text: it has [`lines`](BodyStructure::lines).
    Text,
    /// A message within: it has an [`envelope`](BodyStructure::envelope), a [`body`](BodyStructure::body) and lines.
    Message,
    /// Anything else.
    Basic,
}

/// Shows the structure of a message, or of one part of it. RFC 9051 §7.5.2
///
/// Servers leave out, add and swap fields (quirks 107 to 119); what is said here is then the best guess from the
/// shapes of the values, and what could not be guessed is `None` or empty. Parts are looked at when they are asked
/// for, so that nesting costs no stack.
#[derive(Clone, Copy)]
pub struct BodyStructure<'a> {
    table: &'a Parsed,
    list: u32,
    kind: BodyKind,
    fields: Fields,
}

impl<'a> BodyStructure<'a> {
    /// Finds the fields of a body structure.
    ///
    /// # Errors
    /// [`Malformed`] when the value is no list, is empty, or is nested deeper than
    /// [`Limits::depth`](crate::wire::Limits::depth) anywhere.
    pub fn new(value: Value<'a>) -> Result<Self, Malformed> {
        let value = value.without_extra_parens();
        let mut inner = value.inner_tokens();
        if inner.is_empty() || inner.any(|token| token.kind() == TokenKind::Opaque) {
            return Err(Malformed);
        }
        Ok(Self::of_part(value))
    }

    /// Any list has some structure.
    pub(super) fn of_part(list: Value<'a>) -> Self {
        let (kind, fields) = Shape::of(list).resolve();
        BodyStructure { table: list.table(), list: list.index(), kind, fields }
    }

    /// What the part is.
    #[inline]
    pub fn kind(self) -> BodyKind {
        self.kind
    }

    /// The media type in the case of the server; `multipart` or `application` where it says none (quirk 110).
    pub fn media_type(self) -> Text<'a> {
        match self.kind {
            BodyKind::Multipart => Text::plain(b"multipart"),
            _ => self.text(self.fields.media_type).unwrap_or(Text::plain(b"application")),
        }
    }

    /// The media subtype in the case of the server; a usual one of its type where it says none (quirk 111).
    pub fn media_subtype(self) -> Text<'a> {
        if let Some(subtype) = self.text(self.fields.subtype) {
            return subtype;
        }
        let usual: &[u8] = match self.kind {
            BodyKind::Multipart => b"mixed",
            BodyKind::Text => b"plain",
            BodyKind::Message => b"rfc822",
            BodyKind::Basic if self.media_type().eq_ignore_ascii_case("message") => b"rfc822",
            BodyKind::Basic if self.media_type().eq_ignore_ascii_case("audio") => b"basic",
            BodyKind::Basic => b"octet-stream",
        };
        Text::plain(usual)
    }

    /// The parameters of the media type, such as `charset` and `boundary`.
    pub fn parameters(self) -> Parameters<'a> {
        Parameters::new(self.value(self.fields.parameters))
    }

    /// The Content-ID.
    pub fn id(self) -> Option<Text<'a>> {
        self.text(self.fields.id)
    }

    /// The Content-Description.
    pub fn description(self) -> Option<Text<'a>> {
        self.text(self.fields.description)
    }

    /// The Content-Transfer-Encoding; `None` where the server says none, which means `7BIT`.
    pub fn encoding(self) -> Option<Text<'a>> {
        self.text(self.fields.encoding)
    }

    /// The size in octets, still encoded for transfer. What is below zero on the wire is zero (quirk 25).
    pub fn octets(self) -> Option<u64> {
        self.value(self.fields.octets)?.count()
    }

    /// The size in lines, of texts and messages.
    pub fn lines(self) -> Option<u64> {
        self.value(self.fields.lines)?.count()
    }

    /// The envelope of the message within; `None` where it is missing or damaged.
    pub fn envelope(self) -> Option<Envelope<'a>> {
        Envelope::new(self.value(self.fields.envelope)?).ok()
    }

    /// The structure of the message within; `None` where it is missing or `()` (quirk 107).
    pub fn body(self) -> Option<BodyStructure<'a>> {
        let value = self.value(self.fields.body)?;
        (!value.inner_tokens().is_empty()).then(|| Self::of_part(value))
    }

    /// Goes through the parts of a multipart, which may have none (quirks 108, 109).
    pub fn parts(self) -> impl Iterator<Item = BodyStructure<'a>> + Clone {
        self.part_values().unwrap_or(Values::empty()).take_while(is_list).map(Self::of_part)
    }

    /// The MD5 of the part, as the message has it.
    pub fn md5(self) -> Option<Text<'a>> {
        self.text(self.fields.md5)
    }

    /// How the part is to be presented.
    pub fn disposition(self) -> Option<Disposition<'a>> {
        Disposition::new(self.value(self.fields.disposition)?)
    }

    /// What the part would be called as a file: the `filename` of its disposition, else the `name` of its type, decoded as
    /// [`Parameters::get`] says (quirk 120). RFC 2183 §2.3
    pub fn file_name(self) -> Option<String> {
        let of_disposition = self.disposition().and_then(|disposition| disposition.parameters().get("filename"));
        of_disposition.or_else(|| self.parameters().get("name"))
    }

    /// Goes through the languages of the part, one or many (quirk 117).
    pub fn language(self) -> impl Iterator<Item = Text<'a>> + Clone {
        let value = self.value(self.fields.language);
        let one = value.and_then(Value::text);
        let many = value.and_then(Value::list).unwrap_or(Values::empty());
        one.into_iter().chain(many.filter_map(Value::text))
    }

    /// The URI of the content.
    pub fn location(self) -> Option<Text<'a>> {
        self.text(self.fields.location)
    }

    /// Goes through this part and all within it, outermost first, as they are in the message.
    ///
    /// This part counts as the whole message: a multipart has the empty path, anything else is part 1.
    pub fn walk(self) -> Walk<'a> {
        Walk::new(self)
    }

    pub(super) fn part_values(self) -> Option<Values<'a>> {
        if self.kind == BodyKind::Multipart { self.value(Slot(self.list))?.list() } else { None }
    }

    #[inline]
    fn value(self, slot: Slot) -> Option<Value<'a>> {
        Value::at(self.table, slot.0)
    }

    #[inline]
    fn text(self, slot: Slot) -> Option<Text<'a>> {
        self.value(slot)?.text()
    }
}

impl fmt::Debug for BodyStructure<'_> {
    /// Shows the part alone, not what is within it: that may be nested as deep as a server likes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyStructure")
            .field("kind", &self.kind)
            .field("media_type", &self.media_type())
            .field("media_subtype", &self.media_subtype())
            .field("parameters", &self.parameters())
            .field("encoding", &self.encoding())
            .field("octets", &self.octets())
            .field("disposition", &self.disposition())
            .field("parts", &self.parts().count())
            .finish_non_exhaustive()
    }
}

/// Goes through parameters: pairs of a name and a value. RFC 9051 §7.5.2
///
/// A value that is `NIL` or missing is empty (quirk 115); a name that is none costs its pair.
#[derive(Clone, Copy)]
pub struct Parameters<'a> {
    values: Values<'a>,
}

impl<'a> Parameters<'a> {
    fn new(value: Option<Value<'a>>) -> Self {
        Parameters { values: value.and_then(Value::list).unwrap_or(Values::empty()) }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (Text<'a>, Text<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let name = self.values.next()?.text();
            let value = self.values.next().and_then(Value::text).unwrap_or(Text::plain(b""));
            if let Some(name) = name {
                return Some((name, value));
            }
        }
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(*self).finish()
    }
}

/// Shows how a part is to be presented. RFC 9051 §7.5.2, RFC 2183 §2
#[derive(Clone, Copy, Debug)]
pub struct Disposition<'a> {
    kind: Text<'a>,
    parameters: Parameters<'a>,
}

impl<'a> Disposition<'a> {
    fn new(value: Value<'a>) -> Option<Self> {
        let Some(mut values) = value.list() else {
            // Exchange sends the word alone (quirk 116). What has spaces is something else in its place.
            let kind = value.text().filter(|text| !text.as_raw().contains(&b' '))?;
            return Some(Disposition { kind, parameters: Parameters::new(None) });
        };
        let kind = values.next()?.text()?;
        let inner = kind.as_raw().strip_prefix(br#"\""#).and_then(|kind| kind.strip_suffix(br#"\""#));
        let kind = inner.map_or(kind, |inner| kind.stretch(inner));
        Some(Disposition { kind, parameters: Parameters::new(values.next()) })
    }

    /// `inline`, `attachment` or another word, in the case of the server; seen to be empty (quirk 116).
    pub fn kind(self) -> Text<'a> {
        self.kind
    }

    /// Its parameters, such as `filename`.
    pub fn parameters(self) -> Parameters<'a> {
        self.parameters
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::grammar::PartPath;
    use crate::wire::{Limits, Parsed};

    fn word(text: Option<Text<'_>>) -> String {
        text.map_or("-".into(), |text| text.to_str().into_owned())
    }

    fn pairs(parameters: Parameters<'_>) -> String {
        let pairs: Vec<_> = parameters.map(|(name, value)| format!("{}={}", name.to_str(), value.to_str())).collect();
        pairs.join(",")
    }

    /// `path kind type/subtype{parameters}`, then whatever else is there.
    fn part(path: &PartPath, part: BodyStructure<'_>) -> String {
        let mut line = format!("{path} {:?} ", part.kind());
        line += &format!("{}/{}", part.media_type().to_str(), part.media_subtype().to_str());
        line += &format!("{{{}}}", pairs(part.parameters()));
        let texts = [("id", part.id()), ("desc", part.description()), ("enc", part.encoding())];
        for (name, text) in texts.into_iter().chain([("md5", part.md5()), ("loc", part.location())]) {
            if text.is_some() {
                line += &format!(" {name}={}", word(text));
            }
        }
        for (name, count) in [("octets", part.octets()), ("lines", part.lines())] {
            line += &count.map_or(String::new(), |count| format!(" {name}={count}"));
        }
        if let Some(envelope) = part.envelope() {
            line += &format!(" env={}", word(envelope.subject()));
        }
        if let Some(disposition) = part.disposition() {
            line += &format!(" dsp={}{{{}}}", disposition.kind().to_str(), pairs(disposition.parameters()));
        }
        let languages: Vec<_> = part.language().map(|text| text.to_str().into_owned()).collect();
        if !languages.is_empty() {
            line += &format!(" lang={}", languages.join(","));
        }
        line
    }

    fn shown(structure: &str) -> Vec<String> {
        let parsed = Parsed::of(structure);
        match BodyStructure::new(parsed.first()) {
            Ok(structure) => structure.walk().map(|(path, structure)| part(&path, structure)).collect(),
            Err(Malformed) => ["malformed".to_string()].into(),
        }
    }

    const NILS: &str = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";

    #[test]
    fn structures_of_the_standard_are_read() {
        for (structure, parts) in [
            (
                r#"("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 2279 48)"#,
                &["1 Text TEXT/PLAIN{CHARSET=US-ASCII} enc=7BIT octets=2279 lines=48"][..],
            ),
            (
                r#"(("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 1152 23)("TEXT" "PLAIN" ("CHARSET" "US-ASCII"
                "NAME" "cc.diff") "<960723163407.20117h@cac.washington.edu>" "Compiler diff" "BASE64" 4554 73) "MIXED")"#,
                &[
                    " Multipart multipart/MIXED{}",
                    "1 Text TEXT/PLAIN{CHARSET=US-ASCII} enc=7BIT octets=1152 lines=23",
                    "2 Text TEXT/PLAIN{CHARSET=US-ASCII,NAME=cc.diff} id=<960723163407.20117h@cac.washington.edu> \
                     desc=Compiler diff enc=BASE64 octets=4554 lines=73",
                ],
            ),
            (
                r#"("image" "png" NIL "<i>" "d" "base64" 9 "m" ("attachment" ("filename" "x")) ("en" "de") "l" "ext" 1 (2))"#,
                &[
                    "1 Basic image/png{} id=<i> desc=d enc=base64 md5=m loc=l octets=9 dsp=attachment{filename=x} lang=en,de",
                ],
            ),
            (
                r#"(("text" "html" NIL NIL NIL "8bit" 1 2 "m" NIL "en" "l") "related" ("type" "t") ("inline" NIL) "en" "l" 1)"#,
                &[
                    " Multipart multipart/related{type=t} loc=l dsp=inline{} lang=en",
                    "1 Text text/html{} enc=8bit md5=m loc=l octets=1 lines=2 lang=en",
                ],
            ),
        ] {
            assert_eq!(shown(structure), parts, "{structure}");
        }
    }

    #[test]
    fn parts_are_numbered_as_sections_are() {
        let text = r#"("text" "plain" NIL NIL NIL "7bit" 1 1)"#;
        let message = |body: &str| {
            format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 9 (NIL "s" NIL NIL NIL NIL NIL NIL NIL NIL) {body} 3)"#)
        };
        let multi = format!(r#"({text}{text} "mixed")"#);
        let structure = format!(r#"({text}{}{}({text} "alternative") "mixed")"#, message(&multi), message(text));
        let parsed = Parsed::of(&structure);
        let parts: Vec<_> = BodyStructure::new(parsed.first())
            .expect("a structure")
            .walk()
            .map(|(path, part)| format!("{path} {:?}", part.kind()))
            .collect();
        let expected = [" Multipart", "1 Text", "2 Message", "2 Multipart", "2.1 Text", "2.2 Text", "3 Message"];
        assert_eq!(parts[..7], expected);
        assert_eq!(parts[7..], ["3.1 Text", "4 Multipart", "4.1 Text"]);
        let alone = Parsed::of(message(&multi));
        let mut walk = BodyStructure::new(alone.first()).expect("a structure").walk();
        let mut paths = Vec::new();
        while walk.advance().is_some() {
            paths.push(walk.path().to_vec());
        }
        assert_eq!(paths, [&[1][..], &[1], &[1, 1], &[1, 2]]);
    }

    #[test]
    fn structures_are_read_whatever_servers_make_of_them() {
        let empty_message = format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 0 {NILS} () 0 NIL NIL NIL)"#);
        let nil_message = format!(r#"("message" "rfc822" NIL NIL NIL "7bit" 0 {NILS} NIL 0)"#);
        for (quirk, structure, parts) in [
            (107, empty_message.as_str(), &["1 Message message/rfc822{} enc=7bit octets=0 lines=0 env=-"][..]),
            (107, &nil_message, &["1 Message message/rfc822{} enc=7bit octets=0 lines=0 env=-"]),
            (108, r#"("ALTERNATIVE" ("BOUNDARY" "x") NIL NIL)"#, &[" Multipart multipart/ALTERNATIVE{BOUNDARY=x}"]),
            (108, r#"("RELATED" NIL ("ATTACHMENT" NIL) NIL)"#, &[" Multipart multipart/RELATED{} dsp=ATTACHMENT{}"]),
            (108, r#"("ALTERNATIVE")"#, &[" Multipart multipart/ALTERNATIVE{}"]),
            (108, r#"(NIL "alternative" ("b" "x") NIL NIL NIL)"#, &[" Multipart multipart/alternative{b=x}"]),
            (
                109,
                r#"("multipart" "related" ("boundary" "b") NIL NIL "7BIT" 400 ("boundary" "b") NIL NIL NIL)"#,
                &[" Multipart multipart/related{boundary=b} enc=7BIT octets=400"],
            ),
            (
                109,
                r#"("multipart" "digest" NIL NIL NIL "7bit" -1 ("boundary" "b") ("inline" NIL) NIL NIL)"#,
                &[" Multipart multipart/digest{boundary=b} enc=7bit octets=0 dsp=inline{}"],
            ),
            (109, r#"("multipart" ("boundary" "b"))"#, &[" Multipart multipart/mixed{boundary=b}"]),
            (
                110,
                r#"(NIL NIL NIL NIL NIL "7BIT" 563 NIL NIL NIL NIL)"#,
                &["1 Basic application/octet-stream{} enc=7BIT octets=563"],
            ),
            (
                111,
                r#"("APPLICATION" NIL NIL NIL "base64" 356)"#,
                &["1 Basic APPLICATION/octet-stream{} enc=base64 octets=356"],
            ),
            (111, r#"("AUDIO" NIL NIL NIL "base64" 356)"#, &["1 Basic AUDIO/basic{} enc=base64 octets=356"]),
            (111, r#"("MESSAGE" NIL NIL NIL "base64" 356)"#, &["1 Basic MESSAGE/rfc822{} enc=base64 octets=356"]),
            (
                111,
                r#"("TEXT" ("CHARSET" "w") NIL NIL "base64" 356 5)"#,
                &["1 Text TEXT/plain{CHARSET=w} enc=base64 octets=356 lines=5"],
            ),
            (
                111,
                r#"("X-ZIP" ("BOUNDARY" "") NIL NIL "base64" 356)"#,
                &["1 Basic application/X-ZIP{BOUNDARY=} enc=base64 octets=356"],
            ),
            (
                111,
                r#"("TEXT" NIL ("a" "b") NIL NIL "7BIT" 3 1)"#,
                &["1 Text TEXT/plain{a=b} enc=7BIT octets=3 lines=1"],
            ),
            (
                112,
                r#"("message" "rfc822" ("name" "x") NIL NIL "7bit" 100 NIL ("attachment" NIL) NIL NIL)"#,
                &["1 Basic message/rfc822{name=x} enc=7bit octets=100 dsp=attachment{}"],
            ),
            (112, r#"("message" "global" NIL NIL NIL "7bit" 1)"#, &["1 Basic message/global{} enc=7bit octets=1"]),
            (
                112,
                r#"("message" "delivery-status" NIL NIL NIL "7bit" 1 NIL NIL NIL NIL)"#,
                &["1 Basic message/delivery-status{} enc=7bit octets=1"],
            ),
            (
                112,
                r#"("message" "delivery-status" NIL NIL NIL "7bit" 1 2 NIL ("inline" NIL))"#,
                &["1 Basic message/delivery-status{} enc=7bit octets=1 lines=2 dsp=inline{}"],
            ),
            (
                113,
                r#"("text" "plain" NIL NIL NIL "7bit" 100 NIL ("inline" NIL) NIL NIL)"#,
                &["1 Text text/plain{} enc=7bit octets=100 dsp=inline{}"],
            ),
            (
                113,
                r#"("text" "plain" NIL NIL NIL "7bit" 100 NIL NIL NIL "l")"#,
                &["1 Text text/plain{} enc=7bit loc=l octets=100"],
            ),
            (113, r#"("text" "plain" NIL NIL NIL "7bit" 100)"#, &["1 Text text/plain{} enc=7bit octets=100"]),
            (
                113,
                r#"("text" "plain" NIL NIL NIL "7bit" 100 NIL "md5" ("inline" NIL))"#,
                &["1 Text text/plain{} enc=7bit md5=md5 octets=100 dsp=inline{}"],
            ),
            (
                112,
                r#"("message" "rfc822" NIL NIL NIL "7bit" 9 NIL ("a" "b") 3)"#,
                &["1 Message message/rfc822{} enc=7bit octets=9 lines=3", "1.1 Basic a/b{}"],
            ),
            (114, r#"("text" "plain" NIL NIL NIL NIL NIL 7)"#, &["1 Text text/plain{} lines=7"]),
            (25, r#"("text" "plain" NIL NIL NIL "7bit" -1 -1)"#, &["1 Text text/plain{} enc=7bit octets=0 lines=0"]),
            (
                115,
                r#"("text" "plain" ("boundary" NIL "odd") NIL NIL NIL 1 1)"#,
                &["1 Text text/plain{boundary=,odd=} octets=1 lines=1"],
            ),
            (
                115,
                r#"("text" "plain" (NIL "v" "a" ("x")) NIL NIL NIL 1 1)"#,
                &["1 Text text/plain{a=} octets=1 lines=1"],
            ),
            (116, r#"("a" "b" NIL NIL NIL NIL 1 NIL "inline" NIL)"#, &["1 Basic a/b{} octets=1 dsp=inline{}"]),
            (116, r#"("a" "b" NIL NIL NIL NIL 1 NIL (NIL NIL) NIL)"#, &["1 Basic a/b{} octets=1"]),
            (
                116,
                r#"("a" "b" NIL NIL NIL NIL 1 NIL ("\"attachment\"" ("filename" "x")))"#,
                &["1 Basic a/b{} octets=1 dsp=attachment{filename=x}"],
            ),
            (
                116,
                r#"("a" "b" NIL NIL NIL NIL 1 NIL ("" ("filename" "x")))"#,
                &["1 Basic a/b{} octets=1 dsp={filename=x}"],
            ),
            (
                116,
                r#"("a" "b" NIL NIL NIL NIL 1 ("inline" NIL) "en" NIL)"#,
                &["1 Basic a/b{} octets=1 dsp=inline{} lang=en"],
            ),
            (
                116,
                r#"(("a" "b" NIL NIL NIL NIL 1) "mixed" ("boundary" "x") "Multipart message" NIL)"#,
                &[" Multipart multipart/mixed{boundary=x}", "1 Basic a/b{} octets=1"],
            ),
            (
                116,
                r#"(("a" "b" NIL NIL NIL NIL 1) "mixed" ("inline" NIL) ("boundary" "x") NIL)"#,
                &[" Multipart multipart/mixed{boundary=x} dsp=inline{}", "1 Basic a/b{} octets=1"],
            ),
            (
                116,
                r#"(("a" "b" NIL NIL NIL NIL 1) "mixed" NIL ("inline" NIL) NIL NIL)"#,
                &[" Multipart multipart/mixed{} dsp=inline{}", "1 Basic a/b{} octets=1"],
            ),
            (117, r#"("a" "b" NIL NIL NIL NIL 1 NIL NIL ("en" NIL) NIL)"#, &["1 Basic a/b{} octets=1 lang=en"]),
            (117, r#"("a" "b" NIL NIL NIL NIL 1 NIL NIL "en")"#, &["1 Basic a/b{} octets=1 lang=en"]),
            (118, r#"("a" "b" NIL NIL NIL NIL 1 NIL NIL NIL ())"#, &["1 Basic a/b{} octets=1"]),
            (
                118,
                r#"("a" "b" NIL NIL NIL NIL 1 NIL NIL NIL "l" "ext" 123 ("a" ("b" "c")))"#,
                &["1 Basic a/b{} loc=l octets=1"],
            ),
            (
                119,
                r#"(("a" "b" NIL NIL NIL NIL 1) "ALTERNATIVE"))"#,
                &[" Multipart multipart/ALTERNATIVE{}", "1 Basic a/b{} octets=1"],
            ),
            (
                119,
                "(text plain (charset utf-8) NIL NIL 7bit 1 2",
                &["1 Text text/plain{charset=utf-8} enc=7bit octets=1 lines=2"],
            ),
            (81, r#"((("a" "b" NIL NIL NIL NIL 1)))"#, &["1 Basic a/b{} octets=1"]),
            (17, "({1}\r\na {1}\r\nb NIL NIL NIL {4}\r\n7bit 1 {1}\r\nm)", &["1 Basic a/b{} enc=7bit md5=m octets=1"]),
            (120, "()", &["malformed"]),
            (120, "(())", &["malformed"]),
            (120, "NIL", &["malformed"]),
            (120, r#""text""#, &["malformed"]),
        ] {
            assert_eq!(shown(structure), parts, "quirk {quirk}: {structure}");
        }
    }

    #[test]
    fn quirk_120_what_is_nested_too_deep_is_malformed() {
        let limits = Limits { depth: 4, ..Limits::default() };
        for (structure, whole) in [
            (r#"(((("a" "b" NIL) "mixed") "mixed") "mixed")"#, true),
            (r#"(((("a" "b" ("c" "d")) "mixed") "mixed") "mixed")"#, false),
        ] {
            let parsed = Parsed::with(structure, Vec::new(), &limits);
            assert_eq!(BodyStructure::new(parsed.first()).is_ok(), whole, "{structure}");
        }
    }
}
