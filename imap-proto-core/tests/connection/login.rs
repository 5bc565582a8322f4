//! Getting in: which way is taken, what is said, and what is believed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imap_proto_core::command::{Command, Login};
use imap_proto_core::sasl::{
    ChannelBinding, ExchangeError, InvalidCredentials, Mechanism, Refresh, Reply, TokenFuture,
};
use imap_proto_core::sasl::{Plain, TokenProvider};
use imap_proto_core::types::{Code, Identification, Secret};
use imap_proto_core::{
    AuthMethod, Config, Connection, Credentials, Error, Event, Handshake, LoginRefusal, Misuse, Phase, Security, Time,
    Violation, Want,
};

/// A handshake that is played against a server's lines.
#[derive(Clone)]
pub(crate) struct Shake {
    pub(crate) security: Security,
    pub(crate) config: Config,
    pub(crate) nonce: &'static str,
    pub(crate) credentials: Credentials,
    pub(crate) binding: ChannelBinding,
    /// What is given when a token is wanted.
    pub(crate) tokens: Vec<(Refresh, &'static str)>,
}

impl Shake {
    pub(crate) fn new(credentials: Credentials) -> Self {
        let mut config = Config::default();
        config.tag_prefix = "T".to_owned();
        let binding = ChannelBinding::None;
        Shake { security: Security::ImplicitTls, config, nonce: NONCE, credentials, binding, tokens: Vec::new() }
    }

    /// Plays `(what is received, what has to have been sent before)`: whole, then each received line split at each of its
    /// offsets, all with the same end.
    pub(crate) fn play(&self, turns: &[(&str, &str)]) -> Result<Want, Error> {
        let whole = self.once(turns, None).map(|(want, _)| want);
        for (turn, (received, _)) in turns.iter().enumerate() {
            for offset in 1..received.len() {
                let split = self.once(turns, Some((turn, offset))).map(|(want, _)| want);
                assert_eq!(format!("{whole:?}"), format!("{split:?}"), "{received:?} split at {offset}");
            }
        }
        whole
    }

    /// What it comes to.
    pub(crate) fn to_the_end(&self, turns: &[(&str, &str)]) -> Result<Handshake, Error> {
        self.once(turns, None).map(|(_, handshake)| handshake)
    }

