//! FETCH responses.

use super::Message;
use super::command::{Item, Label, Section, SectionText};
use super::cursor::is_astring_char;
use super::mailboxes::quoted;
use super::messages::section;

/// Writes `* n FETCH (…)`.
pub(super) fn fetch(output: &mut Vec<u8>, number: u32, message: &Message, items: &[Item]) {
    output.extend(format!("* {number} FETCH (").into_bytes());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            output.push(b' ');
        }
        data(output, message, item);
    }
    output.extend_from_slice(b")\r\n");
}

fn data(output: &mut Vec<u8>, message: &Message, item: &Item) {
    let text = match item {
        Item::Uid => format!("UID {}", message.uid),
        Item::Flags => {
            let flags: Vec<&str> = message.flags.iter().map(String::as_str).collect();
            format!("FLAGS ({})", flags.join(" "))
        }
        Item::InternalDate => format!("INTERNALDATE \"{}\"", message.internal_date),
        Item::Size => format!("RFC822.SIZE {}", message.body.len()),
        Item::Envelope => return envelope(output, message),
        Item::Structure(label) => {
            let text = message.split().1;
            let lines = text.iter().filter(|&&byte| byte == b'\n').count();
            let size = text.len();
            format!(r#"{label} ("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "8BIT" {size} {lines})"#)
        }
        Item::Section { label, section: wanted, partial, .. } => {
            return body(output, message, *label, wanted, *partial);
        }
    };
    output.extend(text.into_bytes());
}

fn body(output: &mut Vec<u8>, message: &Message, label: Label, wanted: &Section, partial: Option<(u32, u32)>) {
    let name = match label {
        Label::Old(name) => name.to_owned(),
        Label::Body => format!("BODY[{}]", name(wanted)),
    };
    output.extend(name.into_bytes());
    if let Some((offset, _)) = partial {
        output.extend(format!("<{offset}>").into_bytes());
    }
    output.push(b' ');
    let Some(octets) = section(message, wanted) else {
        return output.extend_from_slice(b"NIL");
    };
    let (offset, length) = partial.unwrap_or((0, u32::MAX));
    let start = (offset as usize).min(octets.len());
    let end = start.saturating_add(length as usize).min(octets.len());
    literal(output, &octets[start..end]);
}

/// `section-spec` as the client may have written it.
fn name(section: &Section) -> String {
    let mut words: Vec<String> = section.part.iter().map(u32::to_string).collect();
    match &section.text {
        SectionText::Whole => {}
        SectionText::Header => words.push("HEADER".into()),
        SectionText::Text => words.push("TEXT".into()),
        SectionText::Mime => words.push("MIME".into()),
        SectionText::Fields { names, inverted } => {
            let names: Vec<String> = names.iter().map(|name| astring(name)).collect();
            let not = if *inverted { ".NOT" } else { "" };
            words.push(format!("HEADER.FIELDS{not} ({})", names.join(" ")));
        }
    }
    words.join(".")
}

fn astring(text: &str) -> String {
    if text.bytes().all(is_astring_char) { text.to_owned() } else { quoted(text) }
}

/// `envelope`, with addresses read as `Name <user@host>` between commas.
fn envelope(output: &mut Vec<u8>, message: &Message) {
    output.extend_from_slice(b"ENVELOPE (");
    nstring(output, message.field("Date").as_deref());
    output.push(b' ');
    nstring(output, message.field("Subject").as_deref());
    for field in ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"] {
        output.push(b' ');
        let value = message.field(field);
        // RFC 3501 §7.4.2: the server sets missing Sender and Reply-To from From.
        let value = if ["Sender", "Reply-To"].contains(&field) { value.or(message.field("From")) } else { value };
        addresses(output, value.as_deref());
    }
    for field in ["In-Reply-To", "Message-ID"] {
        output.push(b' ');
        nstring(output, message.field(field).as_deref());
    }
    output.push(b')');
}

fn addresses(output: &mut Vec<u8>, value: Option<&[u8]>) {
    let list = String::from_utf8_lossy(value.unwrap_or_default()).into_owned();
    let mut mailboxes: Vec<(Option<String>, String)> = Vec::new();
    for part in split_outside_quotes(&list) {
        let part = part.trim();
        match part.rsplit_once('<') {
            Some((name, address)) => {
                let name = name.trim().trim_matches('"').replace("\\\"", "\"").replace("\\\\", "\\");
                mailboxes.push(((!name.is_empty()).then_some(name), address.trim_end_matches('>').to_owned()));
            }
            None if part.is_empty() => {}
            None => mailboxes.push((None, part.to_owned())),
        }
    }
    if mailboxes.is_empty() {
        return output.extend_from_slice(b"NIL");
    }
    output.push(b'(');
    for (name, address) in mailboxes {
        let (user, host) = address.rsplit_once('@').unwrap_or((&address, ""));
        output.push(b'(');
        nstring(output, name.as_deref().map(str::as_bytes));
        output.extend_from_slice(b" NIL ");
        nstring(output, Some(user.as_bytes()));
        output.push(b' ');
        nstring(output, Some(host.as_bytes()));
        output.push(b')');
    }
    output.push(b')');
}

fn split_outside_quotes(list: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, char) in list.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&list[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts
}

/// `nstring`, as a literal where quotes would need escaping.
fn nstring(output: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        return output.extend_from_slice(b"NIL");
    };
    if value.iter().all(|&byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\') {
        output.push(b'"');
        output.extend_from_slice(value);
        output.push(b'"');
    } else {
        literal(output, value);
    }
}

fn literal(output: &mut Vec<u8>, octets: &[u8]) {
    output.extend(format!("{{{}}}\r\n", octets.len()).into_bytes());
    output.extend_from_slice(octets);
}

/// Ascending numbers as a set: `1:3,5`.
pub(super) fn numbers(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == number => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    let words: Vec<String> = ranges
        .into_iter()
        .map(|(from, to)| if from == to { from.to_string() } else { format!("{from}:{to}") })
        .collect();
    words.join(",")
}
