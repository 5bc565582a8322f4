//! The commands, `command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF`.

use super::command::{By, Change, Command, NewMessage, Set};
use super::cursor::{Cursor, Fault, Parsed, is_astring_char, is_atom_char, text};
use super::{parse_fetch::fetch_items, parse_search::search};

/// Reads what follows the tag and its space.
pub(super) fn command(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let verb = cursor.keyword()?;
    let command = arguments(cursor, &verb)?;
    cursor.end()?;
    Ok(command)
}

fn arguments(cursor: &mut Cursor<'_>, verb: &str) -> Parsed<Command> {
    Ok(match verb {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "CHECK" => Command::Check,
        "LOGOUT" => Command::Logout,
        "NAMESPACE" => Command::Namespace,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "EXPUNGE" => Command::Expunge(None),
        "IDLE" => Command::Idle,
        _ => {
            cursor.space()?;
            return with_arguments(cursor, verb);
        }
    })
}

fn with_arguments(cursor: &mut Cursor<'_>, verb: &str) -> Parsed<Command> {
    Ok(match verb {
        "LOGIN" => {
            let user = cursor.astring()?;
            cursor.space()?;
            Command::Login { user, password: cursor.astring()? }
        }
        "ENABLE" => Command::Enable(enable(cursor)?),
        "ID" => id(cursor)?,
        "SELECT" => Command::Select { mailbox: mailbox(cursor)?, read_only: false },
        "EXAMINE" => Command::Select { mailbox: mailbox(cursor)?, read_only: true },
        "LIST" => list(cursor, "LIST")?,
        "LSUB" => list(cursor, "LSUB")?,
        "STATUS" => status(cursor)?,
        "CREATE" => Command::Create(mailbox(cursor)?),
        "DELETE" => Command::Delete(mailbox(cursor)?),
        "RENAME" => {
            let from = mailbox(cursor)?;
            cursor.space()?;
            Command::Rename { from, to: mailbox(cursor)? }
        }
        "SUBSCRIBE" => Command::Subscribe(mailbox(cursor)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(mailbox(cursor)?),
        "COMPRESS" => match cursor.keyword()?.as_str() {
            "DEFLATE" => Command::Compress,
            _ => return cursor.fault("DEFLATE, which is all there is"),
        },
        "APPEND" => append(cursor)?,
        "UID" => {
            let verb = cursor.keyword()?;
            cursor.space()?;
            if verb == "EXPUNGE" {
                return Ok(Command::Expunge(Some(set(cursor)?)));
            }
            on_messages(cursor, &verb, By::Uid)?
        }
        _ => on_messages(cursor, verb, By::Sequence)?,
    })
}

fn on_messages(cursor: &mut Cursor<'_>, verb: &str, by: By) -> Parsed<Command> {
    if verb == "SEARCH" {
        return search(cursor, by);
    }
    if !["FETCH", "STORE", "COPY", "MOVE"].contains(&verb) {
        return cursor.fault("a command the server advertises");
    }
    cursor.sequence_numbers |= by == By::Sequence;
    let set = set(cursor)?;
    cursor.space()?;
    Ok(match verb {
        "FETCH" => Command::Fetch { by, set, items: fetch_items(cursor)? },
        "STORE" => store(cursor, by, set)?,
        "COPY" => Command::Copy { by, set, mailbox: mailbox(cursor)? },
        _ => Command::Move { by, set, mailbox: mailbox(cursor)? },
    })
}

/// `enable = "ENABLE" 1*(SP capability)`
fn enable(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    let mut capabilities = vec![cursor.atom()?.to_ascii_uppercase()];
    while cursor.skip_if(b' ') {
        capabilities.push(cursor.atom()?.to_ascii_uppercase());
    }
    Ok(capabilities)
}

/// `id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil`, RFC 2971 §3.3 with its limits.
fn id(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    if cursor.skip_word("NIL") {
        return Ok(Command::Id);
    }
    let pairs = cursor.list_or_empty(|cursor| {
        let field = cursor.string()?.to_ascii_lowercase();
        cursor.space()?;
        let value = cursor.nstring()?;
        if field.len() > 30 || value.is_some_and(|value| value.len() > 1024) {
            return cursor.fault("an ID field of 30 octets and a value of 1024 at most");
        }
        Ok(field)
    })?;
    let repeated = pairs.iter().enumerate().any(|(index, field)| pairs[..index].contains(field));
    if pairs.len() > 30 || repeated {
        return cursor.fault("at most 30 ID fields, each of them once");
    }
    Ok(Command::Id)
}

/// `list = "LIST" SP mailbox SP list-mailbox`; the reference may end in a separator and is joined to the pattern.
fn list(cursor: &mut Cursor<'_>, verb: &'static str) -> Parsed<Command> {
    let mut pattern = mailbox(cursor)?;
    cursor.space()?;
    let name = match cursor.peek() {
        Some(b'"' | b'{') => cursor.string()?,
        _ => {
            let is_list_char = |byte| is_astring_char(byte) || byte == b'%' || byte == b'*';
            match cursor.take_while(is_list_char) {
                [] => return cursor.fault("a mailbox pattern"),
                name => name.to_vec(),
            }
        }
    };
    pattern.push_str(&text(&name));
    Ok(Command::List { verb, pattern })
}

/// `status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"`
fn status(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let mailbox = mailbox(cursor)?;
    cursor.space()?;
    let items = cursor.list(|cursor| {
        let item = cursor.keyword()?;
        if ["MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN"].contains(&item.as_str()) {
            Ok(item)
        } else {
            cursor.fault("a STATUS item the server advertises")
        }
    })?;
    Ok(Command::Status { mailbox, items })
}

/// `append = "APPEND" SP mailbox 1*append-message`, RFC 3502
fn append(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    let mailbox = mailbox(cursor)?;
    let mut messages = Vec::new();
    while messages.is_empty() || cursor.peek() == Some(b' ') {
        messages.push(append_message(cursor, &mailbox)?);
    }
    Ok(Command::Append { mailbox, messages })
}

/// `append-message = [SP flag-list] [SP date-time] SP literal`
fn append_message(cursor: &mut Cursor<'_>, mailbox: &str) -> Parsed<NewMessage> {
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = cursor.list_or_empty(flag)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(date_time(cursor)?);
        cursor.space()?;
    }
    let octets = cursor.literal().map_err(|fault| match fault {
        Fault::Literal { octets, .. } => Fault::Literal { octets, message_for: Some(mailbox.to_owned()) },
        other => other,
    })?;
    Ok(NewMessage { flags, date, octets })
}

