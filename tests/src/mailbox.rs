//! Messages as people send them, the same on every run.

use std::fs::{File, create_dir_all};
use std::io::{self, Write};
use std::os::unix::fs::chown;
use std::path::Path;

const PEOPLE: [(&str, &str); 10] = [
    ("Ada Lovelace", "ada@example.org"),
    ("\"Dupont, Jean\"", "jean.dupont@example.net"),
    ("=?UTF-8?Q?J=C3=BCrgen_M=C3=BCller?=", "juergen@example.de"),
    ("=?UTF-8?B?5bGx55Sw5aSq6YOO?=", "taro@example.jp"),
    ("=?iso-8859-1?Q?Andr=E9?= Pirard", "andre@example.be"),
    ("\"The \\\"Boss\\\" of it\"", "boss@example.com"),
    ("\"back\\\\slash\"", "back\\slash@example.com"),
    ("", "noreply@lists.example.org"),
    ("O'Brien (Ops)", "ops+night@example.ie"),
    ("Grace Hopper", "\"grace hopper\"@example.mil"),
];

const WORDS: [&str; 32] = [
    "the", "report", "is", "ready", "please", "read", "before", "Monday", "server", "mailbox", "and", "we", "found",
    "nothing", "new", "in", "logs", "of", "last", "week", "budget", "meeting", "moved", "to", "room", "seven",
    "thanks", "for", "your", "patience", "kind", "regards",
];

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Marsaglia's xorshift64*, enough for variety.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// Returns message `i`: 1 to 20 KB, CRLF line ends, a header as mail clients and lists write them.
pub fn message(i: u64) -> Vec<u8> {
    let mut random = Random::new(i);
    let mut text = header(i, &mut random);
    let target = 1000 + random.below(4) * random.below(4000);
    match random.below(10) {
        0..3 => single(&mut text, &mut random, target),
        3..7 => alternative(&mut text, &mut random, i, target),
        _ => mixed(&mut text, &mut random, i, target),
    }
    text.into_bytes()
}

/// Returns one message of exactly `bytes` octets, most of them an attachment; smaller than its header it does not get.
pub fn big_message(bytes: u64) -> Vec<u8> {
    let mut random = Random::new(bytes);
    let mut text = header(bytes, &mut random);
    text.push_str("Content-Type: multipart/mixed; boundary=\"big\"\r\n\r\n--big\r\n");
    text.push_str("Content-Type: text/plain\r\n\r\nSee the attachment.\r\n--big\r\n");
    text.push_str("Content-Type: application/octet-stream; name=\"big.bin\"\r\nContent-Transfer-Encoding: base64\r\n");
    text.push_str("Content-Disposition: attachment; filename=\"big.bin\"\r\n\r\n");
    let end = "\r\n--big--\r\n";
    let mut message = text.into_bytes();
    let body_end = usize::try_from(bytes).expect("a message fits into memory").saturating_sub(end.len());
    message.reserve(body_end.saturating_sub(message.len()) + end.len());
    let mut line = [0; 76];
    while message.len() < body_end {
        line.fill_with(|| BASE64[(random.next() & 63) as usize]);
        let left = body_end - message.len();
        message.extend_from_slice(&line[..left.min(line.len())]);
        if left >= line.len() + 2 {
            message.extend_from_slice(b"\r\n");
        } else {
            // What is left is shorter than a line with its end.
            message.resize(body_end, b'A');
        }
    }
    message.extend_from_slice(end.as_bytes());
    message
}

/// Writes messages `0..count` into a Maildir, flags in the file names, owned by the owner of `dir`.
///
/// # Errors
///
/// What the file system says.
pub fn fill_maildir(dir: &Path, count: u64) -> io::Result<()> {
    for i in 0..count {
        add_to_maildir(dir, i, &message(i))?;
    }
    Ok(())
}

