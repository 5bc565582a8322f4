//! What nobody can foresee.

use std::string::String;
use std::sync::Arc;

use crate::error::Error;

/// So many letters, each of 26, of the randomness that TLS draws its keys from.
///
/// # Errors
/// Where the system has none to give.
pub(super) fn letters(count: usize) -> Result<String, Error> {
    let random = rustls::crypto::ring::default_provider().secure_random;
    let mut letters = String::with_capacity(count);
    while letters.len() < count {
        let mut octets = [0; 64];
        random.fill(&mut octets).map_err(|_| Error::Transport(Arc::new(rustls::Error::FailedToGetRandomBytes)))?;
        // 234 is nine times 26: no letter is likelier than another.
        let fair = octets.into_iter().filter(|octet| *octet < 234).map(|octet| char::from(b'A' + octet % 26));
        letters.extend(fair.take(count - letters.len()));
    }
    Ok(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_many_as_asked_for_and_never_the_same() {
        for count in [0, 1, 6, 24, 500] {
            let drawn = letters(count).expect("the system has some");
            assert!(drawn.len() == count && drawn.bytes().all(|octet| octet.is_ascii_uppercase()), "{drawn}");
        }
        assert_ne!(letters(24).ok(), letters(24).ok());
    }
}
