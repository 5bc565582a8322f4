//! FETCH with nom, whose input is the token table: what combinators cost above tokens, beside the views.
//!
//! It reads what servers send that keep to the grammar, and none of what the views tolerate beyond it.

use std::iter::Enumerate;

use imap_proto_core::wire::{self, Kind, Response, Token, TokenKind};
use nom::branch::alt;
use nom::combinator::{iterator, map_opt, rest, verify};
use nom::sequence::pair;
use nom::{Err, IResult, Input, Needed, Parser};

use super::values;
use crate::contender::Touch;

/// The errors of `()` are the cheapest that nom has.
type Parsed<'a, T> = IResult<Tokens<'a>, T, ()>;

/// A stretch of the token table, and the frame it is of.
#[derive(Clone, Copy)]
struct Tokens<'a> {
    frame: &'a [u8],
    table: wire::Tokens<'a>,
    at: usize,
    end: usize,
}

impl<'a> Tokens<'a> {
    fn slice(&self) -> wire::Tokens<'a> {
        self.table.between(self.at, self.end)
    }

    fn first(&self) -> Option<Token> {
        self.slice().next()
    }

    fn between(self, at: usize, end: usize) -> Self {
        Tokens { at, end, ..self }
    }

    fn content(&self, token: Token) -> &'a [u8] {
        self.frame.get(token.start()..token.start() + token.length()).unwrap_or_default()
    }
}

impl<'a> Input for Tokens<'a> {
    type Item = Token;
    type Iter = wire::Tokens<'a>;
    type IterIndices = Enumerate<Self::Iter>;

    fn input_len(&self) -> usize {
        self.end - self.at
    }

    fn take(&self, index: usize) -> Self {
        self.between(self.at, self.at + index)
    }

    fn take_from(&self, index: usize) -> Self {
        self.between(self.at + index, self.end)
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(Token) -> bool>(&self, predicate: P) -> Option<usize> {
        self.iter_elements().position(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.slice()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.iter_elements().enumerate()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        let missing = count.saturating_sub(self.input_len());
        if missing > 0 { Err(Needed::new(missing)) } else { Ok(count) }
    }
}

/// Adds what a consumer would look at.
pub(super) fn touch(response: Response<'_>, touch: &mut Touch) {
    let Kind::Fetch(_) = response.kind() else { return values::touch(response, touch) };
    let table = response.tokens();
    let all = Tokens { frame: response.raw(), table, at: 0, end: table.len() };
    let Ok((_, items)) = inside(all) else { return };
    let mut items = iterator(items, pair(atom, value));
    for (name, value) in items.by_ref() {
        item(name, value, touch).expect("a corpus keeps to the grammar");
    }
}

fn item<'a>(name: &[u8], value: Tokens<'a>, touch: &mut Touch) -> Result<(), Err<()>> {
    match name {
        b"UID" => touch.number(number(value)?.1),
        b"MODSEQ" => touch.number(list(number).parse(value)?.1),
        b"FLAGS" => iterator(inside(value)?.1, atom).by_ref().for_each(|flag| touch.flag(flag)),
        b"ENVELOPE" => envelope(value)?.1.touch(touch),
        b"BODYSTRUCTURE" => body(value)?.1.touch(touch)?,
        // A literal that was streamed was looked at by the piece.
        name if name.starts_with(b"BODY[") => {
            touch.literal(nstring(value).map_or(None, |(_, data)| data).unwrap_or_default())
        }
        _ => {}
    }
    Ok(())
}

/// ```abnf
/// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP
///            env-bcc SP env-in-reply-to SP env-message-id ")"
/// ```
fn envelope(input: Tokens<'_>) -> Parsed<'_, Envelope<'_>> {
    let fields = (nstring, nstring, addresses, addresses, addresses, addresses, addresses, addresses, nstring, nstring);
    let (input, (date, subject, from, _, _, to, _, _, _, message_id)) = list(fields).parse(input)?;
    Ok((input, Envelope { date, subject, from, to, message_id }))
}

struct Envelope<'a> {
    date: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    from: Tokens<'a>,
    to: Tokens<'a>,
    message_id: Option<&'a [u8]>,
}

impl Envelope<'_> {
    fn touch(&self, touch: &mut Touch) {
        touch.nstring(self.date);
        touch.nstring(self.subject);
        for list in [self.from, self.to] {
            for (name, _, mailbox, host) in iterator(list, address).by_ref() {
                touch.nstring(name);
                touch.nstring(mailbox);
                touch.nstring(host);
            }
        }
        touch.nstring(self.message_id);
    }
}

/// `env-from = "(" 1*address ")" / nil`, as the stretch of its addresses: as in the views, they are read when asked for.
fn addresses(input: Tokens<'_>) -> Parsed<'_, Tokens<'_>> {
    alt((inside, nil.map(|_| input.take(0)))).parse(input)
}

