use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Claim, Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::{Code, Secret};
use crate::wire::{Encoder, OwnedResponse, Response, Token};

/// The most memory that is kept for responses, in bytes; what is beyond it is counted.
const MOST_KEPT: usize = 64 << 20;

/// What changes the connection itself, and has a command of its own here, or a place in the handshake.
const RESERVED: [&str; 13] = [
    "APPEND",
    "AUTHENTICATE",
    "CLOSE",
    "COMPRESS",
    "ENABLE",
    "EXAMINE",
    "IDLE",
    "LOGIN",
    "LOGOUT",
    "SELECT",
    "STARTTLS",
    "UNAUTHENTICATE",
    "UNSELECT",
];

/// A command that is not known here, as the line it is.
///
/// It goes alone: it waits for all others and all others wait for it, unless [`pipelined`](Self::pipelined) says
/// otherwise. Responses are its own where [`claims`](Self::claims) names them; all others are told to whoever listens.
/// Errors name it by its first word. Dropped half-way it is finished once any of it has left. It is in doubt from its last octet until the server's
/// answer, unless [`only_asks`](Self::only_asks) says otherwise.
///
/// ```
/// use imap_proto_core::command::Raw;
///
/// let quota = Raw::new("GETQUOTAROOT")?.string("INBOX").claims("QUOTAROOT").claims("QUOTA").only_asks();
/// assert!(Raw::new("NOOP\r\nA1 LOGOUT").is_err());
/// # let _ = quota;
/// # Ok::<(), imap_proto_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Raw {
    arguments: Vec<Argument>,
    names: Vec<Cow<'static, str>>,
    effect: Effect,
    order: Order,
    answer: RawAnswer,
    kept: usize,
}

#[derive(Clone, Debug)]
enum Argument {
    Text(String),
    String(Vec<u8>),
    Secret(Secret),
    Literal(Bytes),
}

/// What a [`Raw`] command brought.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RawAnswer {
    /// The untagged responses that it claimed, in their order. Body sections longer than
    /// [`Limits::inline`](crate::wire::Limits::inline) have no octets in them.
    pub responses: Vec<OwnedResponse>,
    /// How many more there were, beyond 64 MiB of memory.
    pub left_out: u64,
    /// The response code of the OK, where there was one.
    pub code: Option<Code>,
    /// The server's words.
    pub text: String,
}

/// Says why a raw command can't be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRaw {
    /// It does not begin with the name of a command.
    #[error("raw command does not begin with a name")]
    NoName,
    /// It holds CR, LF or NUL.
    #[error("raw command with a line break or NUL")]
    LineBreak,
    /// It ends as if octets of a literal were to follow.
    #[error("raw command that announces a literal")]
    Literal,
    /// It would change what the connection keeps track of; there is another way to do it.
    #[error("{0} cannot be sent as a raw command")]
    Reserved(&'static str),
}

impl Raw {
    /// Takes the line of a command, without tag and line end; arguments may follow.
    ///
    /// # Errors
    /// [`InvalidRaw`] where it would break out of its line, or break the order of the connection.
    pub fn new(line: impl Into<String>) -> Result<Self, InvalidRaw> {
        let line = line.into();
        check(&line)?;
        let mut words = line.split(' ');
        let name = words.next().unwrap_or_default();
        if !is_name(name) {
            return Err(InvalidRaw::NoName);
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| reserved.eq_ignore_ascii_case(name)) {
            return Err(InvalidRaw::Reserved(reserved));
        }
        Ok(Raw {
            arguments: Vec::from([Argument::Text(line)]),
            names: Vec::new(),
            effect: Effect::Change,
            order: Order::Barrier,
            answer: RawAnswer::default(),
            kept: 0,
        })
    }

    /// What it is called: its first word in capitals, and the one after UID.
    fn name(&self) -> String {
        let Some(Argument::Text(line)) = self.arguments.first() else { return String::new() };
        let mut words = line.split(' ').map(str::to_ascii_uppercase);
        let first = words.next().unwrap_or_default();
        match words.next().filter(|word| first == "UID" && is_name(word)) {
            Some(second) => format!("{first} {second}"),
            None => first,
        }
    }

    /// Adds a space and text as it is.
    ///
    /// # Errors
    /// [`InvalidRaw`] where it would break out of its line.
    pub fn text(mut self, text: impl Into<String>) -> Result<Self, InvalidRaw> {
        let text = text.into();
        check(&text)?;
        self.arguments.push(Argument::Text(text));
        Ok(self)
    }

    /// Adds a space and a string: quoted, or as a literal where it can't be. One with NUL is refused when it is sent.
    #[must_use]
    pub fn string(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.arguments.push(Argument::String(octets.into()));
        self
    }

