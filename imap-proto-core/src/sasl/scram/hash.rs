use hmac::{Hmac, KeyInit};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize;

/// The hash of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hash {
    /// SHA-1: RFC 5802.
    Sha1,
    /// SHA-256: RFC 7677.
    Sha256,
}

/// Octets of the longest digest.
const LONGEST: usize = 32;

/// What a hash makes, wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Digest {
    octets: [u8; LONGEST],
    len: usize,
}

/// A keyed hash: HMAC. RFC 2104
#[derive(Clone)]
pub(super) enum Mac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
}

impl Digest {
    fn from_slice(slice: &[u8]) -> Self {
        let mut octets = [0; LONGEST];
        let len = slice.len().min(LONGEST);
        octets[..len].copy_from_slice(&slice[..len]);
        Digest { octets, len }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.octets[..self.len]
    }

    pub(super) fn xor(&mut self, other: &Digest) {
        self.octets.iter_mut().zip(&other.octets).for_each(|(own, other)| *own ^= other);
    }
}

impl Drop for Digest {
    fn drop(&mut self) {
        self.octets.zeroize();
    }
}

impl Hash {
    pub(super) fn of(self, octets: &[u8]) -> Digest {
        match self {
            Hash::Sha1 => Digest::from_slice(&Sha1::digest(octets)),
            Hash::Sha256 => Digest::from_slice(&Sha256::digest(octets)),
        }
    }

    /// Nothing where the key cannot be used; HMAC takes any.
    pub(super) fn keyed(self, key: &[u8]) -> Option<Mac> {
        match self {
            Hash::Sha1 => Hmac::new_from_slice(key).ok().map(Mac::Sha1),
            Hash::Sha256 => Hmac::new_from_slice(key).ok().map(Mac::Sha256),
        }
    }
}

impl Mac {
    pub(super) fn of(&self, parts: &[&[u8]]) -> Digest {
        fn digest<M: hmac::Mac + Clone>(mac: &M, parts: &[&[u8]]) -> Digest {
            let mut mac = mac.clone();
            parts.iter().for_each(|part| mac.update(part));
            Digest::from_slice(&mac.finalize().into_bytes())
        }
        match self {
            Mac::Sha1(mac) => digest(mac, parts),
            Mac::Sha256(mac) => digest(mac, parts),
        }
    }
}
