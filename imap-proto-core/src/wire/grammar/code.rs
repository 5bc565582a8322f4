use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take, take_till, take_till1, take_while1};
use nom::character::complete::{char, digit1, space0, space1};
use nom::combinator::{map, map_opt, opt, recognize, value};
use nom::error::{Error, ErrorKind};
use nom::multi::{many0, many0_count};
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::capability::capability_list;
use super::set::{sequence_set, uid_set};
use crate::types::{AppendUid, Caseless, Code, CopyUid, Flag, ModifiedSet, Progress, Uid, UidSequence, UidValidity};
use crate::wire::{decode, parse_number};

/// The codes that take no arguments.
static BARE: &[(&str, Code)] = &[
    ("ALERT", Code::Alert),
    ("ALREADYEXISTS", Code::AlreadyExists),
    ("AUTHENTICATIONFAILED", Code::AuthenticationFailed),
    ("AUTHORIZATIONFAILED", Code::AuthorizationFailed),
    ("CANNOT", Code::Cannot),
    ("CLIENTBUG", Code::ClientBug),
    ("CLOSED", Code::Closed),
    ("COMPRESSIONACTIVE", Code::CompressionActive),
    ("CONTACTADMIN", Code::ContactAdmin),
    ("CORRUPTION", Code::Corruption),
    ("EXPIRED", Code::Expired),
    ("EXPUNGEISSUED", Code::ExpungeIssued),
    ("HASCHILDREN", Code::HasChildren),
    ("INUSE", Code::InUse),
    ("LIMIT", Code::Limit),
    ("NOMODSEQ", Code::NoModSeq),
    ("NONEXISTENT", Code::NonExistent),
    ("NOPERM", Code::NoPerm),
    ("NOTIFICATIONOVERFLOW", Code::NotificationOverflow),
    ("NOTSAVED", Code::NotSaved),
    ("OVERQUOTA", Code::OverQuota),
    ("PARSE", Code::Parse),
    ("PRIVACYREQUIRED", Code::PrivacyRequired),
    ("READ-ONLY", Code::ReadOnly),
    ("READ-WRITE", Code::ReadWrite),
    ("SERVERBUG", Code::ServerBug),
    ("TEMPFAIL", Code::TempFail),
    ("TOOBIG", Code::TooBig),
    ("TRYCREATE", Code::TryCreate),
    ("UIDNOTSTICKY", Code::UidNotSticky),
    ("UIDREQUIRED", Code::UidRequired),
    ("UNAVAILABLE", Code::Unavailable),
    ("UNKNOWN-CTE", Code::UnknownCte),
    ("USEATTR", Code::UseAttr),
];

/// Cuts what follows `OK `, `NO `, … into the code and the text. RFC 9051 §7.1
///
/// There need be neither (quirk 28), nor a space between them (quirk 29). Where the bracket never closes, all of it is
/// text.
///
/// ```abnf
/// resp-text       = ["[" resp-text-code "]" SP] [text]
/// ```
pub fn parse_status_text(input: &[u8]) -> (Option<Code>, &[u8]) {
    match preceded(space0, delimited(char('['), resp_text_code, opt(char(' ')))).parse(input) {
        Ok((text, code)) => (Some(code), text),
        Err(_) => (None, input),
    }
}

type Parsed<'a, T = Code> = IResult<&'a [u8], T>;

/// Reads a code and the bracket behind it. One that is known and does not read as it should is taken up to the first
/// bracket, as an unknown one is.
///
/// ```abnf
/// resp-text-code  = "ALERT" / … / atom [SP 1*<any TEXT-CHAR except "]">]
/// ```
fn resp_text_code(input: &[u8]) -> Parsed<'_> {
    let (rest, name) = preceded(space0, take_till1(|byte| matches!(byte, b' ' | b'(' | b']'))).parse(input)?;
    match terminated(|rest| known_code(name, rest), pair(space0, char(']'))).parse(rest) {
        Ok(known) => Ok(known),
        Err(_) => {
            let (rest, text) = terminated(take_till(|byte| byte == b']'), char(']')).parse(rest)?;
            let text = String::from(decode(text.trim_ascii()));
            Ok((rest, Code::Other { name: Caseless::new(decode(name)), text }))
        }
    }
}

