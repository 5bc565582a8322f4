use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::Hmac;
use hmac::digest::{Digest, KeyInit, Mac};
use imap_proto_core::types::{Capabilities, Capability};
use sha1::Sha1;
use sha2::Sha256;

use super::answer::{Parsed, bad};
use crate::options::Bindings;

/// Rounds that a client has to salt its password with; RFC 7677 §4 asks for these at least.
const ROUNDS: u32 = 4096;
const SALT: &[u8] = b"one salt for all";

/// The server's side of SCRAM. RFC 5802
#[derive(Debug)]
pub(super) struct Scram {
    is_sha_256: bool,
    /// The GS2 header as it was said, and what it is bound to.
    bound: Vec<u8>,
    pub(super) user: String,
    nonce: String,
    /// What was said without its header, and what was answered.
    said: String,
}

/// The rest of an exchange, once its first words are read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The client knows the password: this is to be said.
    Right(String),
    Wrong,
}

impl Scram {
    /// True for a name of one of its mechanisms.
    pub(super) fn has(mechanism: &str) -> bool {
        matches!(mechanism.trim_end_matches("-PLUS"), "SCRAM-SHA-1" | "SCRAM-SHA-256")
    }

    /// Reads the client's first words: what is to be answered. `None` where they are not to be gone on from.
    pub(super) fn begin(
        mechanism: &str,
        first: &[u8],
        offered: &Capabilities,
        bindings: &Bindings,
        nonce: &str,
    ) -> Parsed<Option<(Self, String)>> {
        let Ok(first) = std::str::from_utf8(first) else { return bad("Not of SCRAM") };
        let mut parts = first.splitn(3, ',');
        let (Some(flag), Some(_), Some(bare)) = (parts.next(), parts.next(), parts.next()) else {
            return bad("Not of SCRAM");
        };
        let mut bound = first.as_bytes()[..first.len() - bare.len()].to_vec();
        let is_plus = mechanism.ends_with("-PLUS");
        match (flag, is_plus) {
            ("n", false) => {}
            // Whoever could bind and was not offered to has been talking to somebody else as well. RFC 5802 §6
            ("y", false) if offered.has(&Capability::Auth(format!("{mechanism}-PLUS").into())) => return Ok(None),
            ("y", false) => {}
            ("p=tls-exporter", true) => match &bindings.exporter {
                Some(exporter) => bound.extend_from_slice(exporter),
                None => return Ok(None),
            },
            ("p=tls-server-end-point", true) => match &bindings.end_point {
                Some(end_point) => bound.extend_from_slice(end_point),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }
        let mut fields = bare.split(',');
        let user = fields.next().and_then(|field| field.strip_prefix("n="));
        let theirs = fields.next().and_then(|field| field.strip_prefix("r="));
        let (Some(user), Some(theirs)) = (user, theirs) else { return bad("Not of SCRAM") };
        let nonce = format!("{theirs}{nonce}");
        let answer = format!("r={nonce},s={},i={ROUNDS}", BASE64.encode(SALT));
        let user = user.replace("=2C", ",").replace("=3D", "=");
        let said = format!("{bare},{answer}");
        Ok(Some((Scram { is_sha_256: mechanism.contains("256"), bound, user, nonce, said }, answer)))
    }

    /// Reads the client's last words.
    pub(super) fn end(&self, last: &[u8], password: &[u8]) -> Proof {
        if self.is_sha_256 {
            self.prove::<Sha256, Hmac<Sha256>>(last, password)
        } else {
            self.prove::<Sha1, Hmac<Sha1>>(last, password)
        }
    }

    fn prove<D: Digest, M: Mac + KeyInit>(&self, last: &[u8], password: &[u8]) -> Proof {
        let Some((bare, proof)) = std::str::from_utf8(last).ok().and_then(|last| last.rsplit_once(",p=")) else {
            return Proof::Wrong;
        };
        let expected = format!("c={},r={}", BASE64.encode(&self.bound), self.nonce);
        let Some(proof) = BASE64.decode(proof).ok().filter(|_| bare == expected) else {
            return Proof::Wrong;
        };
        let said = format!("{},{bare}", self.said);
        let salted = salted::<M>(password);
        let client_key = keyed::<M>(&salted, b"Client Key");
        let signature = keyed::<M>(&D::digest(&client_key), said.as_bytes());
        if proof != xor(client_key, &signature) {
            return Proof::Wrong;
        }
        let signature = keyed::<M>(&keyed::<M>(&salted, b"Server Key"), said.as_bytes());
        Proof::Right(format!("v={}", BASE64.encode(&signature)))
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// `Hi()` of RFC 5802 §2.2: PBKDF2 with one block.
fn salted<M: Mac + KeyInit>(password: &[u8]) -> Vec<u8> {
    let mut last = keyed::<M>(password, &[SALT, &[0, 0, 0, 1]].concat());
    let mut all = last.clone();
    for _ in 1..ROUNDS {
        last = keyed::<M>(password, &last);
        all = xor(all, &last);
    }
    all
}

fn xor(mut one: Vec<u8>, other: &[u8]) -> Vec<u8> {
    one.iter_mut().zip(other).for_each(|(one, other)| *one ^= other);
    one
}
