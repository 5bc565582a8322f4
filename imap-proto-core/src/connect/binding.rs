//! What an authentication can be bound to in the TLS below it.

#[cfg(feature = "scram")]
use std::vec::Vec;

use super::runtime::TlsFacts;
use crate::sasl::ChannelBinding;

impl TlsFacts {
    /// `tls-exporter` for TLS 1.3, and else `tls-server-end-point`. RFC 9266, RFC 5929 §4
    pub fn binding(&self) -> ChannelBinding {
        if let Some(exported) = self.exporter {
            return ChannelBinding::Exporter(exported.to_vec());
        }
        #[cfg(feature = "scram")]
        if let Some(hash) = self.end_certificate.as_ref().and_then(|certificate| end_point(certificate)) {
            return ChannelBinding::EndPoint(hash);
        }
        ChannelBinding::None
    }
}

/// The hash of a certificate by the function that it is signed with, SHA-256 in place of those that are broken; `None` where
/// that is none, as for Ed25519, or one with parameters.
#[cfg(feature = "scram")]
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    use sha2::{Digest, Sha256, Sha384, Sha512};

    Some(match signature_oid(certificate)? {
        // md5WithRSA, sha1WithRSA, sha256WithRSA; ecdsa-with-SHA1, ecdsa-with-SHA256
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 4 | 5 | 11]
        | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 1]
        | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 2] => Sha256::digest(certificate).to_vec(),
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 12] | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 3] => {
            Sha384::digest(certificate).to_vec()
        }
        [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 13] | [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 4] => {
            Sha512::digest(certificate).to_vec()
        }
        _ => return None,
    })
}

/// `Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm SEQUENCE { algorithm OID, … }, … }`
#[cfg(feature = "scram")]
fn signature_oid(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const OID: u8 = 0x06;
    let (certificate, _) = value(certificate, SEQUENCE)?;
    let (_, behind) = value(certificate, SEQUENCE)?;
    let (algorithm, _) = value(behind, SEQUENCE)?;
    value(algorithm, OID).map(|(oid, _)| oid)
}

/// The value of a DER element of that tag, and what is behind it. X.690 §8.1
#[cfg(feature = "scram")]
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (len, rest) = rest.split_first()?;
    let (len, rest) = match *len {
        len @ 0..=0x7F => (usize::from(len), rest),
        long @ 0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7F))?;
            (octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    (*first == tag).then(|| rest.split_at_checked(len))?
}

#[cfg(all(test, feature = "scram"))]
mod tests {
    use std::vec;

    use super::*;

    /// A certificate as short as can be, signed by an algorithm of this OID.
    fn certificate(oid: &[u8]) -> Vec<u8> {
        let element = |tag: u8, value: &[u8]| [&[tag, value.len() as u8], value].concat();
        let algorithm = element(0x30, &[element(6, oid), element(5, &[])].concat());
        element(0x30, &[element(0x30, b"to be signed"), algorithm, element(3, b"signature")].concat())
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_never_a_broken_one() {
        let rsa = |last| [&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01][..], &[last]].concat();
        let ecdsa = |last| [&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03][..], &[last]].concat();
        for (oid, len) in [
            (rsa(4), Some(32)),
            (rsa(5), Some(32)),
            (rsa(11), Some(32)),
            (rsa(12), Some(48)),
            (rsa(13), Some(64)),
            (ecdsa(2), Some(32)),
            (ecdsa(3), Some(48)),
            (ecdsa(4), Some(64)),
            // RSASSA-PSS has it in its parameters, Ed25519 has none.
            (rsa(10), None),
            (vec![0x2B, 0x65, 0x70], None),
        ] {
            assert_eq!(end_point(&certificate(&oid)).map(|hash| hash.len()), len, "{oid:?}");
        }
    }

    #[test]
    fn no_certificate_is_too_broken_to_be_looked_at() {
        let whole = certificate(&[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 2]);
        for end in 0..whole.len() {
            assert_eq!(end_point(&whole[..end]), None);
        }
        for odd in [&[0x30, 0x84, 1, 1, 1, 1][..], &[0x30, 0x80], &[0x30, 0x83, 0xFF, 0xFF, 0xFF, 0], &[0x31, 0]] {
            assert_eq!(end_point(odd), None);
        }
    }
}
