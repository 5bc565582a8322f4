use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Parameters;
use crate::wire::{Text, decode};

/// More pieces than any name of a file has.
const MOST_PIECES: usize = 100;

impl Parameters<'_> {
    /// The value of the parameter of this name, in any case, decoded (quirk 120). RFC 2231 §3 and §4, RFC 2047
    ///
    /// Values in pieces (`filename*0*=`) are put together, percent signs taken out where there is a charset, also one that
    /// stands under the plain name; encoded words are read, though RFC 2047 §5 forbids them there, for most programs write
    /// them. Of charsets UTF-8, US-ASCII and ISO-8859-1 are known; in another one the value is what stands under the plain name,
    /// or as it came.
    ///
    /// A name for the eye: it may hold slashes, dots and control characters, so that it is no path to write to.
    pub fn get(self, name: &str) -> Option<String> {
        let in_pieces = self.in_pieces(name);
        let known = in_pieces.as_ref().and_then(|(octets, is_extended)| match is_extended {
            true => extended(octets),
            false => Some(plain(octets)),
        });
        let whole = || Some(plain(&self.octets_of(name)?));
        known.or_else(whole).or_else(|| Some(decode(&in_pieces?.0).into_owned()))
    }

    fn octets_of(mut self, name: &str) -> Option<Vec<u8>> {
        self.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then(|| value.to_bytes().into_owned()))
    }

    /// ```abnf
    /// extended-parameter = attribute "*" / attribute "*0" ["*"] *( attribute "*" section ["*"] )
    /// ```
    ///
    /// The pieces together, percent signs still in them, and whether the first begins with a charset.
    fn in_pieces(self, name: &str) -> Option<(Vec<u8>, bool)> {
        // One walk for all of the pieces: a server may name a million parameters.
        let mut pieces: [Option<(Text<'_>, bool)>; MOST_PIECES] = [None; MOST_PIECES];
        for (key, value) in self {
            let key = key.to_str();
            let Some(suffix) = suffix_of(&key, name) else { continue };
            if suffix.is_empty() {
                return Some((value.to_bytes().into_owned(), true));
            }
            let (number, is_encoded) = match suffix.strip_suffix('*') {
                Some(number) => (number, true),
                None => (suffix, false),
            };
            let is_written_so = |at: &usize| at.to_string() == number;
            let piece = number.parse().ok().filter(is_written_so).and_then(|at: usize| pieces.get_mut(at));
            // Of two with one number the first counts, and one that is not encoded before one that is.
            if let Some(piece) = piece
                && piece.is_none_or(|(_, was_encoded)| was_encoded && !is_encoded)
            {
                *piece = Some((value, is_encoded));
            }
        }
        let mut all = Vec::new();
        let is_extended = pieces.first().copied().flatten()?.1;
        for (value, is_encoded) in pieces.into_iter().map_while(|piece| piece) {
            // A percent sign that is meant as one must not be taken for more when all is read.
            let escape = is_extended && !is_encoded;
            all.extend(value.to_bytes().iter().flat_map(|octet| match octet {
                b'%' if escape => b"%25".as_slice(),
                octet => core::slice::from_ref(octet),
            }));
        }
        Some((all, is_extended))
    }
}

/// What stands behind the star: `0*` of `filename*0*`, where the name is that one.
fn suffix_of<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    let (head, tail) = key.split_at_checked(name.len())?;
    if head.eq_ignore_ascii_case(name) { tail.strip_prefix('*') } else { None }
}

/// `charset'language'%20`; `None` where it is none, or its charset is not known. RFC 2231 §4
fn extended(octets: &[u8]) -> Option<String> {
    let mut parts = octets.splitn(3, |octet| *octet == b'\'');
    let (charset, _, value) = (parts.next()?, parts.next()?, parts.next()?);
    in_charset(charset, &hex_decoded(value, b'%'))
}

fn plain(octets: &[u8]) -> String {
    // `utf-8''x%20y` under the plain name: the program meant `filename*`.
    let meant = if octets.contains(&b'%') { extended(octets) } else { None };
    meant.unwrap_or_else(|| encoded_words(&decode(octets)))
}

