/// Reads the ABNF of RFC 3501 §9 off a command's bytes.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Whether the command has ended; otherwise it stops right after a literal's header.
    complete: bool,
    /// Whether UTF8=ACCEPT is enabled, so that quoted strings may hold UTF-8.
    pub(super) utf8: bool,
    /// Whether a string with 8-bit octets was read since this was last cleared.
    pub(super) eight_bit: bool,
    /// Whether message sequence numbers were read.
    pub(super) sequence_numbers: bool,
}

/// Why a command could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The bytes at this offset do not follow the grammar.
    Grammar { expected: &'static str, at: usize },
    /// The command is right so far and waits for the octets of a literal.
    Literal {
        octets: u64,
        /// The mailbox, when the literal is the message of an APPEND.
        message_for: Option<String>,
    },
}

pub(super) type Parsed<T> = Result<T, Fault>;

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], complete: bool, utf8: bool) -> Self {
        Self { bytes, at: 0, complete, utf8, eight_bit: false, sequence_numbers: false }
    }

    pub(super) fn fault<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(Fault::Grammar { expected, at: self.at })
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_if(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn byte(&mut self, byte: u8, expected: &'static str) -> Parsed<()> {
        if self.skip_if(byte) { Ok(()) } else { self.fault(expected) }
    }

    pub(super) fn space(&mut self) -> Parsed<()> {
        self.byte(b' ', "one space")
    }

    pub(super) fn end(&self) -> Parsed<()> {
        if self.rest().is_empty() { Ok(()) } else { self.fault("the end of the command") }
    }

    pub(super) fn take_while(&mut self, is: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !is(byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn some_while(&mut self, is: impl Fn(u8) -> bool, expected: &'static str) -> Parsed<String> {
        match self.take_while(is) {
            [] => self.fault(expected),
            taken => Ok(text(taken)),
        }
    }

    /// `tag = 1*<any ASTRING-CHAR except "+">`
    pub(super) fn tag(&mut self) -> Parsed<String> {
        self.some_while(|byte| is_astring_char(byte) && byte != b'+', "a tag")
    }

    pub(super) fn atom(&mut self) -> Parsed<String> {
        self.some_while(is_atom_char, "an atom")
    }

    /// A word of the grammar itself, in upper case.
    pub(super) fn keyword(&mut self) -> Parsed<String> {
        let word = self.some_while(|byte| byte.is_ascii_alphanumeric() || byte == b'.', "a keyword")?;
        Ok(word.to_ascii_uppercase())
    }

    /// `number = 1*DIGIT ; (0 <= n < 4,294,967,296)`
    pub(super) fn number(&mut self) -> Parsed<u32> {
        let start = self.at;
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        text(digits).parse().map_err(|_| Fault::Grammar { expected: "a 32-bit number", at: start })
    }

    /// `nz-number = digit-nz *DIGIT`
    pub(super) fn nz_number(&mut self) -> Parsed<u32> {
        if self.peek() == Some(b'0') { self.fault("a number that does not start with 0") } else { self.number() }
    }

    /// `astring = 1*ASTRING-CHAR / string`
    pub(super) fn astring(&mut self) -> Parsed<Vec<u8>> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => self.some_while(is_astring_char, "an astring").map(String::into_bytes),
        }
    }

    /// `string = quoted / literal`
    pub(super) fn string(&mut self) -> Parsed<Vec<u8>> {
        let string = match self.peek() {
            Some(b'"') => self.quoted()?,
            Some(b'{') => self.literal()?,
            _ => return self.fault("a string"),
        };
        self.eight_bit |= !string.is_ascii();
        Ok(string)
    }

    /// `nstring = string / nil`
    pub(super) fn nstring(&mut self) -> Parsed<Option<Vec<u8>>> {
        if self.skip_word("NIL") { Ok(None) } else { self.string().map(Some) }
    }

    /// Skips a word of any case when it stands here whole.
    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
            && !rest.get(word.len()).is_some_and(|&next| is_atom_char(next));
        if found {
            self.at += word.len();
        }
        found
    }

    /// `quoted = DQUOTE *QUOTED-CHAR DQUOTE`
    fn quoted(&mut self) -> Parsed<Vec<u8>> {
        self.byte(b'"', "a quote")?;
        let mut string = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(special @ (b'"' | b'\\')) => string.push(special),
                        _ => return self.fault("a quote or backslash after a backslash"),
                    }
                }
                Some(byte @ (1..=9 | 11 | 12 | 14..=127)) => string.push(byte),
                Some(byte @ 128..) if self.utf8 => string.push(byte),
                Some(_) => return self.fault("a 7-bit character in a quoted string"),
                None => return self.fault("the closing quote"),
            }
            self.at += 1;
        }
        self.at += 1;
        if std::str::from_utf8(&string).is_err() {
            return self.fault("valid UTF-8 in a quoted string");
        }
        Ok(string)
    }

    /// `literal = "{" number ["+"] "}" CRLF *CHAR8`
    pub(super) fn literal(&mut self) -> Parsed<Vec<u8>> {
        self.byte(b'{', "a literal")?;
        let octets = self.number()?;
        self.skip_if(b'+');
        self.byte(b'}', "a closing brace")?;
        self.byte(b'\r', "CRLF after a literal's header")?;
        self.byte(b'\n', "CRLF after a literal's header")?;
        if !self.complete && self.rest().is_empty() {
            return Err(Fault::Literal { octets: octets.into(), message_for: None });
        }
        let end = self.at.saturating_add(octets as usize);
        let Some(string) = self.bytes.get(self.at..end) else {
            return self.fault("all octets of the literal");
        };
        if string.contains(&0) {
            return self.fault("a literal without NUL");
        }
        self.at = end;
        Ok(string.to_vec())
    }

    /// Items in parentheses, one space between them.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.byte(b'(', "an opening parenthesis")?;
        let mut items = vec![item(self)?];
        while !self.skip_if(b')') {
            self.byte(b' ', "one space or a closing parenthesis")?;
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// As [`list`](Self::list), but it may be empty.
    pub(super) fn list_or_empty<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.rest().starts_with(b"()") {
            self.at += 2;
            return Ok(Vec::new());
        }
        self.list(item)
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `ATOM-CHAR = <any CHAR except atom-specials>`
pub(super) fn is_atom_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !br#"(){%*"\]"#.contains(&byte)
}

/// `ASTRING-CHAR = ATOM-CHAR / resp-specials`
pub(super) fn is_astring_char(byte: u8) -> bool {
    is_atom_char(byte) || byte == b']'
}
