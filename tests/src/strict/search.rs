//! SEARCH over the model.

use super::command::{By, Day, Key, When};
use super::parse_search::day;
use super::{Message, StrictServer, parse, render};

impl StrictServer {
    pub(super) fn search(
        &mut self,
        tag: &str,
        by: By,
        options: Option<Vec<String>>,
        charset: Option<String>,
        keys: Vec<Key>,
    ) -> String {
        if charset.is_some_and(|charset| charset != "UTF-8" && charset != "US-ASCII") {
            return "NO [BADCHARSET (US-ASCII UTF-8)] Unknown charset.".into();
        }
        let Some((selected, mailbox)) = self.selected() else {
            return "NO Nothing selected.".into();
        };
        let last = (selected.view.len() as u32, selected.view.last().copied().unwrap_or(0));
        let key = Key::And(keys);
        let found: Vec<u32> = (1..)
            .zip(selected.view.iter().copied())
            .filter(|&(number, uid)| mailbox.message(uid).is_some_and(|message| fits(&key, number, message, last)))
            .map(|(number, uid)| if by == By::Uid { uid } else { number })
            .collect();
        let line = match options {
            Some(options) => esearch(tag, by, &options, &found),
            None => found.iter().fold("* SEARCH".to_owned(), |line, number| format!("{line} {number}")),
        };
        self.line(&line);
        "OK Searched.".into()
    }
}

/// RFC 4731 §3.1: an empty option list asks for ALL; MIN, MAX and ALL are left out when nothing was found.
fn esearch(tag: &str, by: By, options: &[String], found: &[u32]) -> String {
    let mut line = format!("* ESEARCH (TAG \"{tag}\")");
    if by == By::Uid {
        line.push_str(" UID");
    }
    let asks = |name: &str| options.iter().any(|option| option == name);
    if asks("COUNT") {
        line.push_str(&format!(" COUNT {}", found.len()));
    }
    if let (Some(first), Some(last)) = (found.first(), found.last()) {
        if asks("MIN") {
            line.push_str(&format!(" MIN {first}"));
        }
        if asks("MAX") {
            line.push_str(&format!(" MAX {last}"));
        }
        if asks("ALL") || options.is_empty() {
            line.push_str(&format!(" ALL {}", render::numbers(found)));
        }
    }
    line
}

/// Whether a message fits; `last` is what `*` means as a sequence number and as a UID.
fn fits(key: &Key, number: u32, message: &Message, last: (u32, u32)) -> bool {
    let fits_too = |key: &Key| fits(key, number, message, last);
    match key {
        Key::All => true,
        Key::Flag { flag, set } => message.has(flag) == *set,
        Key::New => false,
        Key::Header { field, value } => message.field(field).is_some_and(|found| contains(&found, value)),
        Key::Body(value) => contains(message.split().1, value),
        Key::Text(value) => contains(&message.body, value),
        Key::Date { day, sent, compare } => dated(message, *sent).is_some_and(|found| compare.holds(found, *day)),
        Key::Larger(size) => message.body.len() > *size as usize,
        Key::Smaller(size) => message.body.len() < *size as usize,
        Key::Sequence(set) => set.contains(number, last.0),
        Key::Uid(set) => set.contains(message.uid, last.1),
        Key::Not(key) => !fits_too(key),
        Key::Or(left, right) => fits_too(left) || fits_too(right),
        Key::And(keys) => keys.iter().all(fits_too),
    }
}

impl When {
    fn holds(self, found: Day, day: Day) -> bool {
        match self {
            Self::Before => found < day,
            Self::On => found == day,
            Self::Since => found >= day,
        }
    }
}

/// The day a message came, or that of its Date field: `Mon, 7 Feb 1994 …`.
fn dated(message: &Message, sent: bool) -> Option<Day> {
    if !sent {
        return day(message.internal_date.trim_start().split(' ').next()?);
    }
    let field = String::from_utf8(message.field("Date")?).ok()?;
    let words: Vec<&str> = field.split_whitespace().skip_while(|word| word.ends_with(',')).collect();
    let (number, month, year) = (words.first()?, words.get(1)?, words.get(2)?);
    Some((year.parse().ok()?, parse::month(month)?, number.parse().ok()?))
}

/// Substring without regard to ASCII case.
fn contains(text: &[u8], value: &[u8]) -> bool {
    value.is_empty() || text.windows(value.len()).any(|window| window.eq_ignore_ascii_case(value))
}
