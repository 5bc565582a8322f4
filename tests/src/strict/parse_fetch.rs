use super::command::{Item, Label, Section, SectionText};
use super::cursor::{Cursor, Parsed, text};

/// `("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")`
pub(super) fn fetch_items(cursor: &mut Cursor<'_>) -> Parsed<Vec<Item>> {
    let fast = vec![Item::Flags, Item::InternalDate, Item::Size];
    if cursor.peek() == Some(b'(') {
        return cursor.list(item);
    }
    if cursor.skip_word("FAST") {
        return Ok(fast);
    }
    if cursor.skip_word("ALL") {
        return Ok([fast, vec![Item::Envelope]].concat());
    }
    if cursor.skip_word("FULL") {
        return Ok([fast, vec![Item::Envelope, Item::Structure("BODY")]].concat());
    }
    Ok(vec![item(cursor)?])
}

fn item(cursor: &mut Cursor<'_>) -> Parsed<Item> {
    let word = cursor.keyword()?;
    let section = cursor.peek() == Some(b'[');
    Ok(match (word.as_str(), section) {
        ("BODY", true) => body(cursor, false)?,
        ("BODY.PEEK", true) => body(cursor, true)?,
        (_, true) | ("BODY.PEEK", false) => return cursor.fault("a FETCH item"),
        ("UID", _) => Item::Uid,
        ("FLAGS", _) => Item::Flags,
        ("INTERNALDATE", _) => Item::InternalDate,
        ("RFC822.SIZE", _) => Item::Size,
        ("ENVELOPE", _) => Item::Envelope,
        ("BODYSTRUCTURE", _) => Item::Structure("BODYSTRUCTURE"),
        ("BODY", _) => Item::Structure("BODY"),
        ("RFC822", _) => old("RFC822", SectionText::Whole, false),
        ("RFC822.HEADER", _) => old("RFC822.HEADER", SectionText::Header, true),
        ("RFC822.TEXT", _) => old("RFC822.TEXT", SectionText::Text, false),
        _ => return cursor.fault("a FETCH item the server advertises"),
    })
}

fn old(label: &'static str, text: SectionText, peek: bool) -> Item {
    Item::Section { label: Label::Old(label), section: Section { part: Vec::new(), text }, partial: None, peek }
}

/// `section ["<" number "." nz-number ">"]`
fn body(cursor: &mut Cursor<'_>, peek: bool) -> Parsed<Item> {
    cursor.byte(b'[', "a section")?;
    let section = section(cursor)?;
    cursor.byte(b']', "the end of the section")?;
    let mut partial = None;
    if cursor.skip_if(b'<') {
        let offset = cursor.number()?;
        cursor.byte(b'.', "a dot between offset and length")?;
        partial = Some((offset, cursor.nz_number()?));
        cursor.byte(b'>', "the end of the partial range")?;
    }
    Ok(Item::Section { label: Label::Body, section, partial, peek })
}

/// `section-spec = section-msgtext / (section-part ["." section-text])`
fn section(cursor: &mut Cursor<'_>) -> Parsed<Section> {
    let mut part = Vec::new();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        part.push(cursor.nz_number()?);
        if !cursor.skip_if(b'.') {
            return Ok(Section { part, text: SectionText::Whole });
        }
        if cursor.peek() == Some(b']') {
            return cursor.fault("a section after the dot");
        }
    }
    if cursor.peek() == Some(b']') {
        return Ok(Section { part, text: SectionText::Whole });
    }
    let text = match cursor.keyword()?.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if !part.is_empty() => SectionText::Mime,
        "HEADER.FIELDS" => SectionText::Fields { names: names(cursor)?, inverted: false },
        "HEADER.FIELDS.NOT" => SectionText::Fields { names: names(cursor)?, inverted: true },
        _ => return cursor.fault("a section"),
    };
    Ok(Section { part, text })
}

/// `header-list = "(" header-fld-name *(SP header-fld-name) ")"`
fn names(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.space()?;
    cursor.list(|cursor| {
        let name = cursor.astring()?;
        let legal = |byte: &u8| (33..=126).contains(byte) && *byte != b':';
        if name.is_empty() || !name.iter().all(legal) { cursor.fault("a header field name") } else { Ok(text(&name)) }
    })
}
