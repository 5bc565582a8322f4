/// True for what may be sent as an atom.
///
/// RFC 9051 §9:
///
/// ```abnf
/// atom            = 1*ATOM-CHAR
/// ATOM-CHAR       = <any CHAR except atom-specials>
/// atom-specials   = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
/// list-wildcards  = "%" / "*"
/// quoted-specials = DQUOTE / "\"
/// resp-specials   = "]"
/// ```
pub(crate) fn is_atom(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| is_atom_char(*byte))
}

/// True for a character that an atom may hold.
pub(crate) const fn is_atom_char(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn atoms_hold_no_specials() {
        for atom in ["a", "BODY.PEEK[", "+x", "$Junk", "}"] {
            assert!(is_atom(atom.as_bytes()), "{atom}");
        }
        for other in ["", "a b", "a(", "a)", "a{", "a%", "a*", "a\"", "a\\", "a]", "a\x7f", "a\n", "é"] {
            assert!(!is_atom(other.as_bytes()), "{other:?}");
        }
    }
}
