use imap_proto_core::wire::{Token, TokenKind, Tokenized};

/// True when the tokens of a command are apart by what the grammar asks for, one space and no more. The tokenizer itself
/// lets more through: it is made for what servers send.
pub(super) fn is_strict(line: &Tokenized) -> bool {
    let frame = line.bytes();
    let mut at = 0;
    let mut behind_parenthesis = true;
    for token in line.tokens() {
        let Some((start, end)) = extent(frame, token) else { return false };
        let Some(gap) = frame.get(at..start) else { return false };
        let closing = gap.iter().take_while(|byte| **byte == b')').count();
        let expected: &[u8] = if behind_parenthesis && closing == 0 { b"" } else { b" " };
        if &gap[closing..] != expected {
            return false;
        }
        at = end;
        behind_parenthesis = token.kind() == TokenKind::List;
    }
    frame.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b')'))
}

/// Where a token begins and ends, its quotes or its announcement included; of a list the parenthesis that opens it.
fn extent(frame: &[u8], token: Token) -> Option<(usize, usize)> {
    let (start, end) = (token.start(), token.start() + token.length());
    match token.kind() {
        TokenKind::List => Some((start, start + 1)),
        TokenKind::Quoted | TokenKind::Escaped => Some((start.checked_sub(1)?, end + 1)),
        TokenKind::Literal => {
            let brace = frame.get(..start)?.iter().rposition(|byte| *byte == b'{')?;
            let header = frame.get(brace + 1..start)?.strip_suffix(b"}\r\n")?;
            let digits = header.strip_suffix(b"+").unwrap_or(header);
            let tilde = usize::from(brace > 0 && frame[brace - 1] == b'~');
            digits.iter().all(u8::is_ascii_digit).then_some((brace - tilde, end))
        }
        TokenKind::Detached => None,
        _ => Some((start, end)),
    }
}

#[cfg(test)]
mod tests {
    use imap_proto_core::wire::Limits;

    use super::*;

    #[test]
    fn one_space_and_no_more() {
        for (frame, strict) in [
            ("A NOOP", true),
            ("A  NOOP", false),
            ("A NOOP ", false),
            (" A NOOP", false),
            ("A\tNOOP", false),
            ("A X (a b (c) ())", true),
            ("A X ((a))", true),
            ("A X ( a)", false),
            ("A X (a )", false),
            ("A X (a)(b)", false),
            ("A X (a) (b)", true),
            ("A X() b", false),
            ("A X \"a\"\"b\"", false),
            ("A X \"a\" \"b\\\"\"", true),
            ("A X {1}\r\na b", true),
            ("A X {1+}\r\na", true),
            ("A X{1}\r\na", false),
            ("A X {1} \r\na", false),
            ("A X ~{1}\r\na", true),
            ("A X BODY[HEADER.FIELDS (A B)]<0.1>", true),
        ] {
            let line = Tokenized::new(frame.as_bytes().to_vec(), &Limits::default());
            assert_eq!(is_strict(&line), strict, "{frame:?}");
        }
    }
}