fn known_code<'a>(name: &[u8], input: &'a [u8]) -> Parsed<'a> {
    if let Some((_, code)) = BARE.iter().find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name)) {
        return Ok((input, code.clone()));
    }
    let mut upper = [0; 16];
    let name = match upper.get_mut(..name.len()) {
        Some(upper) => {
            upper.copy_from_slice(name);
            upper.make_ascii_uppercase();
            &*upper
        }
        None => name,
    };
    let (input, _) = space0(input)?;
    match name {
        b"APPENDUID" => append_uid(input),
        b"BADCHARSET" => bad_charset(input),
        b"BADEVENT" => map(up_to_bracket, Code::BadEvent).parse(input),
        b"BADURL" => map(alt((string, up_to_bracket)), Code::BadUrl).parse(input),
        b"CAPABILITY" => {
            map(take_till(|byte| byte == b']'), |list| Code::Capability(capability_list(list))).parse(input)
        }
        b"COPYUID" => copy_uid(input),
        b"HIGHESTMODSEQ" => alt((
            value(Code::NoModSeq, pair(char('-'), digit1)),
            map(number, |number| if number == 0 { Code::NoModSeq } else { Code::HighestModSeq(number) }),
        ))
        .parse(input),
        b"INPROGRESS" => map(opt(progress), Code::InProgress).parse(input),
        b"MAILBOXID" => mailbox_id(input),
        b"MESSAGELIMIT" => message_limit(input),
        b"METADATA" => metadata(input),
        b"MODIFIED" => map(sequence_set, |numbers| Code::Modified(ModifiedSet::new(numbers))).parse(input),
        b"PERMANENTFLAGS" => permanent_flags(input),
        b"REFERRAL" => map(up_to_bracket, Code::Referral).parse(input),
        b"UIDNEXT" => map(identifier(), Code::UidNext).parse(input),
        b"UIDVALIDITY" => map(identifier(), Code::UidValidity).parse(input),
        b"UNSEEN" => map(identifier(), Code::Unseen).parse(input),
        _ => Err(nom::Err::Error(Error::new(input, ErrorKind::Tag))),
    }
}

/// ```abnf
/// resp-code-apnd  = "APPENDUID" SP nz-number SP append-uid
/// append-uid      =/ uid-set
/// ```
///
/// UIDs are given in ascending order, and so the messages are known by them (RFC 4315 §3): what does not rise tells nothing.
fn append_uid(input: &[u8]) -> Parsed<'_> {
    let uids = map_opt(uid_sequence, |uids| {
        let rises = uids.ranges().windows(2).all(|pair| matches!(pair, [(_, high), (low, _)] if high < low));
        rises.then(|| uids.to_set())
    });
    map((terminated(uid_validity, space1), uids), |(uid_validity, uids)| {
        Code::AppendUid(AppendUid { uid_validity, uids })
    })
    .parse(input)
}

/// ```abnf
/// resp-code-copy  = "COPYUID" SP nz-number SP uid-set SP uid-set
/// ```
fn copy_uid(input: &[u8]) -> Parsed<'_> {
    map((terminated(uid_validity, space1), terminated(uid_sequence, space1), uid_sequence), |(validity, from, to)| {
        Code::CopyUid(Box::new(CopyUid { uid_validity: validity, source: from, destination: to }))
    })
    .parse(input)
}

/// ```abnf
/// "BADCHARSET" [SP "(" charset *(SP charset) ")" ]
/// charset         = atom / quoted
/// ```
///
/// The parentheses may be missing (quirk 125).
fn bad_charset(input: &[u8]) -> Parsed<'_> {
    let charset = alt((string, map(list_atom, |atom| decode(atom).into_owned())));
    let bare_atom = take_while1(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"' | b']'));
    let bare = alt((string, map(bare_atom, |atom| decode(atom).into_owned())));
    map(alt((parenthesised(charset), many0(terminated(bare, space0)))), Code::BadCharset).parse(input)
}

/// ```abnf
/// "PERMANENTFLAGS" SP "(" [flag-perm *(SP flag-perm)] ")"
/// ```
fn permanent_flags(input: &[u8]) -> Parsed<'_> {
    let quoted = map(string, |flag| Flag::from_wire(flag.as_bytes()));
    let flag = alt((quoted, map(list_atom, Flag::from_wire)));
    map(parenthesised(flag), |mut flags| {
        // Quirk 87: what stands for no flag at all.
        flags.retain(|flag| !matches!(flag, Flag::Keyword(word) if word.as_str().eq_ignore_ascii_case("NIL")));
        Code::PermanentFlags(flags)
    })
    .parse(input)
}

