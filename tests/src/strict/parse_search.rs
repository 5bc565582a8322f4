use super::command::{By, Command, Day, Key, When};
use super::cursor::{Cursor, Parsed, text};
use super::parse::{month, set};

/// `search = "SEARCH" [search-return-opts] [SP "CHARSET" SP astring] 1*(SP search-key)`
pub(super) fn search(cursor: &mut Cursor<'_>, by: By) -> Parsed<Command> {
    let mut options = None;
    if cursor.skip_word("RETURN") {
        cursor.space()?;
        options = Some(cursor.list_or_empty(option)?);
        cursor.space()?;
    }
    let mut charset = None;
    if cursor.skip_word("CHARSET") {
        if cursor.utf8 {
            return cursor.fault("no CHARSET once UTF8=ACCEPT is enabled (RFC 6855 §3)");
        }
        cursor.space()?;
        charset = Some(text(&cursor.astring()?).to_ascii_uppercase());
        cursor.space()?;
    }
    cursor.eight_bit = false;
    let mut keys = vec![key(cursor)?];
    while cursor.skip_if(b' ') {
        keys.push(key(cursor)?);
    }
    if cursor.eight_bit && !cursor.utf8 && charset.as_deref().is_none_or(|charset| charset == "US-ASCII") {
        return cursor.fault("7-bit search strings, for the charset is US-ASCII");
    }
    Ok(Command::Search { by, options, charset, keys })
}

fn option(cursor: &mut Cursor<'_>) -> Parsed<String> {
    let option = cursor.keyword()?;
    if ["MIN", "MAX", "ALL", "COUNT"].contains(&option.as_str()) {
        Ok(option)
    } else {
        cursor.fault("a RETURN option the server advertises")
    }
}

fn key(cursor: &mut Cursor<'_>) -> Parsed<Key> {
    match cursor.peek() {
        Some(b'(') => return cursor.list(key).map(Key::And),
        Some(b'*' | b'0'..=b'9') => {
            cursor.sequence_numbers = true;
            return set(cursor).map(Key::Sequence);
        }
        _ => {}
    }
    let word = cursor.keyword()?;
    if let Some(key) = flag_key(&word) {
        return Ok(key);
    }
    cursor.space()?;
    Ok(match word.as_str() {
        "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => Key::Header { field: word, value: cursor.astring()? },
        "HEADER" => {
            let field = text(&cursor.astring()?);
            cursor.space()?;
            Key::Header { field, value: cursor.astring()? }
        }
        "BODY" => Key::Body(cursor.astring()?),
        "TEXT" => Key::Text(cursor.astring()?),
        "KEYWORD" => Key::Flag { flag: cursor.atom()?, set: true },
        "UNKEYWORD" => Key::Flag { flag: cursor.atom()?, set: false },
        "BEFORE" => Key::Date { day: date(cursor)?, sent: false, compare: When::Before },
        "ON" => Key::Date { day: date(cursor)?, sent: false, compare: When::On },
        "SINCE" => Key::Date { day: date(cursor)?, sent: false, compare: When::Since },
        "SENTBEFORE" => Key::Date { day: date(cursor)?, sent: true, compare: When::Before },
        "SENTON" => Key::Date { day: date(cursor)?, sent: true, compare: When::On },
        "SENTSINCE" => Key::Date { day: date(cursor)?, sent: true, compare: When::Since },
        "LARGER" => Key::Larger(cursor.number()?),
        "SMALLER" => Key::Smaller(cursor.number()?),
        "UID" => Key::Uid(set(cursor)?),
        "NOT" => Key::Not(Box::new(key(cursor)?)),
        "OR" => {
            let left = key(cursor)?;
            cursor.space()?;
            Key::Or(Box::new(left), Box::new(key(cursor)?))
        }
        _ => return cursor.fault("a search key the server advertises"),
    })
}

fn flag_key(word: &str) -> Option<Key> {
    let flag = |flag: &str, set| Some(Key::Flag { flag: flag.into(), set });
    match word {
        "ALL" => Some(Key::All),
        "NEW" => Some(Key::New),
        "OLD" => flag("\\Recent", false),
        "RECENT" => flag("\\Recent", true),
        "ANSWERED" => flag("\\Answered", true),
        "DELETED" => flag("\\Deleted", true),
        "DRAFT" => flag("\\Draft", true),
        "FLAGGED" => flag("\\Flagged", true),
        "SEEN" => flag("\\Seen", true),
        "UNANSWERED" => flag("\\Answered", false),
        "UNDELETED" => flag("\\Deleted", false),
        "UNDRAFT" => flag("\\Draft", false),
        "UNFLAGGED" => flag("\\Flagged", false),
        "UNSEEN" => flag("\\Seen", false),
        _ => None,
    }
}

/// `date = date-text / DQUOTE date-text DQUOTE`, `date-text = date-day "-" date-month "-" date-year`
fn date(cursor: &mut Cursor<'_>) -> Parsed<Day> {
    let quoted = cursor.skip_if(b'"');
    let value = text(cursor.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    let Some(day) = day(&value) else {
        return cursor.fault("a date");
    };
    if quoted {
        cursor.byte(b'"', "the closing quote of the date")?;
    }
    Ok(day)
}

/// Reads `1-Feb-1994` and the like.
pub(super) fn day(value: &str) -> Option<Day> {
    let mut parts = value.split('-');
    let (day, month_name, year) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || !(1..=2).contains(&day.len()) || !digits(day) || year.len() != 4 || !digits(year) {
        return None;
    }
    let number = day.parse().ok().filter(|number| (1..=31).contains(number))?;
    Some((year.parse().ok()?, month(month_name)?, number))
}
