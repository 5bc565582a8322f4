use imap_proto_core::types::{
    Capabilities, Capability, DateTime, FetchItems, Flag, MailboxName, Section, SeqSet, UidSet,
};
use imap_proto_core::wire::grammar::{parse_status_text, search_numbers};

use crate::alphabet::spell;

/// Any bytes in the small languages: what was read is written so that it is read as the same, and no panic.
///
/// # Panics
/// When one of these is not so.
pub fn types(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    // Half of the inputs are words of the protocol, half are as they are.
    let spelled = spell(rest, 1 << 10);
    let input = if choice & 0x80 == 0 { rest } else { &spelled };
    match choice & 7 {
        0 => status(input),
        1 => date(input),
        2 => set(input),
        3 => section(input),
        4 => mailbox(input),
        5 => flag(input),
        6 => capability(input),
        _ => numbers(input),
    }
}

fn status(input: &[u8]) {
    let (code, text) = parse_status_text(input);
    assert!(input.ends_with(text));
    // A code inside brackets, whatever stands around it.
    let wrapped = [b"[", input, b"] text"].concat();
    let (again, text) = parse_status_text(&wrapped);
    assert!(wrapped.ends_with(text));
    let _ = format!("{code:?} {again:?}");
}

fn date(input: &[u8]) {
    if let Some(date) = DateTime::from_wire(input) {
        let written = date.to_string();
        assert_eq!(DateTime::from_wire(written.as_bytes()), Some(date), "{written}");
        let seconds = date.to_unix_timestamp();
        // Beyond the years 0 and 9999 there is no moment in UTC.
        if let Some(utc) = DateTime::from_unix_timestamp(seconds) {
            assert_eq!(utc.to_unix_timestamp(), seconds);
        }
    }
    if let Ok(seconds) = input.get(..8).unwrap_or_default().try_into().map(i64::from_le_bytes)
        && let Some(date) = DateTime::from_unix_timestamp(seconds)
    {
        assert_eq!(date.to_unix_timestamp(), seconds);
        assert_eq!(DateTime::from_wire(date.to_string().as_bytes()), Some(date));
    }
}

fn set(input: &[u8]) {
    let _ = SeqSet::from_wire(input).map(|set| set.to_string());
    let Some(set) = UidSet::from_wire(input) else { return };
    if !set.is_empty() {
        assert_eq!(UidSet::from_wire(set.to_string().as_bytes()).as_ref(), Some(&set), "{set}");
    }
    assert!(set.ranges().all(|(low, high)| low <= high && set.contains(low) && set.contains(high)));
    assert!(set.ranges().zip(set.ranges().skip(1)).all(|((_, high), (low, _))| high < low));
    assert_eq!(set.union(&set), set);
    for count in [1, 2, set.len() / 2] {
        let mut rest = set.clone();
        let front = rest.split_front(count);
        assert_eq!(front.len(), count.min(set.len()));
        assert_eq!(rest.union(&front), set);
        let mut rest = set.clone();
        let back = rest.split_back(count);
        assert_eq!((back.len(), back.union(&rest)), (count.min(set.len()), set.clone()));
    }
}

fn section(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        assert!(!Section::part("1").is_ok_and(|section| section.matches_wire(input)));
        return;
    };
    let names = text.split(' ');
    for section in [
        Section::part(text),
        Section::mime(text),
        Section::header_fields(names.clone()),
        Section::header_fields_not(names),
        Section::text().in_part(text),
    ]
    .into_iter()
    .flatten()
    {
        assert!(section.matches_wire(section.to_string().as_bytes()), "{section}");
    }
    let _ = (Section::header().matches_wire(input), Section::whole().matches_wire(input));
    let _ = FetchItems::ids().raw(text).map(|items| items.to_string());
}

fn mailbox(input: &[u8]) {
    let name = MailboxName::from_wire(input);
    if name.is_inbox() {
        assert!(name.to_wire().eq_ignore_ascii_case(b"INBOX"));
    } else {
        assert_eq!(&*name.to_wire(), input, "what came is what is sent");
    }
    assert_eq!(MailboxName::from_wire(&name.to_wire()), name);
    let utf8 = MailboxName::from_utf8(input);
    assert!(utf8.is_inbox() || utf8.to_utf8() == input);
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(name) = MailboxName::new(text)
    {
        let wire = name.to_wire();
        assert!(wire.iter().all(u8::is_ascii), "modified UTF-7 is ASCII");
        assert_eq!(MailboxName::from_wire(&wire).as_str(), name.as_str());
    }
}

fn flag(input: &[u8]) {
    let flag = Flag::from_wire(input);
    let written = flag.to_string();
    assert_eq!(Flag::from_wire(written.as_bytes()), flag, "{written}");
    if let Some(keyword) = flag.to_keyword() {
        assert!(flag.is_keyword() && keyword.as_str().is_ascii());
    }
    let _ = flag.is_storable();
}

fn capability(input: &[u8]) {
    let one = Capability::from_wire(input);
    assert_eq!(Capability::from_wire(one.to_string().as_bytes()), one);
    let all = Capabilities::from_wire(input);
    assert_eq!(Capabilities::from_wire(all.to_string().as_bytes()), all, "{all}");
    let _ = (all.literals(), all.append_limit(), all.auth_mechanisms().count());
}

fn numbers(input: &[u8]) {
    assert!(search_numbers(input).count() <= input.len().div_ceil(2));
}
