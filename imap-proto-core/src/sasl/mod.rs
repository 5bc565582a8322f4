//! SASL mechanisms as values: what each says to what the server says. RFC 4422
//!
//! | mechanism | | what it needs of the stream |
//! | --- | --- | --- |
//! | [`Scram`] | RFC 5802, RFC 7677: neither side sees the password, and the server has to know it | nothing; its `-PLUS` forms TLS |
//! | [`Plain`] | RFC 4616 | TLS |
//! | [`Login`] | as PLAIN, in two steps; never standardised | TLS |
//! | [`Bearer`]: `OAUTHBEARER`, `XOAUTH2` | a token in place of a password (RFC 7628) | TLS |
//! | [`External`] | who we are is known from elsewhere, as from a certificate (RFC 4422 appendix A) | TLS |
//! | [`Anonymous`] | RFC 4505 | nothing |
//! | [`CramMd5`] | RFC 2195, for servers that have nothing better; never chosen unasked | TLS |
//!
//! Others, as GSSAPI or NTLM, are a [`Mechanism`] of the caller's.

mod anonymous;
mod bearer;
mod binding;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod credentials;
mod external;
mod login;
mod plain;
#[cfg(feature = "scram")]
mod prepare;
#[cfg(feature = "scram")]
mod scram;

use alloc::boxed::Box;
use alloc::string::String;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

pub use anonymous::Anonymous;
pub use bearer::Bearer;
pub use binding::ChannelBinding;
#[cfg(feature = "cram-md5")]
pub use cram_md5::CramMd5;
pub(crate) use credentials::Offer;
pub use credentials::{AuthMethod, Credentials, Refresh, TokenFuture, TokenProvider};
pub use external::External;
pub use login::Login;
pub use plain::Plain;
#[cfg(feature = "scram")]
pub use scram::{Hash, Iterations, Scram};

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
    /// Why it does not. The exchange is to be cancelled.
    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError>;

    /// Goes on with what it said takes long, for some milliseconds at most.
    ///
    /// # Errors
    /// As [`respond`](Self::respond).
    fn work(&mut self) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Unexpected)
    }

    /// True once it has said all it has to say and has heard all it has to hear, so that an `OK` may be believed.
    fn is_complete(&self) -> bool;

    /// What the server said in the exchange of why it is going to refuse.
    fn reason(&self) -> Option<&str> {
        None
    }
}

/// What a mechanism makes of a challenge.
#[derive(Debug)]
pub enum Reply {
    /// This is to be said.
    Say(Secret),
    /// It has to be asked to [`work`](Mechanism::work) first, until it has something to say.
    Work,
}

/// Why a mechanism does not go on. What was received is in none of them but the server's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// A challenge more than the mechanism has.
    #[error("a challenge that the mechanism does not have")]
    Unexpected,
    /// A challenge that is none of the mechanism's.
    #[error("a challenge that can't be read")]
    Malformed,
    /// The server's nonce does not begin with ours: it answers somebody else. RFC 5802 §5.1
    #[error("a nonce that is not ours")]
    Nonce,
    /// The server wants fewer rounds than are safe, or more than are sane. RFC 7677 §4
    #[error("{0} rounds, which are too few or too many")]
    Iterations(u32),
    /// The server does not know the password. RFC 5802 §3
    #[error("the server does not prove that it knows the password")]
    Signature,
    /// The server lets us in before the exchange is over: it has proved nothing.
    #[error("the server ends the exchange before it is over")]
    Incomplete,
    /// The server says what is wrong. RFC 5802 §7
    #[error("the server says: {0}")]
    Server(String),
}

/// Why a mechanism cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCredentials {
    /// A name, password or token has an octet that parts the fields of the mechanism.
    #[error("an octet that the mechanism cannot carry")]
    Separator,
    /// A name or password that SASLprep (RFC 4013) does not allow; without the feature `saslprep`, any beyond ASCII.
    #[error("a name or password that cannot be prepared as RFC 4013 asks")]
    Unprepared,
    /// No token, where the mechanism takes nothing else.
    #[error("no token")]
    NoToken,
}

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

/// A name as SCRAM and the other mechanisms with a GS2 header write it. RFC 5801 §4
fn escaped(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// What a mechanism says to a challenge.
    pub(super) fn say(mechanism: &mut impl Mechanism, challenge: &[u8]) -> Vec<u8> {
        match mechanism.respond(challenge) {
            Ok(Reply::Say(said)) => said.expose().to_vec(),
            other => panic!("{other:?}"),
        }
    }
}
