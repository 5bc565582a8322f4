use super::hash::{Digest, Hash, Mac};

/// Rounds between two looks at the clock: a millisecond or two.
const AT_A_TIME: u32 = 4096;

/// The salting of a password, some rounds at a time: `Hi()` of RFC 5802 §2.2, which is PBKDF2 with one block.
pub(super) struct Salting {
    mac: Mac,
    last: Digest,
    sum: Digest,
    left: u32,
}

impl Salting {
    pub(super) fn new(hash: Hash, password: &[u8], salt: &[u8], rounds: u32) -> Option<Self> {
        let mac = hash.keyed(password)?;
        let first = mac.of(&[salt, &1u32.to_be_bytes()]);
        Some(Salting { mac, sum: first.clone(), last: first, left: rounds.saturating_sub(1) })
    }

    /// Goes on; the salted password once it is done.
    pub(super) fn work(&mut self) -> Option<Digest> {
        for _ in 0..self.left.min(AT_A_TIME) {
            self.last = self.mac.of(&[self.last.as_slice()]);
            self.sum.xor(&self.last);
        }
        self.left = self.left.saturating_sub(AT_A_TIME);
        (self.left == 0).then(|| self.sum.clone())
    }
}

impl core::fmt::Debug for Salting {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Salting").field("left", &self.left).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::String;

    use super::*;

    fn hex(digest: &Digest) -> String {
        digest.as_slice().iter().map(|octet| format!("{octet:02x}")).collect()
    }

    /// RFC 6070, and for SHA-256 RFC 7914 §11, whose first block is the same.
    #[test]
    fn the_digests_are_those_of_the_rfcs() {
        for (hash, password, salt, rounds, expected) in [
            (Hash::Sha1, "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
            (Hash::Sha1, "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
            (Hash::Sha1, "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"),
            (Hash::Sha256, "passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
            (
                Hash::Sha256,
                "Password",
                "NaCl",
                80_000,
                "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56",
            ),
        ] {
            let mut salting =
                Salting::new(hash, password.as_bytes(), salt.as_bytes(), rounds).expect("any key will do");
            let mut turns = 1;
            let digest = loop {
                match salting.work() {
                    Some(digest) => break digest,
                    None => turns += 1,
                }
            };
            assert_eq!((hex(&digest).as_str(), turns), (expected, rounds.div_ceil(AT_A_TIME)), "{rounds} rounds");
        }
    }
}