/// Writes one message into a Maildir under a name made from `i`, owned by the owner of `dir`.
///
/// # Errors
///
/// What the file system says.
pub fn add_to_maildir(dir: &Path, i: u64, message: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    create_dir_all(dir)?;
    let owner = dir.metadata()?;
    for part in ["cur", "new", "tmp"] {
        let part = dir.join(part);
        if !part.is_dir() {
            create_dir_all(&part)?;
            chown(part, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    let flags = ["S", "S", "", "RS", "FS", "S", "F", "S"][(Random::new(i).next() % 8) as usize];
    let size = message.len();
    let path = dir.join(format!("cur/{}.M{i}P1.rig,S={size},W={size}:2,{flags}", 1_700_000_000 + i));
    let mut file = File::create(&path)?;
    file.write_all(message)?;
    chown(path, Some(owner.uid()), Some(owner.gid()))
}

fn header(i: u64, random: &mut Random) -> String {
    let mut header = format!("Return-Path: <{}>\r\n", random.pick(&PEOPLE[..6]).1);
    let date = date(i, random);
    header
        .push_str(&format!("Received: from mail.example.org by mx.example.com with ESMTPS id {i:x};\r\n\t{date}\r\n"));
    header.push_str(&format!("From: {}\r\nTo: {}\r\n", person(random), people(random)));
    if random.below(3) == 0 {
        header.push_str(&format!("Cc: {}\r\n", people(random)));
    }
    header.push_str(&format!("Subject: {}\r\nDate: {date}\r\n", subject(i, random)));
    header.push_str(&format!("Message-ID: <{i}.rig@example.org>\r\n"));
    if i > 3 && random.below(2) == 0 {
        let parent = i - 1 - random.below(3);
        header.push_str(&format!("In-Reply-To: <{parent}.rig@example.org>\r\n"));
        header.push_str(&format!("References: <{}.rig@example.org>\r\n <{parent}.rig@example.org>\r\n", parent / 2));
    }
    header.push_str("MIME-Version: 1.0\r\n");
    header
}

fn person(random: &mut Random) -> String {
    match random.pick(&PEOPLE[..]) {
        ("", address) => address.to_owned(),
        // An address may not hold a bare backslash.
        (name, address) => format!("{name} <{}>", address.replace('\\', "")),
    }
}

fn people(random: &mut Random) -> String {
    let count = 1 + random.below(4);
    (0..count).map(|_| person(random)).collect::<Vec<_>>().join(",\r\n ")
}

fn date(i: u64, random: &mut Random) -> String {
    let (day, month, year) = (1 + i % 28, MONTHS[(i / 28 % 12) as usize], 2000 + i / 336 % 25);
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    let zone = random.pick(&["+0000", "-0730", "+0200", "+0545"]);
    format!("{day} {month} {year} {hour:02}:{minute:02}:{second:02} {zone}")
}

fn subject(i: u64, random: &mut Random) -> String {
    let words = words(random, 5);
    match random.below(8) {
        0 => format!("=?UTF-8?Q?Gr=C3=BC=C3=9Fe_{i}?= =?UTF-8?B?w7xiZXIgYWxsZXM=?= {words}"),
        1 => format!("Re: \"{words}\" (was: {i})"),
        2 => format!("C:\\temp\\{i} {words}"),
        3 => format!("[list] {words} {i}\r\n {words}"),
        4 => format!("Fwd: \"a\\b\" {words}"),
        _ => format!("{words} {i}"),
    }
}

fn words(random: &mut Random, count: u64) -> String {
    (0..count).map(|_| random.pick(&WORDS)).collect::<Vec<_>>().join(" ")
}

fn paragraphs(text: &mut String, random: &mut Random, bytes: u64) {
    let end = text.len() as u64 + bytes;
    while (text.len() as u64) < end {
        let count = 6 + random.below(5);
        text.push_str(&words(random, count));
        text.push_str(random.pick(&["\r\n", "\r\n", ".\r\n", "\r\n\r\n", " =\r\n"]));
    }
}

fn base64_lines(text: &mut String, random: &mut Random, bytes: u64) {
    for _ in 0..=bytes / 78 {
        text.extend((0..76).map(|_| char::from(BASE64[(random.next() & 63) as usize])));
        text.push_str("\r\n");
    }
}

fn single(text: &mut String, random: &mut Random, bytes: u64) {
    text.push_str("Content-Type: text/plain; charset=utf-8; format=flowed\r\n");
    text.push_str("Content-Transfer-Encoding: 8bit\r\n\r\nGrüße,\r\n\r\n");
    paragraphs(text, random, bytes);
}

fn alternative(text: &mut String, random: &mut Random, i: u64, bytes: u64) {
    text.push_str(&format!("Content-Type: multipart/alternative; boundary=\"=_alt_{i}\"\r\n\r\n"));
    text.push_str(&format!("--=_alt_{i}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"));
    paragraphs(text, random, bytes / 3);
    text.push_str(&format!("\r\n--=_alt_{i}\r\nContent-Type: text/html; charset=\"utf-8\"\r\n"));
    text.push_str("Content-Transfer-Encoding: quoted-printable\r\n\r\n<html><body class=3D\"a\"><p>\r\n");
    paragraphs(text, random, bytes / 2);
    text.push_str(&format!("</p></body></html>\r\n\r\n--=_alt_{i}--\r\n"));
}

fn mixed(text: &mut String, random: &mut Random, i: u64, bytes: u64) {
    text.push_str(&format!("Content-Type: multipart/mixed; boundary=mix{i}\r\n\r\nMIME preamble.\r\n--mix{i}\r\n"));
    alternative(text, random, i, bytes / 3);
    text.push_str(&format!("\r\n--mix{i}\r\nContent-Type: image/png; name=\"=?UTF-8?Q?B=C3=A4r?= {i}.png\"\r\n"));
    text.push_str("Content-Transfer-Encoding: base64\r\nContent-ID: <bear@example.org>\r\n");
    text.push_str("Content-Disposition: attachment;\r\n filename*=UTF-8''B%C3%A4r.png; size=1\r\n\r\n");
    base64_lines(text, random, bytes / 2);
    text.push_str(&format!("\r\n--mix{i}--\r\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_same_every_time_and_differ_from_each_other() {
        let first: Vec<_> = (0..200).map(message).collect();
        let mut again: Vec<_> = (0..200).map(message).collect();
        assert_eq!(first, again);
        again.sort();
        again.dedup();
        assert_eq!(again.len(), 200);
    }

    #[test]
    fn messages_have_1_to_20_kb_and_whole_line_ends() {
        for i in 0..2000 {
            let message = message(i);
            assert!((1000..20_000).contains(&message.len()), "{i}: {}", message.len());
            let text = String::from_utf8(message).expect("messages are UTF-8");
            assert!(!text.replace("\r\n", "").contains(['\r', '\n', '\0']));
            assert!(text.contains("\r\n\r\n"));
        }
    }

    #[test]
    fn big_messages_have_the_size_asked_for() {
        for bytes in [2000, 2001, 2077, 2078, 2079, 100_000, 1_000_000] {
            let message = big_message(bytes);
            assert_eq!(message.len() as u64, bytes);
            assert!(message.ends_with(b"\r\n--big--\r\n"));
        }
    }
}
