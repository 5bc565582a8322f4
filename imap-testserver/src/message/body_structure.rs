use super::header::Fields;
use super::media::Media;
use super::parts::Kind;
use super::wire::{write_nstring, write_string};
use super::{Content, Part, envelope};

/// Says how much of a structure is written: `BODY` leaves the extension data out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyShape {
    /// `BODY`
    Basic,
    /// `BODYSTRUCTURE`
    Extended,
}

/// Writes BODY or BODYSTRUCTURE. RFC 9051 §7.5.2
///
/// ```abnf
/// body = "(" (body-type-1part / body-type-mpart) ")"
/// ```
pub(crate) fn body_structure(content: &Content, shape: BodyShape, out: &mut Vec<u8>) {
    Writer { raw: content.raw(), shape, out }.part(content.root(), Parent::Other);
}

/// A digest changes what its parts are unless they say. RFC 2046 §5.1.5
#[derive(Clone, Copy, PartialEq)]
enum Parent {
    Digest,
    Other,
}

struct Writer<'a> {
    raw: &'a [u8],
    shape: BodyShape,
    out: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn part(&mut self, part: &Part, parent: Parent) {
        let fields = Fields::of(part.header(self.raw));
        let media = media(fields, part, parent);
        self.out.push(b'(');
        match &part.kind {
            Kind::Multipart(parts) => self.multipart(parts, &media, fields),
            kind => {
                self.basic(&media, fields, part);
                let body = part.body(self.raw);
                if let Kind::Message(inner) = kind {
                    self.out.push(b' ');
                    envelope(Fields::of(inner.header(self.raw)), self.out);
                    self.out.push(b' ');
                    self.part(inner, Parent::Other);
                }
                if matches!(kind, Kind::Message(_)) || media.has_kind("text") {
                    let lines = body.iter().filter(|byte| **byte == b'\n').count();
                    self.text(&format!(" {lines}"));
                }
                if self.shape == BodyShape::Extended {
                    self.out.push(b' ');
                    write_nstring(fields.value("Content-MD5").as_deref(), self.out);
                    self.extension(fields);
                }
            }
        }
        self.out.push(b')');
    }

    /// ```abnf
    /// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
    /// body-ext-mpart  = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]]
    /// ```
    fn multipart(&mut self, parts: &[Part], media: &Media, fields: Fields<'_>) {
        let parent = if media.is("multipart", "digest") { Parent::Digest } else { Parent::Other };
        for part in parts {
            self.part(part, parent);
        }
        self.out.push(b' ');
        write_string(&media.subtype, self.out);
        if self.shape == BodyShape::Extended {
            self.out.push(b' ');
            self.parameters(&media.parameters);
            self.extension(fields);
        }
    }

    /// ```abnf
    /// body-type-basic = media-basic SP body-fields
    /// body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
    /// ```
    fn basic(&mut self, media: &Media, fields: Fields<'_>, part: &Part) {
        write_string(&media.kind, self.out);
        self.out.push(b' ');
        write_string(&media.subtype, self.out);
        self.out.push(b' ');
        self.parameters(&media.parameters);
        for name in ["Content-ID", "Content-Description"] {
            self.out.push(b' ');
            write_nstring(fields.value(name).as_deref(), self.out);
        }
        self.out.push(b' ');
        let encoding = fields.value("Content-Transfer-Encoding").filter(|encoding| !encoding.is_empty());
        write_string(encoding.as_deref().unwrap_or(b"7bit"), self.out);
        let octets = part.body(self.raw).len();
        self.text(&format!(" {octets}"));
    }

    /// Disposition, language and location, which all parts can have.
    fn extension(&mut self, fields: Fields<'_>) {
        self.out.push(b' ');
        match fields.value("Content-Disposition").and_then(|value| Media::parse(&value)) {
            Some(disposition) => {
                self.out.push(b'(');
                write_string(&disposition.kind, self.out);
                self.out.push(b' ');
                self.parameters(&disposition.parameters);
                self.out.push(b')');
            }
            None => self.text("NIL"),
        }
        self.out.push(b' ');
        self.languages(fields);
        self.out.push(b' ');
        write_nstring(fields.value("Content-Location").as_deref(), self.out);
    }

    fn languages(&mut self, fields: Fields<'_>) {
        let value = fields.value("Content-Language").unwrap_or_default();
        let tags: Vec<_> =
            value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|tag| !tag.is_empty()).collect();
        match &tags[..] {
            [] => self.text("NIL"),
            [only] => write_string(only, self.out),
            tags => self.list(tags),
        }
    }

    fn parameters(&mut self, parameters: &[(Vec<u8>, Vec<u8>)]) {
        let flat: Vec<_> = parameters.iter().flat_map(|(name, value)| [&name[..], &value[..]]).collect();
        if flat.is_empty() { self.text("NIL") } else { self.list(&flat) }
    }

    fn list(&mut self, strings: &[&[u8]]) {
        for (at, string) in strings.iter().enumerate() {
            self.out.push(if at == 0 { b'(' } else { b' ' });
            write_string(string, self.out);
        }
        self.out.push(b')');
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// The media type of a part, made to fit what the part turned out to be.
fn media(fields: Fields<'_>, part: &Part, parent: Parent) -> Media {
    let written = fields.value("Content-Type").and_then(|value| Media::parse(&value));
    let written = written.filter(|media| !media.subtype.is_empty());
    match (&part.kind, written) {
        (Kind::Message(_), Some(media)) if media.is("message", "rfc822") => media,
        (Kind::Message(_), _) => Media::message(),
        (Kind::Leaf, Some(media)) if media.has_kind("multipart") || media.is("message", "rfc822") => {
            Media::octet_stream()
        }
        (_, Some(media)) => media,
        (_, None) if parent == Parent::Digest => Media::octet_stream(),
        (_, None) => Media::text_plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str, shape: BodyShape) -> String {
        let mut out = Vec::new();
        body_structure(&Content::new(raw.as_bytes().to_vec()), shape, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn structures_of_all_kinds() {
        let mixed = "Content-Type: multipart/mixed; boundary=b\r\nContent-Language: en, de\r\n\r\n\
                     --b\r\n\r\nplain\r\n\r\n--b\r\nContent-Type: image/png; name=\"a b.png\"\r\n\
                     Content-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\
                     Content-Disposition: attachment; filename*=utf-8''a%20b.png\r\n\r\nAAEC\r\n\
                     --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\none\r\ntwo\r\n--b--\r\n";
        for (raw, shape, expected) in [
            (
                "Subject: x\r\n\r\na\r\nb\r\n",
                BodyShape::Extended,
                "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 2 NIL NIL NIL NIL)",
            ),
            (
                "Content-Type: text/html; charset=utf-8\r\nContent-MD5: abc\r\n\r\nx",
                BodyShape::Extended,
                "(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 1 0 \"abc\" NIL NIL NIL)",
            ),
            (
                mixed,
                BodyShape::Basic,
                "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1)\
                 (\"image\" \"png\" (\"name\" \"a b.png\") \"<i@x>\" NIL \"base64\" 4)\
                 (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 23 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
                 (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 1) 3) \"mixed\")",
            ),
            (
                mixed,
                BodyShape::Extended,
                "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 7 1 NIL NIL NIL NIL)\
                 (\"image\" \"png\" (\"name\" \"a b.png\") \"<i@x>\" NIL \"base64\" 4 NIL \
                 (\"attachment\" (\"filename*\" \"utf-8''a%20b.png\")) NIL NIL)\
                 (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 23 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
                 (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL) \
                 \"mixed\" (\"boundary\" \"b\") NIL (\"en\" \"de\") NIL)",
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\r\n\r\nno part",
                BodyShape::Basic,
                "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 7)",
            ),
        ] {
            assert_eq!(shown(raw, shape), expected);
        }
    }

    #[test]
    fn parts_of_a_digest_are_messages() {
        let raw = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: one\r\n\r\nx\r\n--b--\r\n";
        assert!(
            shown(raw, BodyShape::Basic).starts_with("((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"one\"")
        );
    }
}