/// `address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"`
#[expect(clippy::type_complexity, reason = "four strings are no type of their own here")]
fn address(input: Tokens<'_>) -> Parsed<'_, (Option<&[u8]>, Option<&[u8]>, Option<&[u8]>, Option<&[u8]>)> {
    list((nstring, nstring, nstring, nstring)).parse(input)
}

/// ```abnf
/// body            = "(" (body-type-1part / body-type-mpart) ")"
/// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
/// body-type-msg   = media-message SP body-fields SP envelope SP body SP body-fld-lines
/// body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
/// ```
fn body(input: Tokens<'_>) -> Parsed<'_, Body<'_>> {
    let message = (verify(string, |kind: &[u8]| kind.eq_ignore_ascii_case(b"message")), fields, value, value, rest);
    let message =
        message.map(|(_, (subtype, octets), envelope, body, _)| Body::Message { subtype, octets, envelope, body });
    let basic = (string, fields, rest).map(|(_, (subtype, octets), _)| Body::Basic { subtype, octets });
    let multi = rest.map(|parts| Body::Multi { parts });
    list(alt((message, basic, multi))).parse(input)
}

enum Body<'a> {
    Basic { subtype: &'a [u8], octets: u64 },
    Message { subtype: &'a [u8], octets: u64, envelope: Tokens<'a>, body: Tokens<'a> },
    Multi { parts: Tokens<'a> },
}

impl Body<'_> {
    fn touch(&self, touch: &mut Touch) -> Result<(), Err<()>> {
        match *self {
            Body::Basic { subtype, octets } => {
                touch.string(subtype);
                touch.number(octets);
            }
            Body::Message { subtype, octets, envelope: inner, body: message } => {
                touch.string(subtype);
                touch.number(octets);
                envelope(inner)?.1.touch(touch);
                body(message)?.1.touch(touch)?;
            }
            Body::Multi { parts } => {
                let mut parts = iterator(parts, body);
                for part in parts.by_ref() {
                    part.touch(touch)?;
                }
                let (behind, ()) = parts.finish()?;
                touch.string(string(behind)?.1);
            }
        }
        Ok(())
    }
}

/// `media-subtype SP body-fields`: the subtype and the octets.
fn fields(input: Tokens<'_>) -> Parsed<'_, (&[u8], u64)> {
    (string, value, nstring, nstring, nstring, number).map(|(subtype, .., octets)| (subtype, octets)).parse(input)
}

/// One value of any shape.
fn value(input: Tokens<'_>) -> Parsed<'_, Tokens<'_>> {
    let token = input.first().ok_or(Err::Error(()))?;
    let end = if token.kind() == TokenKind::List { token.length() } else { input.at + 1 };
    Ok(input.take_split(end - input.at))
}

/// A list that is `inner` to its end.
fn list<'a, O>(
    mut inner: impl Parser<Tokens<'a>, Output = O, Error = ()>,
) -> impl Parser<Tokens<'a>, Output = O, Error = ()> {
    move |input| {
        let (input, list) = inside(input)?;
        let (behind, values) = inner.parse(list)?;
        if behind.input_len() > 0 { Err(Err::Error(())) } else { Ok((input, values)) }
    }
}

/// The stretch that is inside a list.
fn inside(input: Tokens<'_>) -> Parsed<'_, Tokens<'_>> {
    let list = input.first().filter(|token| token.kind() == TokenKind::List).ok_or(Err::Error(()))?;
    Ok((input.between(list.length(), input.end), input.between(input.at + 1, list.length())))
}

/// `nstring = string / nil`
fn nstring(input: Tokens<'_>) -> Parsed<'_, Option<&[u8]>> {
    alt((string.map(Some), nil.map(|_| None))).parse(input)
}

/// `string = quoted / literal`
fn string(input: Tokens<'_>) -> Parsed<'_, &[u8]> {
    let text = |kind| matches!(kind, TokenKind::Quoted | TokenKind::Escaped | TokenKind::Literal);
    token(text).map(|token| input.content(token)).parse(input)
}

fn nil(input: Tokens<'_>) -> Parsed<'_, Token> {
    token(|kind| kind == TokenKind::Nil).parse(input)
}

fn atom(input: Tokens<'_>) -> Parsed<'_, &[u8]> {
    token(|kind| kind == TokenKind::Atom).map(|token| input.content(token)).parse(input)
}

/// `number64 = 1*DIGIT`
fn number(input: Tokens<'_>) -> Parsed<'_, u64> {
    map_opt(atom, |digits| {
        digits.iter().try_fold(0_u64, |number, byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 { None } else { number.checked_mul(10)?.checked_add(digit.into()) }
        })
    })
    .parse(input)
}

fn token<'a>(is: impl Fn(TokenKind) -> bool) -> impl Parser<Tokens<'a>, Output = Token, Error = ()> {
    move |input: Tokens<'a>| match input.first() {
        Some(token) if is(token.kind()) => Ok((input.take_from(1), token)),
        _ => Err(Err::Error(())),
    }
}
