//! Fuzz bytes as words of the protocol, so that mutations go deep.

/// What the bytes from `0x80` on stand for. Others stand for themselves.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"* ",
    b"+ \r\n",
    b"A0 ",
    b"A1 ",
    b"A2 ",
    b"A3 ",
    b"A4 ",
    b"A5 ",
    b"A6 ",
    b"A7 ",
    b"OK ",
    b"NO ",
    b"BAD ",
    b"* BYE ",
    b"* PREAUTH ",
    b"* OK ",
    b" done\r\n",
    b"OK done\r\n",
    b"NO no\r\n",
    b"BAD bad\r\n",
    b"* 1 FETCH (",
    b"* 2 FETCH (UID 2 ",
    b" FETCH (",
    b"FLAGS (",
    b"\\Seen ",
    b"UID ",
    b"UID 1",
    b"UID 3",
    b"BODY[]",
    b"BODY[] ",
    b"BODY[HEADER] ",
    b"BODY[HEADER.FIELDS (",
    b"BODY[TEXT]<0> ",
    b"RFC822 ",
    b"BINARY[1] ~",
    b"ENVELOPE (",
    b"BODYSTRUCTURE (",
    b"INTERNALDATE ",
    b"RFC822.SIZE ",
    b"MODSEQ (",
    b"{0}\r\n",
    b"{1}\r\n",
    b"{2}\r\n",
    b"{3}\r\n",
    b"{5+}\r\n",
    b"{9}\r\n",
    b"~{4}\r\n",
    b"{20}\r\n",
    b"{300}\r\n",
    b"{007}\r\n",
    b"{2+  }  \r\n",
    b"{4294967296}\r\n",
    b"{9223372036854775807}\r\n",
    b"{9223372036854775808}\r\n",
    b"{99999999999999999999}\r\n",
    b"{3}",
    b"{",
    b"}",
    b"\"",
    b"\\\"",
    b"\"\" ",
    b"\"a b\" ",
    b"NIL ",
    b"(",
    b")",
    b"(((((((((",
    b")))))))))",
    b")\r\n",
    b"[",
    b"]",
    b"* 3 EXISTS\r\n",
    b"* 1 RECENT\r\n",
    b"* 2 EXPUNGE\r\n",
    b"* 0 EXPUNGE\r\n",
    b"* SEARCH 1 2 3\r\n",
    b"* SEARCH ",
    b"* CAPABILITY ",
    b"* CAPABILITY IMAP4rev1 LITERAL+ IDLE\r\n",
    b"* CAPABILITY IMAP4rev1 LITERAL-\r\n",
    b"[CAPABILITY IMAP4rev1 LITERAL+] ",
    b"[UIDVALIDITY 7] ",
    b"[UIDNEXT 9] ",
    b"[READ-ONLY] ",
    b"[APPENDUID 7 5] ",
    b"[PERMANENTFLAGS (\\*)] ",
    b"[ALERT] ",
    b"[CLOSED] ",
    b"* LIST (\\Noselect) \"/\" ",
    b"* FLAGS (\\Seen)\r\n",
    b"* STATUS ",
    b"* ESEARCH ",
    b"* VANISHED ",
    b"* ENABLED ",
    b"+",
    b"+ go\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\0\0",
    b"\xff",
    b"\xc3\xa9",
    b"  ",
    b"0123456789",
    b"18446744073709551616",
    b"\"MIXED\" ",
    b"(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 1 1)",
    b"(NIL NIL \"u\" \"h\")",
    b"OK text {3}\r\n",
    b"\t",
    b"<0>",
    b"ok ",
    b"fetch ",
    b"A",
    b"A00 ",
    b"A12 ",
    b"$Junk ",
];

/// Spells out fuzz bytes, up to about `most` bytes.
pub(crate) fn spell(data: &[u8], most: usize) -> Vec<u8> {
    let mut spelled = Vec::with_capacity(data.len() * 2);
    for byte in data {
        if spelled.len() > most {
            break;
        }
        match WORDS.get(usize::from(byte.wrapping_sub(0x80))) {
            Some(word) if *byte >= 0x80 => spelled.extend_from_slice(word),
            _ => spelled.push(*byte),
        }
    }
    spelled
}

/// A small generator whose numbers depend on nothing but the seed.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: &[u8]) -> Self {
        // FNV-1a
        Numbers(
            seed.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
                | 1,
        )
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) as usize) % end.max(1)
    }
}
