use alloc::string::String;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

/// Holds text whose ASCII case does not count when compared, and is kept when shown.
#[derive(Clone)]
pub struct Caseless(String);

impl Caseless {
    /// Returns the text as comparable without case.
    pub fn new(text: impl Into<String>) -> Self {
        Caseless(text.into())
    }

    /// The text, in the case it came in.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Caseless {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Caseless {}

impl PartialEq<str> for Caseless {
    fn eq(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialOrd for Caseless {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Caseless {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Caseless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().for_each(|byte| state.write_u8(byte));
        state.write_u8(0xff);
    }
}

impl From<&str> for Caseless {
    fn from(text: &str) -> Self {
        Caseless::new(text)
    }
}

impl From<String> for Caseless {
    fn from(text: String) -> Self {
        Caseless(text)
    }
}

impl fmt::Display for Caseless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Caseless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn case_counts_for_nothing_but_show() {
        let (one, other) = (Caseless::from("$Junk"), Caseless::from("$JUNK"));
        let state = RandomState::new();
        assert_eq!(one, other);
        assert_eq!(one.cmp(&other), Ordering::Equal);
        assert_eq!(state.hash_one(&one), state.hash_one(&other));
        assert_eq!(other.as_str(), "$JUNK");
    }
}
