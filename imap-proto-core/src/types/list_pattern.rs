use alloc::string::String;

use super::MailboxName;

/// Matches names of mailboxes: `*` stands for anything, `%` for anything within one level.
///
/// RFC 9051 §6.3.9. Given in Unicode, as [`MailboxName`]s are; a name is the pattern that matches it, along with others
/// where it holds a `*` or `%`.
///
/// ```
/// use imap_proto_core::types::ListPattern;
///
/// let pattern = ListPattern::from("Lists/%");
/// assert!(pattern.matches("Lists/rust", Some('/')));
/// assert!(!pattern.matches("Lists/rust/users", Some('/')));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPattern(MailboxName);

impl ListPattern {
    /// The pattern in the form that is put on the wire as names are.
    pub(crate) fn as_name(&self) -> &MailboxName {
        &self.0
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// True when a name of levels with that delimiter between them matches. ASCII case does not count, as it does not
    /// on some servers.
    pub fn matches(&self, name: &str, delimiter: Option<char>) -> bool {
        let (mut pattern, mut name) = (self.as_str(), name);
        // Where to go on when a literal character does not fit: behind the last wildcard of either kind.
        let (mut any, mut level) = (None, None);
        loop {
            let mut rest = pattern.chars();
            match (rest.next(), name.chars().next()) {
                (Some('*'), _) => {
                    pattern = rest.as_str();
                    any = Some((pattern, name));
                    level = None;
                }
                (Some('%'), _) => {
                    pattern = rest.as_str();
                    level = Some((pattern, name));
                }
                (None, None) => return true,
                (Some(wanted), Some(found)) if wanted.eq_ignore_ascii_case(&found) => {
                    pattern = rest.as_str();
                    name = behind_first(name);
                }
                _ => {
                    let within = |from: &str| from.chars().next().is_some_and(|first| Some(first) != delimiter);
                    if let Some((after, from)) = level.filter(|(_, from)| within(from)) {
                        (pattern, name) = (after, behind_first(from));
                        level = Some((pattern, name));
                    } else if let Some((after, from)) = any.filter(|(_, from): &(_, &str)| !from.is_empty()) {
                        // What `%` did not find from here on it finds from nowhere else in this level.
                        let next_level = || Some(from.split_once(delimiter?)?.1);
                        let next = if level.is_some() { next_level() } else { Some(behind_first(from)) };
                        let Some(next) = next else { return false };
                        (pattern, name) = (after, next);
                        any = Some((pattern, name));
                        level = None;
                    } else {
                        return false;
                    }
                }
            }
        }
    }

    /// What matches whatever one of them does.
    pub(crate) fn covering(patterns: &[ListPattern]) -> ListPattern {
        if let [only] = patterns {
            return only.clone();
        }
        let literal = |pattern: &ListPattern| pattern.as_str().find(['*', '%']).unwrap_or(pattern.as_str().len());
        let mut common = patterns.first().map_or("", |first| &first.as_str()[..literal(first)]);
        for pattern in patterns {
            let other = &pattern.as_str()[..literal(pattern)];
            let alike = common.char_indices().zip(other.chars()).take_while(|((_, one), other)| one == other);
            common = &common[..alike.map(|((at, one), _)| at + one.len_utf8()).last().unwrap_or(0)];
        }
        ListPattern::from(alloc::format!("{common}*"))
    }
}

fn behind_first(text: &str) -> &str {
    let mut rest = text.chars();
    rest.next();
    rest.as_str()
}

impl From<&str> for ListPattern {
    fn from(pattern: &str) -> Self {
        ListPattern(MailboxName::from_utf8(pattern.as_bytes()))
    }
}

impl From<String> for ListPattern {
    fn from(pattern: String) -> Self {
        ListPattern::from(pattern.as_str())
    }
}

impl From<MailboxName> for ListPattern {
    fn from(name: MailboxName) -> Self {
        ListPattern(name)
    }
}

impl From<&MailboxName> for ListPattern {
    fn from(name: &MailboxName) -> Self {
        ListPattern(name.clone())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wildcards_stand_for_what_they_may() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            ("*", &["", "a", "a/b/c"], &[]),
            ("%", &["", "a", "ab"], &["a/", "/a", "a/b"]),
            ("%/%", &["a/b", "/"], &["a", "a/b/c"]),
            ("a/*", &["a/", "a/b", "A/b/c"], &["a", "b/a/"]),
            ("*/b", &["a/b", "a/c/b", "/b"], &["b", "a/bb"]),
            ("*/%x", &["a/x", "a/b/cx", "x/x/x"], &["x", "a/x/b"]),
            ("%ab%", &["ab", "aab", "aabb", "xabab"], &["a/b", "ab/", "/ab"]),
            ("INBOX", &["INBOX", "inbox"], &["INBOX/x", "INBO"]),
            ("\u{fc}%", &["\u{fc}", "\u{fc}\u{fc}"], &["u", "\u{fc}/"]),
        ];
        for (pattern, matching, other) in table {
            let pattern = ListPattern::from(pattern);
            for name in matching {
                assert!(pattern.matches(name, Some('/')), "{pattern:?} {name}");
            }
            for name in other {
                assert!(!pattern.matches(name, Some('/')), "{pattern:?} {name}");
            }
        }
        assert!(ListPattern::from("%").matches("a/b", None), "without levels both are alike");
        assert!(!ListPattern::from("a%").matches("a.b", Some('.')));
    }

    #[test]
    fn what_covers_several_patterns_is_what_they_begin_with() {
        let table: [(&[&str], &str); 5] = [
            (&["a/%"], "a/%"),
            (&["a/%", "a/b*"], "a/*"),
            (&["a", "b"], "*"),
            (&["\u{fc}x", "\u{fc}\u{e9}"], "\u{fc}*"),
            (&["%", "a"], "*"),
        ];
        for (patterns, covering) in table {
            let patterns: Vec<ListPattern> = patterns.iter().map(|pattern| ListPattern::from(*pattern)).collect();
            assert_eq!(ListPattern::covering(&patterns).as_str(), covering);
        }
    }

    /// What the RFC says, without a thought for time.
    fn by_definition(pattern: &[u8], name: &[u8]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((b'*', rest)) => (0..=name.len()).any(|at| by_definition(rest, &name[at..])),
            Some((b'%', rest)) => {
                let end = name.iter().position(|byte| *byte == b'/').unwrap_or(name.len());
                (0..=end).any(|at| by_definition(rest, &name[at..]))
            }
            Some((first, rest)) => name.strip_prefix(&[*first]).is_some_and(|name| by_definition(rest, name)),
        }
    }

    proptest! {
        #[test]
        fn matching_is_as_defined(pattern in "[ab/*%]{0,8}", name in "[ab/]{0,8}") {
            let expected = by_definition(pattern.as_bytes(), name.as_bytes());
            prop_assert_eq!(ListPattern::from(pattern.as_str()).matches(&name, Some('/')), expected);
        }
    }
}
