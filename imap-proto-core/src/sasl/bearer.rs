//! What the mechanisms with a token have in common.

use alloc::string::String;

use super::{ExchangeError, InvalidCredentials};
use crate::types::Secret;

/// Control characters part the fields.
pub(super) fn check(user: &str, token: &Secret) -> Result<(), InvalidCredentials> {
    let is_clean = |octets: &[u8]| !octets.iter().any(u8::is_ascii_control);
    if is_clean(user.as_bytes()) && is_clean(token.expose()) { Ok(()) } else { Err(InvalidCredentials::Separator) }
}

/// Keeps what the server says of a refusal, once.
pub(super) fn refused(reason: &mut Option<String>, challenge: &[u8]) -> Result<(), ExchangeError> {
    if reason.is_some() {
        return Err(ExchangeError::Unexpected);
    }
    *reason = Some(crate::error::words(challenge));
    Ok(())
}
