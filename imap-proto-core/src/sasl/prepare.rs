use alloc::borrow::Cow;

use super::InvalidCredentials;

/// A name or password as it is compared: SASLprep. RFC 4013
#[cfg(feature = "saslprep")]
pub(super) fn prepared(text: &str) -> Result<Cow<'_, str>, InvalidCredentials> {
    stringprep::saslprep(text).map_err(|_| InvalidCredentials::Unprepared)
}

/// The same, for ASCII alone, where it is what it is.
#[cfg(not(feature = "saslprep"))]
pub(super) fn prepared(text: &str) -> Result<Cow<'_, str>, InvalidCredentials> {
    let is_printable = text.bytes().all(|octet| (b' '..=b'~').contains(&octet));
    if is_printable { Ok(Cow::Borrowed(text)) } else { Err(InvalidCredentials::Unprepared) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_ascii_is_left_as_it_is_and_control_characters_are_refused() {
        assert_eq!(prepared("pencil and =,").as_deref(), Ok("pencil and =,"));
        for text in ["a\0", "a\r\nb", "\x7f", "\x01"] {
            assert_eq!(prepared(text), Err(InvalidCredentials::Unprepared), "{text:?}");
        }
    }

    /// RFC 4013 §3
    #[cfg(feature = "saslprep")]
    #[test]
    fn the_examples_of_the_rfc_are_prepared_as_it_says() {
        for (text, expected) in [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            ("\u{627}1", None),
        ] {
            assert_eq!(prepared(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
