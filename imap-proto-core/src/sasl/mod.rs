//! SASL mechanisms as values: what each says to what the server says. RFC 4422

mod plain;

pub use plain::Plain;

use alloc::boxed::Box;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::types::Secret;

/// The client's side of one authentication. RFC 4422 §3
///
/// A mechanism is asked once for its initial response and once for each challenge, in order; it keeps count
/// itself, and answers no challenge that does not belong to it. Whoever drives it cancels the exchange then.
pub trait Mechanism: core::fmt::Debug + Send {
    /// Its registered name, as in `AUTH=PLAIN`.
    fn name(&self) -> &str;

    /// What it says first; `None` where the server has to.
    fn initial_response(&mut self) -> Option<Secret>;

    /// Answers a challenge, which came in Base64 and is decoded already.
    ///
    /// # Errors
    /// [`Unanswered`] when the challenge is none of its own.
    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, Unanswered>;

    /// True once it has said all it has to say, so that an `OK` may be believed.
    fn is_complete(&self) -> bool;
}

/// A challenge that a mechanism does not answer. The exchange is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a challenge that the mechanism does not have")]
pub struct Unanswered;

/// Any mechanism.
pub(crate) type AnyMechanism = Box<dyn Mechanism>;

/// The Base64 form of a response, wiped when it is dropped.
pub(crate) fn encode(octets: &[u8]) -> Zeroizing<alloc::vec::Vec<u8>> {
    // Its own length is asked for first: growing would leave copies behind.
    let mut encoded = Zeroizing::new(alloc::vec![0; octets.len().div_ceil(3) * 4]);
    let len = STANDARD.encode_slice(octets, &mut encoded).unwrap_or(0);
    encoded.truncate(len);
    encoded
}

/// Reads a challenge; `None` where it is no Base64. Spaces around it are passed over.
pub(crate) fn decode(challenge: &[u8]) -> Option<alloc::vec::Vec<u8>> {
    STANDARD.decode(challenge.trim_ascii()).ok()
}