/// `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`
fn date_time(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let value = text(&cursor.string()?);
    let shape: String = value
        .chars()
        .map(|char| match char {
            '0'..='9' => '9',
            'a'..='z' | 'A'..='Z' => 'a',
            '+' | '-' => '-',
            other => other,
        })
        .collect();
    let month = value.get(3..6).and_then(month);
    let day = value.get(..2).and_then(|day| day.trim_start().parse().ok()).unwrap_or(0);
    let signs = value.get(2..3) == Some("-") && value.get(6..7) == Some("-");
    let fits = |range: std::ops::Range<usize>, most: u32| {
        value.get(range).and_then(|digits| digits.parse().ok()).is_some_and(|number: u32| number <= most)
    };
    let shaped = shape == "99-aaa-9999 99:99:99 -9999" || shape == " 9-aaa-9999 99:99:99 -9999";
    let in_range = fits(12..14, 23) && fits(15..17, 59) && fits(18..20, 60);
    if shaped && signs && in_range && month.is_some() && (1..=31).contains(&day) {
        Ok(value)
    } else {
        cursor.fault("a date-time")
    }
}

/// The number of an English month's first three letters, in any case.
pub(super) fn month(name: &str) -> Option<u32> {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let index = months.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    u32::try_from(index + 1).ok()
}

/// `store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))`
fn store(cursor: &mut Cursor<'_>, by: By, set: Set) -> Parsed<Command> {
    let change = if cursor.skip_if(b'+') {
        Change::Add
    } else if cursor.skip_if(b'-') {
        Change::Remove
    } else {
        Change::Replace
    };
    let silent = match cursor.keyword()?.as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return cursor.fault("FLAGS or FLAGS.SILENT"),
    };
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') {
        cursor.list_or_empty(flag)?
    } else {
        let mut flags = vec![flag(cursor)?];
        while cursor.skip_if(b' ') {
            flags.push(flag(cursor)?);
        }
        flags
    };
    Ok(Command::Store { by, set, change, silent, flags })
}

/// `flag`, in the case of the RFC when it is a system flag. `\Recent` cannot be altered by clients.
fn flag(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if !cursor.skip_if(b'\\') {
        return cursor.atom();
    }
    let name = text(cursor.take_while(is_atom_char));
    let known = ["Answered", "Flagged", "Deleted", "Seen", "Draft"];
    match known.into_iter().find(|known| known.eq_ignore_ascii_case(&name)) {
        Some(known) => Ok(format!("\\{known}")),
        None => cursor.fault("a system flag that a client may set"),
    }
}

/// `sequence-set = (seq-number / seq-range) *("," sequence-set)`
pub(super) fn set(cursor: &mut Cursor<'_>) -> Parsed<Set> {
    let mut ranges = Vec::new();
    loop {
        let from = set_number(cursor)?;
        let to = if cursor.skip_if(b':') { set_number(cursor)? } else { from };
        ranges.push((from, to));
        if !cursor.skip_if(b',') {
            return Ok(Set(ranges));
        }
    }
}

fn set_number(cursor: &mut Cursor<'_>) -> Parsed<Option<u32>> {
    if cursor.skip_if(b'*') { Ok(None) } else { cursor.nz_number().map(Some) }
}

/// `mailbox = "INBOX" / astring`, in modified UTF-7 (RFC 3501 §5.1.3) unless UTF8=ACCEPT is enabled.
pub(super) fn mailbox(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let name = cursor.astring()?;
    if !cursor.utf8 && !is_modified_utf7(&name) {
        return cursor.fault("a mailbox name in modified UTF-7");
    }
    let Ok(name) = String::from_utf8(name) else {
        return cursor.fault("a mailbox name in UTF-8");
    };
    Ok(if name.eq_ignore_ascii_case("INBOX") { "INBOX".into() } else { name })
}

fn is_modified_utf7(name: &[u8]) -> bool {
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        if !(0x20..=0x7e).contains(&byte) {
            return false;
        }
        if byte != b'&' {
            continue;
        }
        let shifted: Vec<u8> = bytes.by_ref().copied().take_while(|&byte| byte != b'-').collect();
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b',';
        let closed = name.len() - bytes.len() > 0 && name.get(name.len() - bytes.len() - 1) == Some(&b'-');
        // Whole UTF-16 units in base64: 16 bits are three characters, 32 six, 48 eight.
        if !closed || !shifted.iter().all(base64) || ![0, 3, 6].contains(&(shifted.len() % 8)) {
            return false;
        }
    }
    true
}