    /// Adds a space and a string that is in no log and no `Debug`, and wiped afterwards.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.arguments.push(Argument::Secret(secret.into()));
        self
    }

    /// Adds a space and a literal, synchronizing or not as the server has it.
    #[must_use]
    pub fn literal(mut self, octets: impl Into<Bytes>) -> Self {
        self.arguments.push(Argument::Literal(octets.into()));
        self
    }

    /// Takes untagged responses of this name for its own: the first word behind `*`, or behind the number.
    #[must_use]
    pub fn claims(mut self, name: impl AsRef<str>) -> Self {
        self.names.push(name.as_ref().to_ascii_uppercase().into());
        self
    }

    /// Says that it changes nothing: given up, it surely has no effect.
    #[must_use]
    pub fn only_asks(mut self) -> Self {
        self.effect = Effect::None;
        self
    }

    /// Lets it go out beside others. It must hold no sequence numbers, and its responses must be told from theirs by their
    /// names.
    #[must_use]
    pub fn pipelined(mut self) -> Self {
        self.order = Order::Free;
        self
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn check(text: &str) -> Result<(), InvalidRaw> {
    if text.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
        return Err(InvalidRaw::LineBreak);
    }
    // `{n}`, `{n+}` and the `{n-}` of RFC 7888, whatever stands before it.
    let announced = text.trim_end().strip_suffix('}').and_then(|text| text.rsplit_once('{'));
    let announces = announced.is_some_and(|(_, count)| {
        let digits = count.strip_suffix(['+', '-']).unwrap_or(count);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    if announces { Err(InvalidRaw::Literal) } else { Ok(()) }
}

impl Command for Raw {
    type Output = RawAnswer;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("");
        for (at, argument) in self.arguments.iter().enumerate() {
            encoder.text(if at > 0 { " " } else { "" });
            match argument {
                Argument::Text(text) => encoder.text(text),
                Argument::String(octets) => encoder.string(octets),
                Argument::Secret(secret) => encoder.secret(secret.expose()),
                Argument::Literal(octets) => encoder.literal(octets.clone()),
            };
        }
        let claim = if self.names.is_empty() { Claim::Nothing } else { Claim::Named(self.names.clone()) };
        let (effect, order) = (self.effect.clone(), self.order);
        Ok(Request { claim, effect, order, state: State::Any, ..Request::new(self.name(), encoder)? })
    }

    fn fold(&mut self, response: Response<'_>) {
        // A short response costs more than its bytes.
        let cost = size_of::<OwnedResponse>() + response.raw().len() + size_of::<Token>() * response.tokens().len();
        self.kept = self.kept.saturating_add(cost);
        if self.kept > MOST_KEPT {
            self.answer.left_out += 1;
        } else {
            self.answer.responses.push(response.to_owned());
        }
    }

    fn finish(self, ok: Completion) -> RawAnswer {
        RawAnswer { code: ok.code, text: ok.text.to_string(), ..self.answer }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Decoder, Limits};

    #[test]
    fn a_secret_argument_is_shown_nowhere() {
        let raw = Raw::new("XLOGIN").expect("a name").string("alice").secret("hunter2");
        let request = raw.request().expect("a request");
        let shown = alloc::format!("{raw:?} {request:?}");
        assert!(shown.contains("XLOGIN") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_kept_is_bounded_by_what_it_costs() {
        let mut decoder = Decoder::new(Limits::default());
        let line = [b"* X".as_slice(), &b" a".repeat(400_000), b"\r\n"].concat();
        for piece in line.chunks(512) {
            decoder.space()[..piece.len()].copy_from_slice(piece);
            decoder.received(piece.len());
            let _ = decoder.advance();
        }
        let mut raw = Raw::new("XFOO").expect("a name").claims("X");
        let response = decoder.response();
        let cost = response.raw().len() + size_of::<Token>() * response.tokens().len();
        assert!(cost > 4_000_000);
        (0..20).for_each(|_| raw.fold(response));
        let answer = raw.finish(Completion::default());
        assert_eq!((answer.responses.len() * cost).div_ceil(MOST_KEPT), 1);
        assert_eq!(answer.responses.len() + answer.left_out as usize, 20);
    }

    #[test]
    fn a_raw_command_stays_inside_its_line_and_its_place() {
        for (line, expected) in [
            ("XFOO", Ok(())),
            ("XFOO bar {} {x} {3} y", Ok(())),
            ("UID XFOO 1:*", Ok(())),
            ("X-FOO.BAR \"é\"", Ok(())),
            ("", Err(InvalidRaw::NoName)),
            (" XFOO", Err(InvalidRaw::NoName)),
            ("* BAD", Err(InvalidRaw::NoName)),
            ("XFOO\tx", Err(InvalidRaw::NoName)),
            ("XFOO\r\nA1 LOGOUT", Err(InvalidRaw::LineBreak)),
            ("XFOO \n", Err(InvalidRaw::LineBreak)),
            ("XFOO \0", Err(InvalidRaw::LineBreak)),
            ("XFOO {3}", Err(InvalidRaw::Literal)),
            ("XFOO {3+} ", Err(InvalidRaw::Literal)),
            ("XFOO ~{99999999999999999999-}", Err(InvalidRaw::Literal)),
            ("XFOO\"", Err(InvalidRaw::NoName)),
            ("XFOO \"{3}", Err(InvalidRaw::Literal)),
            ("idle", Err(InvalidRaw::Reserved("IDLE"))),
            ("ENABLE UTF8=ACCEPT", Err(InvalidRaw::Reserved("ENABLE"))),
            ("Select INBOX", Err(InvalidRaw::Reserved("SELECT"))),
        ] {
            assert_eq!(Raw::new(line).map(drop), expected, "{line:?}");
            if expected == Err(InvalidRaw::Literal) || expected == Err(InvalidRaw::LineBreak) {
                let after = Raw::new("XFOO").expect("a name").text(line);
                assert_eq!(after.map(drop), expected, "{line:?}");
            }
        }
    }
}