/// RFC 9585 §7:
///
/// ```abnf
/// resp-text-code  =/ "INPROGRESS" [ SP "(" inprogress-tag SP inprogress-state ")" ]
/// inprogress-tag   = quoted / nil
/// inprogress-state = inprogress-state-unknown / inprogress-state-counting / inprogress-state-known-goal
/// ```
fn progress(input: &[u8]) -> Parsed<'_, Progress> {
    let count = || preceded(space1, alt((value(None, tag_no_case("NIL")), map(number, Some))));
    let tagged = alt((map(string, Some), value(None, tag_no_case("NIL"))));
    delimited(char('('), (tagged, count(), count()), char(')'))
        .map(|(tag, done, goal)| Progress { tag, done, goal })
        .parse(input)
}

/// RFC 8474 §7:
///
/// ```abnf
/// resp-text-code  =/ "MAILBOXID" SP "(" objectid ")"
/// ```
fn mailbox_id(input: &[u8]) -> Parsed<'_> {
    let id = take_till1(|byte| matches!(byte, b' ' | b'(' | b')' | b']'));
    map(delimited(opt(char('(')), id, opt(char(')'))), |id| Code::MailboxId(decode(id).into_owned())).parse(input)
}

/// RFC 9738 §5:
///
/// ```abnf
/// message-limit-resp-code = "MESSAGELIMIT" SP message-limit [SP msg-uid]
/// ```
fn message_limit(input: &[u8]) -> Parsed<'_> {
    map((number, opt(preceded(space1, identifier()))), |(limit, last)| Code::MessageLimit {
        limit,
        last: last.flatten(),
    })
    .parse(input)
}

/// RFC 5464 §5:
///
/// ```abnf
/// resp-text-code  =/ "METADATA" SP ("LONGENTRIES" SP number / "MAXSIZE" SP number / "TOOMANY" / "NOPRIVATE")
/// ```
fn metadata(input: &[u8]) -> Parsed<'_> {
    alt((
        map(preceded(pair(tag_no_case("LONGENTRIES"), space1), number), Code::MetadataLongEntries),
        map(preceded(pair(tag_no_case("MAXSIZE"), space1), number), Code::MetadataMaxSize),
        value(Code::MetadataTooMany, tag_no_case("TOOMANY")),
        value(Code::MetadataNoPrivate, tag_no_case("NOPRIVATE")),
    ))
    .parse(input)
}

fn uid_validity(input: &[u8]) -> Parsed<'_, UidValidity> {
    map_opt(number, |number| UidValidity::new(u32::try_from(number).ok()?)).parse(input)
}

fn uid_sequence(input: &[u8]) -> Parsed<'_, UidSequence> {
    map_opt(uid_set::<Uid>, |ranges| (!ranges.is_empty()).then(|| UidSequence::from(ranges))).parse(input)
}

/// A number that should not be zero, negative or beyond 32 bits; servers send all of it (quirks 36 to 38).
fn identifier<'a, T: TryFrom<u32>>() -> impl Parser<&'a [u8], Output = Option<T>, Error = Error<&'a [u8]>> {
    map(recognize(pair(opt(char('-')), digit1)), |digits: &[u8]| {
        let number = u32::try_from(parse_number(digits)?).ok()?;
        T::try_from(number).ok()
    })
}

fn number(input: &[u8]) -> Parsed<'_, u64> {
    map_opt(digit1, parse_number).parse(input)
}

/// What a list holds where everything but its own syntax is let through (quirk 40).
fn list_atom(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"')).parse(input)
}

fn parenthesised<'a, T>(
    item: impl Parser<&'a [u8], Output = T, Error = Error<&'a [u8]>>,
) -> impl Parser<&'a [u8], Output = Vec<T>, Error = Error<&'a [u8]>> {
    delimited(pair(char('('), space0), many0(terminated(item, space0)), char(')'))
}

/// ```abnf
/// quoted          = DQUOTE *QUOTED-CHAR DQUOTE
/// ```
fn string(input: &[u8]) -> Parsed<'_, String> {
    let plain = take_while1(|byte| !matches!(byte, b'"' | b'\\'));
    let escaped = recognize(pair(char('\\'), take(1usize)));
    let content = recognize(many0_count(alt((plain, escaped))));
    map(delimited(char('"'), content, char('"')), unescape).parse(input)
}

fn unescape(raw: &[u8]) -> String {
    let mut bytes = raw.iter().copied();
    let plain =
        core::iter::from_fn(|| bytes.next().and_then(|byte| if byte == b'\\' { bytes.next() } else { Some(byte) }));
    decode(&plain.collect::<Vec<u8>>()).into_owned()
}

