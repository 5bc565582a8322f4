use imap_proto_core::types::{Capability, Section};
use imap_proto_core::wire::{Limits, Tokenized};

use super::Session;
use super::answer::{Bad, Parsed, bad};
use super::args::{Args, number};
use super::spacing::is_strict;
use crate::message::BodyShape;

/// The most items that one FETCH asks for: each can give the whole message.
const MOST_ITEMS: usize = 100;

/// One thing that FETCH asks for. RFC 9051 §6.4.5, and of RFC 3501 the RFC822 family.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    Structure(BodyShape),
    ModSeq,
    Body(BodyItem),
}

/// `BODY[section]<origin.length>`, or one of its older names.
#[derive(Clone, Debug)]
pub(super) struct BodyItem {
    pub(super) section: Section,
    /// What it is called in the response.
    pub(super) name: String,
    pub(super) partial: Option<(u64, u64)>,
    /// Fetching it makes the message seen.
    pub(super) sets_seen: bool,
}

impl Session {
    /// ```abnf
    /// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    /// ```
    pub(super) fn fetch_items(&self, args: &mut Args<'_>) -> Parsed<Vec<Item>> {
        use Item::{Envelope, Flags, InternalDate, Size, Structure};
        if args.at_list() {
            let mut list = args.list()?;
            let mut items = Vec::new();
            loop {
                items.push(self.fetch_item(list.next()?.atom())?);
                if list.is_empty() {
                    return Ok(items);
                }
                if items.len() == MOST_ITEMS {
                    return bad("Too many items");
                }
            }
        }
        let atom = args.next()?.atom();
        Ok(match atom.unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"ALL" => vec![Flags, InternalDate, Size, Envelope],
            b"FAST" => vec![Flags, InternalDate, Size],
            b"FULL" => vec![Flags, InternalDate, Size, Envelope, Structure(BodyShape::Basic)],
            _ => vec![self.fetch_item(atom)?],
        })
    }

    fn fetch_item(&self, atom: Option<&[u8]>) -> Parsed<Item> {
        let atom = atom.ok_or(Bad("Fetch item expected".into()))?;
        let old = |name: &str, section, sets_seen| {
            Item::Body(BodyItem { section, name: name.to_owned(), partial: None, sets_seen })
        };
        Ok(match atom.to_ascii_uppercase().as_slice() {
            b"UID" => Item::Uid,
            b"FLAGS" => Item::Flags,
            b"INTERNALDATE" => Item::InternalDate,
            b"RFC822.SIZE" => Item::Size,
            b"ENVELOPE" => Item::Envelope,
            b"BODY" => Item::Structure(BodyShape::Basic),
            b"BODYSTRUCTURE" => Item::Structure(BodyShape::Extended),
            b"MODSEQ" if self.has(&Capability::CondStore) => Item::ModSeq,
            b"RFC822" => old("RFC822", Section::whole(), true),
            b"RFC822.HEADER" => old("RFC822.HEADER", Section::header(), false),
            b"RFC822.TEXT" => old("RFC822.TEXT", Section::text(), true),
            _ => Item::Body(body_item(atom).ok_or(Bad("Unknown fetch item".into()))?),
        })
    }
}

/// ```abnf
/// fetch-att = "BODY" section ["<" number "." nz-number ">"] / "BODY.PEEK" section ["<" number "." nz-number ">"]
/// section   = "[" [section-spec] "]"
/// ```
fn body_item(atom: &[u8]) -> Option<BodyItem> {
    let open = atom.iter().position(|byte| *byte == b'[')?;
    let close = atom.iter().rposition(|byte| *byte == b']')?;
    let sets_seen = match atom[..open].to_ascii_uppercase().as_slice() {
        b"BODY" => true,
        b"BODY.PEEK" => false,
        _ => return None,
    };
    let partial = match &atom[close + 1..] {
        [] => None,
        range => {
            let range = range.strip_prefix(b"<")?.strip_suffix(b">")?;
            let dot = range.iter().position(|byte| *byte == b'.')?;
            let (origin, length) = (number(&range[..dot]).ok()?, number(&range[dot + 1..]).ok()?);
            // A length of nothing is none. RFC 9051 §9: `nz-number`
            if length == 0 || length > u32::MAX.into() || origin > u32::MAX.into() {
                return None;
            }
            Some((origin, length))
        }
    };
    let section = parse_section(atom.get(open + 1..close)?)?;
    let origin = partial.map(|(origin, _)| format!("<{origin}>")).unwrap_or_default();
    Some(BodyItem { name: format!("BODY[{section}]{origin}"), section, partial, sets_seen })
}