    fn once(&self, turns: &[(&str, &str)], split: Option<(usize, usize)>) -> Result<(Want, Handshake), Error> {
        let mut handshake = Handshake::new(self.config.clone(), self.security, Some(self.credentials.clone()));
        handshake.draw(&self.config.tag_prefix, self.nonce);
        handshake.bind(self.binding.clone());
        let mut tokens = self.tokens.iter();
        let mut want = handshake.advance(Time::ZERO)?;
        for (turn, (received, sent)) in turns.iter().enumerate() {
            let connection = handshake.connection();
            let waiting: Vec<u8> = connection.transmit().flatten().copied().collect();
            assert_eq!(String::from_utf8_lossy(&waiting), *sent);
            connection.transmitted(waiting.len(), Time::ZERO);
            let offset = split.filter(|(at, _)| *at == turn).map_or(0, |(_, offset)| offset);
            let (first, second) = received.as_bytes().split_at(offset);
            for piece in [first, second] {
                if !piece.is_empty() {
                    // Where TLS was to begin, this came in clear text before it did.
                    handshake.connection().receive_space()[..piece.len()].copy_from_slice(piece);
                    handshake.connection().received(piece.len(), Time::ZERO);
                }
                if want != Want::Tls {
                    want = handshake.advance(Time::ZERO)?;
                }
                while want == Want::Work {
                    want = handshake.advance(Time::ZERO)?;
                }
            }
            while let Want::Token(refresh) = want {
                let (expected, token) = tokens.next().expect("no further token is wanted");
                assert_eq!(refresh, *expected);
                handshake.token(Secret::new(*token), Time::ZERO)?;
                want = handshake.advance(Time::ZERO)?;
            }
            if want == Want::Tls {
                handshake.secured(Time::ZERO)?;
                want = handshake.advance(Time::ZERO)?;
            }
        }
        assert!(tokens.next().is_none(), "another token is wanted");
        Ok((want, handshake))
    }
}

/// RFC 7677 §3
const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const CLIENT_LAST: &str =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SIGNATURE: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn b64(text: impl AsRef<[u8]>) -> String {
    STANDARD.encode(text)
}

fn greeting(mechanisms: &str) -> String {
    format!("* OK [CAPABILITY IMAP4rev1 SASL-IR {mechanisms}] hi\r\n")
}

const IN: &str = "T0 OK [CAPABILITY IMAP4rev1 IDLE] in\r\n";

/// What is sent in answer to a greeting that names these mechanisms; then the server goes.
fn first_words(shake: &Shake, mechanisms: &str) -> Result<String, Error> {
    let mut handshake = Handshake::new(shake.config.clone(), shake.security, Some(shake.credentials.clone()));
    handshake.draw(&shake.config.tag_prefix, shake.nonce);
    handshake.bind(shake.binding.clone());
    let greeting = greeting(mechanisms);
    handshake.connection().receive_space()[..greeting.len()].copy_from_slice(greeting.as_bytes());
    handshake.connection().received(greeting.len(), Time::ZERO);
    handshake.advance(Time::ZERO)?;
    let sent: Vec<u8> = handshake.connection().transmit().flatten().copied().collect();
    Ok(String::from_utf8_lossy(&sent).into_owned())
}

/// The mechanism of a command, and what is said first.
fn decoded(command: &str) -> (String, String) {
    let mut words = command.trim_end().split(' ').skip(2);
    let (name, said) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let said = STANDARD.decode(said.trim_matches('=').to_owned() + &said[said.trim_end_matches('=').len()..]);
    (name.to_owned(), String::from_utf8(said.unwrap_or_default()).expect("it is text"))
}

#[test]
fn the_first_way_that_is_allowed_offered_and_possible_is_taken() {
    let password = Shake::new(Credentials::password("alice", "secret"));
    let bound = Shake { binding: ChannelBinding::Exporter(vec![7; 32]), ..password.clone() };
    let mut without_nonce = password.clone();
    without_nonce.nonce = "";
    let only = |names: &[&'static str]| Shake {
        credentials: password.credentials.clone().allow(names.iter().copied()),
        ..bound.clone()
    };
    let all = "AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS";
    let gs2 = |flag: &str| format!("{flag},,n=alice,r={NONCE}");
    for (shake, offered, name, said) in [
        (&only(&["SCRAM-SHA-256-PLUS", "PLAIN"]), all, "SCRAM-SHA-256-PLUS", gs2("p=tls-exporter")),
        (&bound, all, "SCRAM-SHA-256", gs2("n")),
        (&password, all, "SCRAM-SHA-256", gs2("n")),
        // The server hides what it has, or somebody does for it.
        (&bound, "AUTH=SCRAM-SHA-256", "SCRAM-SHA-256", gs2("y")),
        (&bound, "AUTH=scram-sha-1 AUTH=PLAIN", "SCRAM-SHA-1", gs2("y")),
        // It is offered, and not allowed here: then nothing is said of hiding.
        (&only(&["SCRAM-SHA-256"]), all, "SCRAM-SHA-256", gs2("n")),
        (&without_nonce, all, "PLAIN", "\0alice\0secret".to_owned()),
        (&password, "AUTH=PLAIN AUTH=LOGIN", "PLAIN", "\0alice\0secret".to_owned()),
        (&password, "AUTH=LOGIN", "LOGIN", String::new()),
        (&password, "AUTH=CRAM-MD5", "\"alice\"", String::new()),
        (&only(&["CRAM-MD5", "PLAIN"]), all, "CRAM-MD5", String::new()),
        (&only(&["PLAIN", "SCRAM-SHA-256"]), all, "PLAIN", "\0alice\0secret".to_owned()),
    ] {
        let command = first_words(shake, offered).expect("there is a way");
        let is_login = name.starts_with('"');
        assert!(command.starts_with(if is_login { "T0 LOGIN " } else { "T0 AUTHENTICATE " }), "{command}");
        if !is_login {
            assert_eq!(decoded(&command), (name.to_owned(), said), "{offered}");
        }
    }
}

#[test]
fn what_was_offered_and_what_is_allowed_is_told_where_no_way_is_both() {
    let only = |names: &[&'static str]| Credentials::password("alice", "secret").allow(names.iter().copied());
    for (credentials, offered) in [
        (only(&["SCRAM-SHA-256-PLUS"]), "AUTH=SCRAM-SHA-256-PLUS AUTH=PLAIN"),
        (only(&["SCRAM-SHA-256"]), "AUTH=PLAIN AUTH=LOGIN"),
        (only(&["PLAIN"]), ""),
        (only(&[]), "AUTH=PLAIN"),
        (only(&["XOAUTH2"]), "AUTH=XOAUTH2"),
        (Credentials::password("a", "b"), "LOGINDISABLED"),
        (Credentials::token("a", "b"), "AUTH=PLAIN"),
        (Credentials::provided("a", Tokens), "AUTH=PLAIN"),
        (Credentials::external(None), "AUTH=PLAIN"),
        (Credentials::anonymous("me"), "AUTH=PLAIN"),
    ] {
        let Err(error) = first_words(&Shake::new(credentials.clone()), offered) else { panic!("a way: {offered}") };
        assert_eq!(error.login_refusal(), Some(LoginRefusal::Configuration));
        let Error::NoMechanism(none) = error else { panic!("{error:?}") };
        let named: Vec<&str> = offered.split(' ').filter_map(|word| word.strip_prefix("AUTH=")).collect();
        let (mut found, mut named) = (none.offered.clone(), named);
        found.sort();
        named.sort();
        assert_eq!(found, named);
        assert_eq!(none.allowed, credentials.allowed());
    }
    let error = first_words(&Shake::new(only(&["SCRAM-SHA-256", "PLAIN"])), "AUTH=LOGIN").expect_err("no way");
    let text = "no way to log in: the server offers LOGIN, and allowed here is SCRAM-SHA-256, PLAIN";
    assert_eq!(error.to_string(), text);
}

fn scram() -> (Shake, String, String) {
    let shake = Shake::new(Credentials::password("user", "pencil"));
    let first = format!("T0 AUTHENTICATE SCRAM-SHA-256 {}\r\n", b64(format!("n,,n=user,r={NONCE}")));
    (shake, greeting("AUTH=SCRAM-SHA-256 AUTH=PLAIN"), first)
}

#[test]
fn scram_is_believed_when_the_server_has_proved_itself_and_not_before() {
    let (shake, greeting, first) = scram();
    let (server_first, last) = (format!("+ {}\r\n", b64(SERVER_FIRST)), format!("{}\r\n", b64(CLIENT_LAST)));
    let proof = format!("+ {}\r\n", b64(SIGNATURE));
    let right = [(&*greeting, ""), (&*server_first, &*first), (&*proof, &*last), (IN, "\r\n")];
    assert!(matches!(shake.play(&right), Ok(Want::Nothing)));
    // Without SASL-IR the first words wait for the server's go-ahead.
    let asked = first.replace("T0 AUTHENTICATE SCRAM-SHA-256 ", "");
    let bare = greeting.replace("SASL-IR ", "");
    let in_turns = [
        (&*bare, ""),
        ("+ \r\n", "T0 AUTHENTICATE SCRAM-SHA-256\r\n"),
        (&*server_first, &*asked),
        (&*proof, &*last),
        (IN, "\r\n"),
    ];
    assert!(matches!(shake.play(&in_turns), Ok(Want::Nothing)));
    let unproved = [(&*greeting, ""), (&*server_first, &*first), (IN, &*last)];
    assert!(matches!(shake.play(&unproved), Err(Error::Exchange(ExchangeError::Incomplete))));
    let at_once = [(&*greeting, ""), (IN, &*first)];
    assert!(matches!(shake.play(&at_once), Err(Error::Exchange(ExchangeError::Incomplete))));
}

#[test]
fn what_breaks_an_exchange_is_cancelled_and_told_and_nothing_weaker_is_tried() {
    let (shake, greeting, first) = scram();
    let forged = SIGNATURE.replace("6rri", "7rri");
    for (said, expected) in [
        (vec![SERVER_FIRST, &forged], ExchangeError::Signature),
        (vec![SERVER_FIRST, "e=invalid-proof"], ExchangeError::Server("invalid-proof".to_owned())),
        (vec![&*SERVER_FIRST.replace("i=4096", "i=1")], ExchangeError::Iterations(1)),
        (vec![&*SERVER_FIRST.replace("i=4096", "i=2147483647")], ExchangeError::Iterations(2_147_483_647)),
        (vec![&*SERVER_FIRST.replace("rOpr", "xOpr")], ExchangeError::Nonce),
        (vec![""], ExchangeError::Malformed),
    ] {
        for answer in ["T0 BAD cancelled\r\n", "T0 NO cancelled\r\n", "T0 OK come in\r\n"] {
            let said: Vec<String> = said.iter().map(|said| format!("+ {}\r\n", b64(said))).collect();
            let last = format!("{}\r\n", b64(CLIENT_LAST));
            let mut turns = vec![(&*greeting, ""), (&*said[0], &*first)];
            if let Some(second) = said.get(1) {
                turns.push((second, &*last));
            }
            turns.push((answer, "*\r\n"));
            let Err(Error::Exchange(error)) = shake.play(&turns) else { panic!("{answer}") };
            assert_eq!(error, expected);
        }
    }
    // No Base64 is no challenge.
    let odd = [(&*greeting, ""), ("+ what is this?\r\n", &*first), ("T0 BAD cancelled\r\n", "*\r\n")];
    assert!(matches!(shake.play(&odd), Err(Error::Exchange(ExchangeError::Malformed))));
    let wrong = [(&*greeting, ""), ("T0 NO [AUTHENTICATIONFAILED] no\r\n", &*first)];
    assert!(matches!(shake.play(&wrong), Err(Error::Refused(_))));
}

struct Tokens;

impl TokenProvider for Tokens {
    fn token(&self, _: Refresh) -> TokenFuture<'_> {
        Box::pin(async { Err("the handshake asks whoever drives it".into()) })
    }
}

const REFUSAL: &str = r#"{"status":"401","schemes":"bearer"}"#;

#[test]
fn a_token_that_is_refused_is_renewed_by_force_exactly_once() {
    let command = |tag: usize, token: &str| {
        format!("T{tag} AUTHENTICATE XOAUTH2 {}\r\n", b64(format!("user=alice\x01auth=Bearer {token}\x01\x01")))
    };
    let (greeting, reason) = (greeting("AUTH=XOAUTH2"), format!("+ {}\r\n", b64(REFUSAL)));
    let (first, second, third) = (command(0, "old"), command(2, "new"), command(0, "new"));
    let again = ("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\nT1 OK\r\n", "T1 CAPABILITY\r\n");
    let provided = |tokens: &[(Refresh, &'static str)]| Shake {
        tokens: tokens.to_vec(),
        ..Shake::new(Credentials::provided("alice", Tokens))
    };
    let both = [(Refresh::IfExpired, "old"), (Refresh::Forced, "new")];
    let renewed = [
        (&*greeting, ""),
        (&*reason, &*first),
        ("T0 NO no\r\n", "\r\n"),
        again,
        ("T2 OK [CAPABILITY IMAP4rev1] in\r\n", &*second),
    ];
    assert_eq!(provided(&both).play(&renewed).map_err(|error| error.to_string()), Ok(Want::Nothing));
    let in_vain =
        [(&*greeting, ""), ("T0 NO no\r\n", &*first), again, (&*reason, &*second), ("T2 NO again\r\n", "\r\n")];
    let Err(Error::Refused(refused)) = provided(&both).play(&in_vain) else { panic!("not refused") };
    assert_eq!(refused.reason.as_deref(), Some(REFUSAL));
    assert_eq!(refused.to_string(), format!("AUTHENTICATE refused: again ({REFUSAL})"));
    // A server that is down says nothing of the token.
    let down = [(&*greeting, ""), ("T0 NO [UNAVAILABLE] later\r\n", &*third)];
    let good = [(Refresh::IfExpired, "new")];
    assert!(matches!(provided(&good).play(&down), Err(Error::Refused(_))));
    // Where the server has gone another connection is wanted for it.
    let gone = [(&*greeting, ""), ("* BYE bye\r\nT0 NO no\r\n", &*first)];
    assert_eq!(provided(&both).play(&gone).ok(), Some(Want::Connection));
    // And whoever has none is told the refusal, however often he goes on.
    let mut alone = provided(&both).to_the_end(&gone).expect("another connection is wanted");
    for _ in 0..3 {
        assert!(matches!(alone.advance(Time::ZERO), Err(Error::Refused(refused)) if refused.text == "no"));
        assert_eq!(alone.poll_timeout(), None);
    }
    let mut next = alone.move_on();
    assert_eq!(next.advance(Time::ZERO).ok(), Some(Want::Bytes));
    // It is what it was where no other connection is wanted.
    let [greeted, ..] = gone;
    let mut asked = provided(&both[..1]).to_the_end(&[greeted]).expect("it logs in").move_on();
    let sent: Vec<u8> = asked.connection().transmit().flatten().copied().collect();
    assert_eq!(String::from_utf8_lossy(&sent), first);
    // Nor is one asked for that was given as it is.
    let fixed = Shake::new(Credentials::token("alice", "new"));
    let refused = [(&*greeting, ""), (&*reason, &*third), ("T0 NO no\r\n", "\r\n")];
    let Err(Error::Refused(refused)) = fixed.play(&refused) else { panic!("not refused") };
    assert_eq!(refused.reason.as_deref(), Some(REFUSAL));
    // Nobody is in who was told why not.
    let believed = [(&*greeting, ""), (&*reason, &*third), (IN, "\r\n")];
    assert!(matches!(fixed.play(&believed), Err(Error::Exchange(ExchangeError::Incomplete))));
}

/// Some servers say that they go before they say why.
#[test]
fn the_refusal_of_a_login_counts_though_a_bye_came_before_it() {
    let command = format!("T0 AUTHENTICATE PLAIN {}\r\n", b64("\0alice\0secret"));
    let greeting = greeting("AUTH=PLAIN");
    let shake = Shake::new(Credentials::password("alice", "secret"));
    let told = |said: &str| match shake.play(&[(&greeting, ""), (said, &command)]) {
        Err(error @ (Error::Refused(_) | Error::Bye { .. })) => error.to_string(),
        other => format!("{other:?}"),
    };
    let bye = "the server closed the connection: too many";
    for (said, expected) in [
        ("* BYE too many\r\nT0 NO [AUTHENTICATIONFAILED] no\r\n", "AUTHENTICATE refused: [AUTHENTICATIONFAILED] no"),
        ("* BYE too many\r\n* BYE yes\r\n* OK so\r\nT0 BAD no\r\n", "AUTHENTICATE refused: no"),
        // Whoever is let in by a server that has gone is not in.
        ("* BYE too many\r\nT0 OK [CAPABILITY IMAP4rev1] in\r\n", bye),
        ("* BYE too many\r\n+ \r\n", bye),
        ("* BYE too many\r\nT1 OK\r\n", bye),
        ("* BYE too many\r\n* 1 FETCH (\r\nT0 NO no\r\n", "AUTHENTICATE refused: no"),
        ("* BYE too many\r\n\0{\r\n", "Ok(Bytes)"),
        ("* BYE too many\r\n", "Ok(Bytes)"),
    ] {
        assert_eq!(told(said), expected, "{said:?}");
    }
    let waits = || shake.to_the_end(&[(&greeting, ""), ("* BYE too many\r\n", &command)]).expect("it may say why");
    let mut silent = waits();
    let by = silent.poll_timeout().expect("it does not wait for ever");
    assert_eq!(by, Time::from_secs(5));
    assert_eq!(silent.advance(by - Time::from_nanos(1)).ok(), Some(Want::Bytes));
    assert!(matches!(silent.advance(by), Err(Error::Bye { text, .. }) if text == "too many"));
    // Nor longer than a login may take.
    let mut late = Shake::new(Credentials::password("alice", "secret"));
    late.config.handshake = Time::from_secs(3);
    let mut late = late.to_the_end(&[(&greeting, ""), ("* BYE too\r\n* BYE [EXPIRED] many\r\n* BYE\r\n", &command)]);
    let late = late.as_mut().expect("it may say why");
    assert_eq!(late.poll_timeout(), Some(Time::from_secs(3)));
    let expired = late.advance(Time::from_secs(3));
    assert!(matches!(&expired, Err(Error::Bye { code: Some(Code::Expired), text }) if text == "many"), "{expired:?}");
    let mut reset = waits();
    reset.connection().close(Error::Transport(std::sync::Arc::new(std::io::Error::other("reset"))));
    assert!(matches!(reset.advance(Time::ZERO), Err(Error::Bye { text, .. }) if text == "too many"));
    let mut ended = waits();
    ended.connection().received(0, Time::ZERO);
    assert!(matches!(ended.advance(Time::ZERO), Err(Error::Bye { text, .. }) if text == "too many"));
    // There is one greeting, and nobody is let in by another.
    let mut early = Connection::new(Config::default());
    early
        .submit(Login::new("alice", Secret::new("secret")).request().expect("a command"), Time::ZERO)
        .expect("it is open");
    let sent = early.transmit().map(<[u8]>::len).sum();
    early.transmitted(sent, Time::ZERO);
    let lines = b"* BYE gone\r\n* PREAUTH hi\r\n";
    early.receive_space()[..lines.len()].copy_from_slice(lines);
    early.received(lines.len(), Time::ZERO);
    assert!(matches!(early.poll_event(), Some(Event::Failed { error: Error::Bye { .. }, .. })));
    // What the server has not had is not judged.
    let before = shake.play(&[(&format!("{greeting}* BYE now\r\n"), "")]);
    assert!(matches!(before, Err(Error::Bye { text, .. }) if text == "now"));
}

#[test]
fn the_time_of_the_handshake_stands_still_while_a_token_is_waited_for() {
    let shake = Shake::new(Credentials::provided("alice", Tokens));
    let mut handshake = Handshake::new(shake.config.clone(), shake.security, Some(shake.credentials));
    let greeting = greeting("AUTH=OAUTHBEARER");
    handshake.connection().receive_space()[..greeting.len()].copy_from_slice(greeting.as_bytes());
    handshake.connection().received(greeting.len(), Time::ZERO);
    assert_eq!(handshake.advance(Time::ZERO).ok(), Some(Want::Token(Refresh::IfExpired)));
    let limit = shake.config.token;
    assert_eq!(handshake.poll_timeout(), Some(limit));
    let late = limit - Time::from_nanos(1);
    assert_eq!(handshake.advance(late).ok(), Some(Want::Token(Refresh::IfExpired)));
    handshake.token(Secret::new("late"), late).expect("it goes on");
    assert_eq!(handshake.advance(late).ok(), Some(Want::Bytes));
    let by = handshake.poll_timeout().expect("the login has its time");
    assert!(
        matches!(handshake.advance(late + shake.config.handshake), Err(Error::Timeout { phase: Phase::Login, .. })),
        "{by:?}"
    );
}

#[derive(Debug)]
struct Echo;

impl Mechanism for Echo {
    fn name(&self) -> &str {
        "X-ECHO"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Reply, ExchangeError> {
        Ok(Reply::Say(Secret::from(challenge)))
    }

    fn is_complete(&self) -> bool {
        true
    }
}

#[test]
fn other_ways_in_are_had_by_their_names() {
    let external = Shake::new(Credentials::external(None));
    let turns = [(&*greeting("AUTH=EXTERNAL"), ""), (IN, "T0 AUTHENTICATE EXTERNAL =\r\n")];
    assert!(matches!(external.play(&turns), Ok(Want::Nothing)));
    let acting = Shake::new(Credentials::external(Some("bob".to_owned())));
    let turns = [(&*greeting("AUTH=EXTERNAL"), ""), (IN, "T0 AUTHENTICATE EXTERNAL Ym9i\r\n")];
    assert!(matches!(acting.play(&turns), Ok(Want::Nothing)));
    let anonymous = Shake::new(Credentials::anonymous("sirhc"));
    let turns = [(&*greeting("AUTH=ANONYMOUS"), ""), (IN, "T0 AUTHENTICATE ANONYMOUS c2lyaGM=\r\n")];
    assert!(matches!(anonymous.play(&turns), Ok(Want::Nothing)));
    let login = Shake::new(Credentials::password("alice", "secret").allow(["LOGIN"]));
    let turns = [
        (&*greeting("AUTH=LOGIN AUTH=PLAIN"), ""),
        ("+ VXNlcm5hbWU6\r\n", "T0 AUTHENTICATE LOGIN\r\n"),
        ("+ UGFzc3dvcmQ6\r\n", "YWxpY2U=\r\n"),
        (IN, "c2VjcmV0\r\n"),
    ];
    assert!(matches!(login.play(&turns), Ok(Want::Nothing)));
    let command = Shake::new(Credentials::password("alice", "secret").allow([AuthMethod::LoginCommand]));
    let turns = [(&*greeting("AUTH=PLAIN"), ""), (IN, "T0 LOGIN \"alice\" \"secret\"\r\n")];
    assert!(matches!(command.play(&turns), Ok(Want::Nothing)));
    let custom = Shake::new(Credentials::custom("X-ECHO", |_| Ok(Echo)));
    let turns =
        [(&*greeting("AUTH=X-ECHO"), ""), ("+ aGVsbG8=\r\n", "T0 AUTHENTICATE X-ECHO\r\n"), (IN, "aGVsbG8=\r\n")];
    assert!(matches!(custom.play(&turns), Ok(Want::Nothing)));
    // One that cannot begin is the caller's matter.
    let broken = Shake::new(Credentials::custom("PLAIN", |_| Plain::new("a\0b", &Secret::new("c"))));
    let error = first_words(&broken, "AUTH=PLAIN").expect_err("it cannot be");
    assert!(matches!(error, Error::Misuse(Misuse::Credentials(InvalidCredentials::Separator))));
}

#[test]
fn an_exchange_without_end_is_ended() {
    let custom = Shake::new(Credentials::custom("X-ECHO", |_| Ok(Echo)));
    let greeting = greeting("AUTH=X-ECHO");
    let mut turns = vec![(&*greeting, ""), ("+ aGVsbG8=\r\n", "T0 AUTHENTICATE X-ECHO\r\n")];
    turns.extend([("+ aGVsbG8=\r\n", "aGVsbG8=\r\n"); 16]);
    turns.push(("T0 BAD cancelled\r\n", "*\r\n"));
    assert!(matches!(custom.play(&turns), Err(Error::Refused(_))));
}

#[test]
fn a_way_that_says_nothing_before_it_is_asked_is_not_in_by_an_early_ok() {
    let login = Shake::new(Credentials::password("alice", "secret").allow(["LOGIN"]));
    let turns = [(&*greeting("AUTH=LOGIN"), ""), (IN, "T0 AUTHENTICATE LOGIN\r\n")];
    assert!(matches!(login.play(&turns), Err(Error::Protocol(Violation::AnswerToUnsent))));
}

#[test]
fn who_we_are_is_said_where_it_is_wanted_and_the_server_can_hear_it() {
    let plain = format!("T0 AUTHENTICATE PLAIN {}\r\n", b64("\0alice\0secret"));
    let login = Credentials::password("alice", "secret");
    let own = format!("(\"name\" \"imap-proto-core\" \"version\" \"{}\")", env!("CARGO_PKG_VERSION"));
    let mut named = Shake::new(login.clone());
    named.config.id = Some(Identification::new().with_name("Post"));
    for (shake, greeting, id) in [
        (&Shake::new(login.clone()), "Dovecot ready.", None),
        (&Shake::new(login), "Coremail System IMap Server Ready(163com)", Some(&*own)),
        (&named, "Dovecot ready.", Some("(\"name\" \"Post\")")),
    ] {
        let greeting = format!("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] {greeting}\r\n");
        let (with, without) = ("T0 OK [CAPABILITY IMAP4rev1 ID] in\r\n", "T0 OK [CAPABILITY IMAP4rev1] in\r\n");
        assert!(matches!(shake.play(&[(&*greeting, ""), (without, &*plain)]), Ok(Want::Nothing)));
        let asked = id.map(|id| format!("T1 ID {id}\r\n"));
        for answer in ["* ID NIL\r\nT1 OK\r\n", "T1 NO not you\r\n", "T1 BAD what?\r\n"] {
            let mut turns = vec![(&*greeting, ""), (with, &*plain)];
            turns.extend(asked.as_deref().map(|asked| (answer, asked)));
            assert!(matches!(shake.play(&turns), Ok(Want::Nothing)));
        }
    }
}