/// Octets as two hexadecimal digits behind a sign; a sign without them is itself.
fn hex_decoded(octets: &[u8], sign: u8) -> Vec<u8> {
    let digit = |at: usize| octets.get(at).and_then(|octet| char::from(*octet).to_digit(16));
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while let Some(&octet) = octets.get(at) {
        match (digit(at + 1), digit(at + 2)) {
            (Some(high), Some(low)) if octet == sign => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(octet);
                at += 1;
            }
        }
    }
    decoded
}

/// RFC 2047 §2, with the space between two encoded words left out (§6.2):
///
/// ```abnf
/// encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
/// ```
fn encoded_words(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    // Octets of a character may be in two words.
    let mut word: Option<(&str, Vec<u8>)> = None;
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        match encoded_word(from) {
            Some((charset, octets, len)) => {
                match &mut word {
                    Some((same, all)) if before.trim().is_empty() && same.eq_ignore_ascii_case(charset) => {
                        all.extend(octets);
                    }
                    _ => {
                        let follows = end_word(&mut word, &mut decoded) && before.trim().is_empty();
                        decoded.push_str(if follows { "" } else { before });
                        word = Some((charset, octets));
                    }
                }
                rest = &from[len..];
            }
            None => {
                end_word(&mut word, &mut decoded);
                decoded.push_str(before);
                decoded.push_str("=?");
                rest = &from[2..];
            }
        }
    }
    end_word(&mut word, &mut decoded);
    decoded + rest
}

fn end_word(word: &mut Option<(&str, Vec<u8>)>, text: &mut String) -> bool {
    let Some((charset, octets)) = word.take() else { return false };
    text.push_str(&in_charset(charset.as_bytes(), &octets).unwrap_or_default());
    true
}

/// The charset, the octets and the length of the word that the text begins with.
fn encoded_word(text: &str) -> Option<(&str, Vec<u8>, usize)> {
    let mut parts = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
    // It holds no question mark: looking further would cost as much as the text is long, for each word.
    let (encoded, behind) = rest.split_once('?')?;
    behind.strip_prefix('=')?;
    let octets = match encoding {
        "B" | "b" => BASE64.decode(encoded).ok()?,
        "Q" | "q" => hex_decoded(encoded.replace('_', " ").as_bytes(), b'='),
        _ => return None,
    };
    // RFC 2231 §5: a language may follow the charset.
    let charset_alone = charset.split('*').next().unwrap_or_default();
    in_charset(charset_alone.as_bytes(), b"")?;
    Some((charset_alone, octets, "=?".len() + charset.len() + encoding.len() + encoded.len() + "???=".len()))
}

