use super::address::write_addresses;
use super::header::Fields;
use super::wire::write_nstring;

/// Writes the ENVELOPE of a header. RFC 9051 §7.5.2
///
/// ```abnf
/// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
///            env-in-reply-to SP env-message-id ")"
/// ```
pub(crate) fn envelope(fields: Fields<'_>, out: &mut Vec<u8>) {
    let text = |name: &str, out: &mut Vec<u8>| write_nstring(fields.value(name).as_deref(), out);
    // An empty Sender or Reply-To counts as none.
    let found = |name: &str| fields.first(name).filter(|field| !field.body().trim_ascii().is_empty());
    let from = found("From");
    out.push(b'(');
    text("Date", out);
    out.push(b' ');
    text("Subject", out);
    for field in [from, found("Sender").or(from), found("Reply-To").or(from), found("To"), found("Cc"), found("Bcc")] {
        out.push(b' ');
        write_addresses(field, out);
    }
    out.push(b' ');
    text("In-Reply-To", out);
    out.push(b' ');
    text("Message-ID", out);
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_hold_the_header_as_it_is_written() {
        for (header, expected) in [
            (
                "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nSubject: =?utf-8?Q?Caf=C3=A9?=\r\n folded\r\n\
                 From: =?utf-8?Q?J=C3=B6rg?= Doe <j@example.org>\r\nTo: a@x, \"B, C\" <b@y>\r\nMessage-ID: <1@x>\r\n\r\n",
                "(\"Mon, 7 Feb 1994 21:52:25 -0800 (PST)\" \"=?utf-8?Q?Caf=C3=A9?= folded\" \
                 ((\"=?utf-8?Q?J=C3=B6rg?= Doe\" NIL \"j\" \"example.org\")) \
                 ((\"=?utf-8?Q?J=C3=B6rg?= Doe\" NIL \"j\" \"example.org\")) \
                 ((\"=?utf-8?Q?J=C3=B6rg?= Doe\" NIL \"j\" \"example.org\")) \
                 ((NIL NIL \"a\" \"x\")(\"B, C\" NIL \"b\" \"y\")) NIL NIL NIL \"<1@x>\")",
            ),
            (
                "From: a@x\r\nSender: s@x\r\nReply-To:\r\nTo: Team: b@y, C <c@z>;\r\nIn-Reply-To: <0@x>\r\n\r\n",
                "(NIL NIL ((NIL NIL \"a\" \"x\")) ((NIL NIL \"s\" \"x\")) ((NIL NIL \"a\" \"x\")) \
                 ((NIL NIL \"Team\" NIL)(NIL NIL \"b\" \"y\")(\"C\" NIL \"c\" \"z\")(NIL NIL NIL NIL)) NIL NIL \"<0@x>\" NIL)",
            ),
            (
                "To: undisclosed-recipients:;\r\n\r\n",
                "(NIL NIL NIL NIL NIL ((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)",
            ),
            (
                "From: root\r\nTo: a@x, root\r\n\r\n",
                "(NIL NIL ((NIL NIL \"root\" \"\")) ((NIL NIL \"root\" \"\")) ((NIL NIL \"root\" \"\")) \
                 ((NIL NIL \"a\" \"x\")(NIL NIL \"root\" \"\")) NIL NIL NIL NIL)",
            ),
            ("X: y\r\n\r\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
        ] {
            let mut out = Vec::new();
            envelope(Fields::of(header.as_bytes()), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