/// ```abnf
/// section-spec    = section-msgtext / (section-part ["." section-text])
/// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
/// section-text    = section-msgtext / "MIME"
/// section-part    = nz-number *("." nz-number)
/// ```
fn parse_section(text: &[u8]) -> Option<Section> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (part, name) = text.split_at(digits);
    let part = std::str::from_utf8(part).ok()?;
    let part = match (part, name) {
        ("", _) | (_, []) => part,
        (part, _) => part.strip_suffix('.')?,
    };
    if part.split('.').any(|number| number.starts_with('0')) {
        return None;
    }
    let (name, list) = match name.iter().position(|byte| *byte == b' ') {
        Some(space) => (&name[..space], Some(&name[space + 1..])),
        None => (name, None),
    };
    let section = match (name.to_ascii_uppercase().as_slice(), list) {
        (b"", None) => Section::whole(),
        (b"HEADER", None) => Section::header(),
        (b"TEXT", None) => Section::text(),
        (b"MIME", None) if !part.is_empty() => return Section::mime(part).ok(),
        (b"HEADER.FIELDS", Some(list)) => Section::header_fields(field_names(list)?).ok()?,
        (b"HEADER.FIELDS.NOT", Some(list)) => Section::header_fields_not(field_names(list)?).ok()?,
        _ => return None,
    };
    if part.is_empty() { Some(section) } else { section.in_part(part).ok() }
}

/// ```abnf
/// header-list = "(" header-fld-name *(SP header-fld-name) ")"
/// ```
fn field_names(list: &[u8]) -> Option<Vec<String>> {
    let line = Tokenized::new(list.to_vec(), &Limits::default());
    if !line.damage().is_none() || !is_strict(&line) {
        return None;
    }
    let mut values = Args(line.values());
    let mut names = values.list().ok()?;
    values.end().ok()?;
    let mut found = Vec::new();
    while !names.is_empty() {
        found.push(String::from_utf8(names.astring().ok()?).ok()?);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_items_are_read_strictly() {
        for (atom, expected) in [
            ("BODY[]", Some("BODY[]")),
            ("body.peek[]<0.10>", Some("BODY[]<0>")),
            ("BODY[1.2.MIME]", Some("BODY[1.2.MIME]")),
            ("BODY[header.fields (From \"To\")]", Some("BODY[HEADER.FIELDS (From To)]")),
            ("BODY[1.HEADER.FIELDS.NOT ({2}\r\nTo)]<5.6>", Some("BODY[1.HEADER.FIELDS.NOT (To)]<5>")),
            ("BODY[2.TEXT]", Some("BODY[2.TEXT]")),
            ("BODY[]<0.0>", None),
            ("BODY[]<0>", None),
            ("BODY[]<-1.5>", None),
            ("BODY[]x", None),
            ("BODY[0]", None),
            ("BODY[1.]", None),
            ("BODY[1..2]", None),
            ("BODY[1TEXT]", None),
            ("BODY[MIME]", None),
            ("BODY[HEADER.FIELDS]", None),
            ("BODY[HEADER.FIELDS ()]", None),
            ("BODY[HEADER.FIELDS  (A)]", None),
            ("BODY[HEADER (A)]", None),
            ("BODY[NOTHING]", None),
            ("BINARY[1]", None),
            ("BODY[", None),
            ("BODY]", None),
            ("BODY][", None),
        ] {
            assert_eq!(body_item(atom.as_bytes()).map(|item| item.name).as_deref(), expected, "{atom:?}");
        }
    }
}
