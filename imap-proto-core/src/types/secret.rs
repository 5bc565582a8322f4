use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// Holds a password or token: zeroed when dropped, shown nowhere.
///
/// It has no `Display`, no comparison, and its `Debug` says nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Returns the secret. What a borrowed argument was copied from is not zeroed.
    pub fn new(secret: impl Into<Secret>) -> Self {
        secret.into()
    }

    /// The octets. Whoever copies them answers for the copy.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&String> for Secret {
    fn from(secret: &String) -> Self {
        Secret::from(secret.as_str())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Secret::from(secret.into_bytes())
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Secret::from(secret.as_bytes())
    }
}

impl From<Vec<u8>> for Secret {
    fn from(secret: Vec<u8>) -> Self {
        Secret(Zeroizing::new(secret))
    }
}

impl From<&[u8]> for Secret {
    fn from(secret: &[u8]) -> Self {
        Secret::from(secret.to_vec())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn debug_says_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.clone().expose(), b"hunter2");
    }
}