fn up_to_bracket(input: &[u8]) -> Parsed<'_, String> {
    map(take_till1(|byte| byte == b']'), |text: &[u8]| decode(text.trim_ascii()).into_owned()).parse(input)
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;
    use std::vec;

    use proptest::prelude::*;

    use crate::types::{Capability, SeqNum};

    use super::*;

    fn code(input: &str) -> Option<Code> {
        parse_status_text(input.as_bytes()).0
    }

    fn other(name: &str, text: &str) -> Option<Code> {
        Some(Code::Other { name: name.into(), text: text.to_string() })
    }

    #[test]
    fn every_code_without_arguments_is_read_in_any_case() {
        for (name, expected) in BARE {
            for name in [name.to_string(), name.to_lowercase()] {
                assert_eq!(code(&format!("[{name}] x")).as_ref(), Some(expected));
            }
        }
    }

    #[test]
    fn codes_with_arguments() {
        let table = [
            ("[UIDNEXT 4392]", Code::UidNext(Uid::new(4392))),
            ("[UIDNEXT 0]", Code::UidNext(None)),
            ("[UIDNEXT -1]", Code::UidNext(None)),
            ("[UIDNEXT 99999999999999999999]", Code::UidNext(None)),
            ("[uidvalidity 007]", Code::UidValidity(UidValidity::new(7))),
            ("[UIDVALIDITY 0]", Code::UidValidity(None)),
            ("[UNSEEN  12 ]", Code::Unseen(SeqNum::new(12))),
            ("[UNSEEN 0]", Code::Unseen(None)),
            ("[HIGHESTMODSEQ 715194045007]", Code::HighestModSeq(715_194_045_007)),
            ("[HIGHESTMODSEQ 18446744073709551615]", Code::HighestModSeq(u64::MAX)),
            ("[HIGHESTMODSEQ 0]", Code::NoModSeq),
            ("[HIGHESTMODSEQ -1]", Code::NoModSeq),
            ("[BADCHARSET]", Code::BadCharset(vec![])),
            ("[BADCHARSET UTF-8]", Code::BadCharset(vec!["UTF-8".into()])),
            ("[BADCHARSET US-ASCII \"UTF-8\" ]", Code::BadCharset(vec!["US-ASCII".into(), "UTF-8".into()])),
            ("[BADCHARSET (US-ASCII \"iso]\\\"1\")]", Code::BadCharset(vec!["US-ASCII".into(), "iso]\"1".into()])),
            ("[REFERRAL imap://a/b c]", Code::Referral("imap://a/b c".into())),
            ("[BADURL \"/INBOX;UID=1]\"]", Code::BadUrl("/INBOX;UID=1]".into())),
            ("[BADURL /INBOX]", Code::BadUrl("/INBOX".into())),
            ("[PERMANENTFLAGS (\"\\\\Seen\" NIL \\*)]", Code::PermanentFlags(vec![Flag::Seen, Flag::Any])),
            ("[MAILBOXID (F2212ea87)]", Code::MailboxId("F2212ea87".into())),
            ("[METADATA LONGENTRIES 2199]", Code::MetadataLongEntries(2199)),
            ("[METADATA TooMany]", Code::MetadataTooMany),
            ("[MESSAGELIMIT 1000 23221]", Code::MessageLimit { limit: 1000, last: Uid::new(23221) }),
            ("[INPROGRESS]", Code::InProgress(None)),
            (
                "[INPROGRESS (\"A001\" 454 NIL)]",
                Code::InProgress(Some(Progress { tag: Some("A001".into()), done: Some(454), goal: None })),
            ),
            (
                "[PERMANENTFLAGS ([css3-page] \\Seen \\*)]",
                Code::PermanentFlags(vec![Flag::from_wire(b"[css3-page]"), Flag::Seen, Flag::Any]),
            ),
            ("[PERMANENTFLAGS()]", Code::PermanentFlags(vec![])),
        ];
        for (input, expected) in table {
            assert_eq!(code(input), Some(expected), "{input}");
        }
    }

    #[test]
    fn capabilities_are_read() {
        let Some(Code::Capability(capabilities)) = code("[CAPABILITY IMAP4rev1 IDLE ] ready") else { panic!() };
        assert!(capabilities.has(&Capability::Idle));
    }

    #[test]
    fn copied_messages_keep_their_order() {
        let Some(Code::CopyUid(copy)) = code("[COPYUID 38505 304,319:320,7 3956:3958,10]") else { panic!() };
        let pairs: Vec<_> = copy.pairs().map(|(from, to)| (from.get(), to.get())).collect();
        assert_eq!(pairs, [(304, 3956), (319, 3957), (320, 3958), (7, 10)]);
        assert!(copy.is_consistent());
        assert_eq!(copy.source.to_set().to_string(), "7,304,319:320");
        let Some(Code::AppendUid(append)) = code("[APPENDUID 38505 3955,3957:3958]") else { panic!() };
        assert_eq!((append.uids.to_string().as_str(), append.uids.len()), ("3955,3957:3958", 3));
    }

    #[test]
    fn what_does_not_read_is_kept() {
        let table = [
            ("[COPYUID 1  ]", other("COPYUID", "1")),
            ("[COPYUID 0 1 2]", other("COPYUID", "0 1 2")),
            ("[APPENDUID 0 5]", other("APPENDUID", "0 5")),
            ("[UIDNEXT]", other("UIDNEXT", "")),
            ("[UIDNEXT x]", other("UIDNEXT", "x")),
            ("[NEWNAME a b]", other("newname", "a b")),
            ("[NOUPDATE \"B02\"]", other("NOUPDATE", "\"B02\"")),
            ("[UNDEFINED-FILTER x]", other("UNDEFINED-FILTER", "x")),
            ("[MAXCONVERTPARTS 1]", other("MAXCONVERTPARTS", "1")),
            ("[PERMANENTFLAGS (a b]", other("PERMANENTFLAGS", "(a b")),
            ("[BADURL \"a]", Some(Code::BadUrl("\"a".into()))),
        ];
        for (input, expected) in table {
            assert_eq!(code(input), expected, "{input}");
        }
    }

    #[test]
    fn a_code_tells_its_name() {
        for (name, code) in BARE {
            assert_eq!(code.name(), *name);
        }
        for text in [
            "APPENDUID 1 2",
            "BADCHARSET (UTF-8)",
            "BADEVENT (x)",
            "BADURL \"x\"",
            "CAPABILITY X",
            "COPYUID 1 2 3",
            "HIGHESTMODSEQ 1",
            "INPROGRESS",
            "MAILBOXID (x)",
            "MESSAGELIMIT 1",
            "METADATA MAXSIZE 1",
            "MODIFIED 1",
            "PERMANENTFLAGS ()",
            "REFERRAL imap://x",
            "UIDNEXT 1",
            "UIDVALIDITY 1",
            "UNSEEN 1",
            "X-Own words",
        ] {
            let (name, _) = text.split_once(' ').unwrap_or((text, ""));
            let known = code(&format!("[{text}]")).expect("a code");
            assert_eq!(known.name(), name);
            assert_eq!(matches!(known, Code::Other { .. }), name == "X-Own", "{text}");
        }
    }

    #[test]
    fn the_text_is_what_is_left() {
        let table = [
            ("", None, ""),
            ("Hello \" foo", None, "Hello \" foo"),
            ("note {5}", None, "note {5}"),
            ("[ALERT] [x] y", Some(Code::Alert), "[x] y"),
            ("[ALERT]", Some(Code::Alert), ""),
            (" [ALERT]y]", Some(Code::Alert), "y]"),
            ("[ALERT]  y", Some(Code::Alert), " y"),
            ("[XFOO see bar[baz] text", other("XFOO", "see bar[baz"), "text"),
            ("[XFOO never closed", None, "[XFOO never closed"),
            ("[]", None, "[]"),
            ("[", None, "["),
            (
                "[READ-ONLY] [Gmail]/Visi lai\u{161}kai selected",
                Some(Code::ReadOnly),
                "[Gmail]/Visi lai\u{161}kai selected",
            ),
        ];
        for (input, code, text) in table {
            assert_eq!(parse_status_text(input.as_bytes()), (code, text.as_bytes()), "{input}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(
            name in prop::sample::select(vec![
                "ALERT", "APPENDUID", "BADCHARSET", "CAPABILITY", "COPYUID", "HIGHESTMODSEQ", "INPROGRESS", "MAILBOXID",
                "METADATA", "MODIFIED", "PERMANENTFLAGS", "UIDNEXT", "BADURL",
            ]),
            arguments in "[ \\[\\]()0-9:,*\"\\\\aNIL-]{0,20}",
        ) {
            let input = format!("[{name} {arguments}");
            let (code, text) = parse_status_text(input.as_bytes());
            prop_assert!(input.as_bytes().ends_with(text));
            prop_assert_eq!(code.is_some(), arguments.contains(']'));
        }
    }
}
