use crate::wire::{Text, Value, Values};

// RFC 9051 §9
//
// flag-list  = "(" [flag *(SP flag)] ")"
// flag       = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
// flag-fetch = flag / obsolete-flag-recent
// flag-perm  = flag / "\*"

/// Shows a parenthesised list of flags, as it came. RFC 9051 §7.5.2
///
/// Whatever stands in the list and can be read as text is kept, since servers send keywords that are no atoms,
/// and flags between quotes; only `NIL` and nested lists are passed over (quirk 87). It serves as well for lists
/// of the same shape, such as `X-GM-LABELS` (quirk 88).
#[derive(Clone, Copy, Debug)]
pub struct Flags<'a> {
    values: Values<'a>,
}

impl<'a> Flags<'a> {
    /// Reads a list, or `NIL` as an empty one; `None` for anything else.
    #[inline]
    pub fn new(value: Value<'a>) -> Option<Self> {
        match value.without_extra_parens().list() {
            Some(values) => Some(Flags { values }),
            None if value.is_nil() => Some(Flags { values: Values::empty() }),
            None => None,
        }
    }

    /// Goes through the flags, in the order of the server.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> + Clone {
        self.values.filter_map(Value::text)
    }

    /// True when the flag is in the list, whatever its ASCII case.
    ///
    /// System flags begin with their backslash: `\Seen`.
    pub fn contains(self, flag: &str) -> bool {
        self.iter().any(|found| found.eq_ignore_ascii_case(flag))
    }

    /// True when there are no flags.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::wire::Parsed;

    #[test]
    fn quirk_87_flags_are_kept_and_nil_is_dropped() {
        for (list, flags) in [
            (r"(\Seen $Junk)", &[r"\Seen", "$Junk"][..]),
            ("()", &[]),
            ("NIL", &[]),
            ("(NIL)", &[]),
            (r"(NIL \Seen nil)", &[r"\Seen"]),
            (r#"("\\Seen" "$Junk")"#, &[r"\Seen", "$Junk"]),
            (r"(\*)", &[r"\*"]),
            ("(+ [x] ])", &["+", "[x]", "]"]),
            (r"(\Custom (a b) {3}", &[r"\Custom", "{3}"]),
            ("({3}\r\na b c)", &["a b", "c"]),
            (r"(  \Seen  \Draft )", &[r"\Seen", r"\Draft"]),
            (r"((\Seen))", &[r"\Seen"]),
        ] {
            let parsed = Parsed::of(list);
            let found = Flags::new(parsed.first()).expect(list);
            let found: Vec<_> = found.iter().map(|flag| flag.to_str().into_owned()).collect();
            assert_eq!(found, flags, "{list}");
        }
    }

    #[test]
    fn what_is_no_list_holds_no_flags() {
        for value in [r"\Seen", "\"\"", "7"] {
            assert!(Flags::new(Parsed::of(value).first()).is_none(), "{value}");
        }
    }

    #[test]
    fn a_flag_is_found_in_any_case_and_only_whole() {
        let parsed = Parsed::of(r#"(\SEEN "\\draft" "" "a\\")"#);
        let flags = Flags::new(parsed.first()).expect("a list");
        for flag in [r"\seen", r"\Draft", "", r"a\"] {
            assert!(flags.contains(flag), "{flag}");
        }
        for flag in [r"\See", r"\Seen2", "draft", r"\draf", r"\drafts", r"a\\", "a"] {
            assert!(!flags.contains(flag), "{flag}");
        }
    }

    #[test]
    fn quirk_88_labels_read_like_flags() {
        let parsed = Parsed::of(r#"("\\Important" \Inbox NIL "+x" "&AOk-")"#);
        let labels = Flags::new(parsed.first()).expect("a list");
        let labels: Vec<_> = labels.iter().map(|label| label.to_str().into_owned()).collect();
        assert_eq!(labels, [r"\Important", r"\Inbox", "+x", "&AOk-"]);
    }
}