/// As programs write it: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// `None` where the charset is not known. Octets that are no UTF-8 are read as Latin-1.
fn in_charset(charset: &[u8], octets: &[u8]) -> Option<String> {
    let is = |name: &str| charset.eq_ignore_ascii_case(name.as_bytes());
    if is("ISO-8859-1") {
        return Some(octets.iter().map(|octet| char::from(*octet)).collect());
    }
    (is("UTF-8") || is("UTF8") || is("US-ASCII")).then(|| decode(octets).to_string())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::super::BodyStructure;
    use super::*;
    use crate::wire::Parsed;

    fn file_name(parameters: &str, disposition: &str) -> Option<String> {
        let part = format!(r#"("a" "b" {parameters} NIL NIL "7bit" 1 NIL {disposition})"#);
        let parsed = Parsed::of(part);
        BodyStructure::new(parsed.first()).expect("a structure").file_name()
    }

    #[test]
    fn quirk_120_names_of_files_are_decoded_whatever_wrote_them() {
        for (parameters, name) in [
            (r#"("filename" "x y.txt")"#, Some("x y.txt")),
            (r#"("FILENAME" "x")"#, Some("x")),
            ("(\"filename\" \"\u{fc}\")", Some("\u{fc}")),
            (r#"("filename*" "utf-8''x%20%C3%BC")"#, Some("x \u{fc}")),
            (r#"("filename*" "utf-8'de'x" "filename" "y")"#, Some("x")),
            (r#"("filename*" "ISO-8859-1''%FC")"#, Some("\u{fc}")),
            (r#"("filename*" "koi8-r''%C0")"#, Some("koi8-r''%C0")),
            (r#"("filename*" "koi8-r''%C0" "filename" "y")"#, Some("y")),
            (r#"("filename*" "x%20y")"#, Some("x%20y")),
            (r#"("filename*0" "a" "filename*1" "b%20" "filename*2" "c")"#, Some("ab%20c")),
            (r#"("filename*1*" "%BC" "filename*0*" "UTF-8''x%C3" "filename*2" ".%20t")"#, Some("x\u{fc}.%20t")),
            (r#"("filename*1" "b")"#, None),
            (r#"("filename*0" "a" "filename*2" "c")"#, Some("a")),
            (r#"("filename*0*" "b" "filename*0" "a" "filename*0" "c" "FILENAME*1" "d")"#, Some("ad")),
            (r#"("filename*0" "a" "filename*" "utf-8''x")"#, Some("x")),
            (r#"("filename*00" "a" "filename*+0" "b" "filename*" "c")"#, Some("c")),
            (r#"("filename*0" "a" "filename*99999999999999999999" "b")"#, Some("a")),
            (r#"("filename" "utf-8''x%20y")"#, Some("x y")),
            (r#"("filename" "it's 5% o'clock")"#, Some("it's 5% o'clock")),
            (r#"("filename" "=?UTF-8?B?w7w=?= x")"#, Some("\u{fc} x")),
            (r#"("filename" "=?utf-8?b?w7w?=")"#, Some("\u{fc}")),
            (r#"("filename" "=?UTF-8?Q?a_=C3?= =?utf-8?q?=BC?=.t")"#, Some("a \u{fc}.t")),
            (r#"("filename" "=?UTF-8*de?Q?a?= =?ISO-8859-1?Q?=FC?=")"#, Some("a\u{fc}")),
            (r#"("filename" "=?koi8-r?Q?=C0?= =?x?= =?")"#, Some("=?koi8-r?Q?=C0?= =?x?= =?")),
            (r#"("filename" "=?UTF-8?B?*?=")"#, Some("=?UTF-8?B?*?=")),
            (r#"("name" "x")"#, None),
            ("NIL", None),
        ] {
            assert_eq!(file_name("NIL", &format!(r#"("attachment" {parameters})"#)).as_deref(), name, "{parameters}");
            let renamed = parameters.replace("\"name", "\"x").replace("filename", "name").replace("FILENAME", "NAME");
            assert_eq!(file_name(&renamed, "NIL").as_deref(), name, "{renamed}");
        }
        let both = file_name(r#"("name" "x")"#, r#"("attachment" ("filename" "y"))"#);
        assert_eq!(both.as_deref(), Some("y"));
    }

    #[test]
    fn many_parameters_are_walked_once_whatever_their_names() {
        const PIECES: usize = 100;
        let mut parameters: Vec<String> = (0..300_000).map(|number| format!("\"x{number}\" \"y\"")).collect();
        parameters.extend((0..PIECES).map(|number| format!("\"filename*{number}*\" \"z\"")));
        let name = file_name("NIL", &format!("(\"attachment\" ({}))", parameters.join(" ")));
        assert_eq!(name.map(|name| name.len()), Some(PIECES));
    }

    proptest! {
        #[test]
        fn nothing_panics(value in "[a-cA-F0-9%'=?_ \u{fc}QButf8-]{0,40}", star in "[*0-2]{0,3}") {
            let list = format!("(\"filename{star}\" {{{}}}\r\n{value})", value.len());
            let _ = file_name("NIL", &format!("(\"attachment\" {list})"));
        }

        #[test]
        fn what_is_written_in_encoded_words_is_read(name in "[^\0]{1,20}", at in any::<prop::sample::Index>()) {
            let octets = name.as_bytes();
            let (head, tail) = octets.split_at(at.index(octets.len()));
            let words = format!("=?UTF-8?B?{}?= =?utf-8?B?{}?=", BASE64.encode(head), BASE64.encode(tail));
            prop_assert_eq!(encoded_words(&words), name);
        }
    }
}
