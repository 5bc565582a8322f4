//! Modified UTF-7, which mailbox names travel in. RFC 3501 §5.1.3

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/// Writes a name as modified UTF-7; borrowed where nothing has to change.
pub(crate) fn encode(name: &str) -> Cow<'_, [u8]> {
    if name.bytes().all(|byte| is_direct(byte) && byte != b'&') {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut wire = Vec::with_capacity(name.len() * 2);
    let mut shift = Shift::default();
    for character in name.chars() {
        match u8::try_from(character) {
            Ok(byte) if is_direct(byte) => {
                shift.close(&mut wire);
                wire.push(byte);
                if byte == b'&' {
                    wire.push(b'-');
                }
            }
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    shift.push(*unit, &mut wire);
                }
            }
        }
    }
    shift.close(&mut wire);
    Cow::Owned(wire)
}

/// Reads modified UTF-7; `None` where it is none.
///
/// Superfluous shifts are read all the same (quirk 72), so that what is read is not always what [`encode`] gives back.
/// Octets above 127, characters in base64 that end within a unit, and NUL are refused.
pub(crate) fn decode(wire: &[u8]) -> Option<Cow<'_, str>> {
    if !wire.iter().all(|byte| is_direct(*byte)) {
        return None;
    }
    let text = core::str::from_utf8(wire).ok()?;
    if !wire.contains(&b'&') {
        return Some(Cow::Borrowed(text));
    }
    let mut name = String::with_capacity(wire.len());
    let mut rest = text;
    while let Some((direct, shifted)) = rest.split_once('&') {
        name.push_str(direct);
        let (base64, after) = shifted.split_once('-')?;
        match base64 {
            "" => name.push('&'),
            _ => decode_shift(base64.as_bytes(), &mut name)?,
        }
        rest = after;
    }
    name.push_str(rest);
    Some(Cow::Owned(name))
}

/// Printable ASCII stands for itself, `&` aside.
fn is_direct(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Base64 under way, a UTF-16 unit at a time.
#[derive(Default)]
struct Shift {
    bits: u32,
    count: u32,
    open: bool,
}

impl Shift {
    fn push(&mut self, unit: u16, wire: &mut Vec<u8>) {
        if !self.open {
            wire.push(b'&');
            self.open = true;
        }
        self.bits = self.bits << 16 | u32::from(unit);
        self.count += 16;
        while self.count >= 6 {
            self.count -= 6;
            wire.push(digit(self.bits >> self.count));
        }
        // What is left are less than six bits: the next unit finds room above them.
        self.bits &= (1 << self.count) - 1;
    }

    fn close(&mut self, wire: &mut Vec<u8>) {
        if !self.open {
            return;
        }
        if self.count > 0 {
            wire.push(digit(self.bits << (6 - self.count)));
        }
        wire.push(b'-');
        *self = Shift::default();
    }
}

fn digit(bits: u32) -> u8 {
    ALPHABET[(bits & 63) as usize]
}

fn sextet(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b',' => 63,
        _ => return None,
    };
    Some(value.into())
}

fn decode_shift(base64: &[u8], name: &mut String) -> Option<()> {
    let mut units = Vec::with_capacity(base64.len() * 6 / 16);
    let (mut bits, mut count) = (0u32, 0);
    for byte in base64 {
        bits = bits << 6 | sextet(*byte)?;
        count += 6;
        if count >= 16 {
            count -= 16;
            units.push((bits >> count) as u16);
            bits &= (1 << count) - 1;
        }
    }
    if count >= 6 || bits != 0 {
        return None;
    }
    for character in char::decode_utf16(units) {
        name.push(character.ok().filter(|character| *character != '\0')?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_and_their_wire_form() {
        let table = [
            ("INBOX", "INBOX"),
            ("", ""),
            ("a & b", "a &- b"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("😀", "&2D3eAA-"),
            ("ü&", "&APw-&-"),
            ("\t", "&AAk-"),
        ];
        for (name, wire) in table {
            assert_eq!(encode(name), wire.as_bytes(), "{name}");
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name), "{wire}");
        }
    }

    #[test]
    fn superfluous_shifts_are_read() {
        let table = [("&U,BTFw-&ZeVnLIqe-", "台北日本語"), ("&AGE-", "a"), ("&ACY-", "&")];
        for (wire, name) in table {
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name), "{wire}");
        }
    }

    #[test]
    fn what_is_no_modified_utf_7_is_refused() {
        let table = ["&invalid-", "&AQID-", "&Jjo!", "&Jjo", "&", "&AGF-", "&2D0-", "&AAA-", "\u{fc}", "a\0b", "\n"];
        for wire in table {
            assert_eq!(decode(wire.as_bytes()), None, "{wire:?}");
        }
    }

    proptest! {
        #[test]
        fn encode_then_decode_gives_the_same_name(name in "[^\0]{0,40}|[&äé😀a-c\t -]{0,20}") {
            let wire = encode(&name);
            prop_assert!(wire.is_ascii());
            let decoded = decode(&wire);
            prop_assert_eq!(decoded.as_deref(), Some(name.as_str()));
        }

        #[test]
        fn no_bytes_panic(wire in "[&A-Da-d0,+\\-~ ]{0,30}", bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = decode(wire.as_bytes());
            let _ = decode(&bytes);
        }
    }
}
