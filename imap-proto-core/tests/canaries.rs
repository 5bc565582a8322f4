//! Every way to log in, with secrets that are looked for in all that can be seen: each log at TRACE, and each `Debug` and
//! `Display`. The server repeats what it is told wherever it can.

mod log;

use std::error::Error as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imap_proto_core::sasl::{Refresh, TokenFuture, TokenProvider};
use imap_proto_core::types::Secret;
use imap_proto_core::{Config, Credentials, Handshake, Security, Time, Want};
use log::Log;

/// One that goes between quotes, one with what is escaped there, and one that goes into a literal.
const SECRETS: [&str; 3] = ["canary-7454", "can\"ary\\7454", "can\u{e4}ry-7454"];

const BY_PASSWORD: [&str; 6] = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5", "LOGIN command"];
const BY_TOKEN: [&str; 2] = ["XOAUTH2", "OAUTHBEARER"];

/// What a server answers to a line: `@` is its tag, `$` the line, `%` what it is when it is decoded.
const ANSWERS: [&str; 16] = [
    "@ OK in\r\n",
    "@ NO no\r\n",
    "@ NO $\r\n",
    "@ NO [AUTHENTICATIONFAILED] %\r\n",
    "@ BAD [X$] $\r\n",
    "@ OK [ALERT] $\r\n",
    "* NO [ALERT] % $\r\n@ NO\r\n",
    "* BYE $\r\n",
    "* BYE [%] %\r\n",
    "+ \r\n",
    "+ $\r\n",
    "+ &\r\n",
    "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n",
    "$ BAD what?\r\n",
    "* LIST () \"/\" \"%\"\r\n* $\r\n@ NO\r\n",
    "+ cj1uJXgscz1XMjJaYUowU05ZN3NvRXNVRWpiNmdRPT0saT00MDk2\r\n",
];

/// All that can be seen of a login that is answered so: first by `first`, and then by `then`.
fn seen(credentials: Credentials, secret: &str, initial: bool, first: &str, then: &str) -> String {
    let log = Log::default();
    let listening = log.listen();
    let mut seen = format!("{credentials:?}");
    let mechanisms =
        "AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5 AUTH=XOAUTH2 AUTH=OAUTHBEARER";
    let with_initial = if initial { " SASL-IR" } else { "" };
    let mut answer = format!("* OK [CAPABILITY IMAP4rev1 {mechanisms}{with_initial}] hi\r\n");
    let mut handshake = Handshake::new(Config::default(), Security::ImplicitTls, Some(credentials));
    handshake.draw("A", "n");
    let mut tag = String::new();
    for turn in 0..6 {
        let connection = handshake.connection();
        connection.receive_space()[..answer.len()].copy_from_slice(answer.as_bytes());
        connection.received(answer.len(), Time::ZERO);
        let mut want = handshake.advance(Time::ZERO);
        while let Ok(Want::Work | Want::Token(_)) = want {
            if let Ok(Want::Token(Refresh::IfExpired | Refresh::Forced)) = want {
                let given = handshake.token(Secret::new(secret), Time::ZERO);
                assert!(given.is_ok() || !secret.is_ascii() || secret.contains('"'), "{given:?}");
                if let Err(error) = given {
                    want = Err(error);
                    break;
                }
            }
            want = handshake.advance(Time::ZERO);
        }
        seen += &format!("{handshake:?}");
        seen += &format!("{:?}", handshake.connection().view());
        match want {
            Err(error) => {
                let sources = std::iter::successors(error.source(), |&error| error.source());
                seen += &sources.map(|error| format!("{error} {error:?}")).collect::<String>();
                seen += &format!("{error} {error:?}");
                break;
            }
            Ok(Want::Nothing) => break,
            Ok(_) => {}
        }
        let connection = handshake.connection();
        let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
        connection.transmitted(sent.len(), Time::ZERO);
        let line = String::from_utf8_lossy(&sent).into_owned();
        let line = line.trim_end();
        if turn == 0 {
            tag = line.split(' ').next().unwrap_or_default().to_owned();
        }
        let said = STANDARD.decode(line.split(' ').next_back().unwrap_or_default()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said).replace(|c: char| c.is_control(), " ");
        let pattern = if turn == 0 { first } else { then };
        // The line is put in last, whatever is in it.
        answer = pattern.replace('@', &tag).replace('&', &STANDARD.encode(line)).replace('%', "\u{1}");
        answer = answer.replace('$', line).replace('\u{1}', &said);
    }
    drop((handshake, listening));
    let log = log.text();
    assert!(log.contains("S: * OK"), "{log}");
    seen + &log
}

/// How a secret looks: as it is, between quotes, escaped, and in Base64 behind any number of octets.
fn looks(secret: &str) -> Vec<String> {
    let mut looks =
        vec![secret.to_owned(), secret.escape_debug().to_string(), secret.as_bytes().escape_ascii().to_string()];
    looks.push(secret.replace('\\', "\\\\").replace('"', "\\\""));
    looks.push(secret[secret.len() - 4..].to_owned());
    looks.push(format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned());
    for shift in 0..3 {
        let text = STANDARD.encode([&b"\0\0"[..shift], secret.as_bytes()].concat());
        // Without what the octets beside it have their part in.
        looks.push(text[(shift * 8).div_ceil(6)..secret_end(shift, secret.len())].to_owned());
    }
    looks
}

fn secret_end(shift: usize, len: usize) -> usize {
    (shift + len) * 8 / 6
}

#[test]
fn no_way_to_log_in_shows_its_secret_whatever_the_server_says() {
    let (mut count, mut withheld) = (0, 0);
    for secret in SECRETS {
        let looks = looks(secret);
        let by_password = BY_PASSWORD.map(|name| (name, Credentials::password("alice", secret).allow([name])));
        let by_token = BY_TOKEN.map(|name| (name, Credentials::token("alice", secret).allow([name])));
        let mut ways: Vec<_> = by_password.into_iter().chain(by_token).collect();
        ways[5].1 = Credentials::password("alice", secret).allow([imap_proto_core::AuthMethod::LoginCommand]);
        for (name, credentials) in ways {
            for initial in [true, false] {
                for first in ANSWERS {
                    for then in ANSWERS {
                        let seen = seen(credentials.clone(), secret, initial, first, then);
                        count += 1;
                        withheld += usize::from(seen.contains("C: [secret]"));
                        for look in &looks {
                            assert!(!seen.contains(look), "{name}, {first:?}, {then:?}: {look} is in\n{seen}");
                        }
                    }
                }
            }
        }
    }
    assert!(withheld > count / 2, "{withheld} of {count}");
    assert_eq!(count, SECRETS.len() * (BY_PASSWORD.len() + BY_TOKEN.len()) * 2 * ANSWERS.len().pow(2));
}

/// Else nothing would be found above.
#[test]
fn what_is_looked_for_is_found_where_it_is() {
    for secret in SECRETS {
        let looks = looks(secret);
        for before in ["", "a", "ab", "abc", "\0alice\0"] {
            for behind in ["", "x", "xy", "xyz"] {
                let text = STANDARD.encode(format!("{before}{secret}{behind}"));
                assert!(looks.iter().any(|look| text.contains(look)), "{text} {looks:?}");
            }
        }
        assert!(looks.iter().any(|look| format!("{secret:?}").contains(look)));
    }
}

/// What [`seen`] is of a password, of two tokens, of which the second is had by force.
fn seen_of_tokens(tokens: [&str; 2], answers: [&str; 3]) -> String {
    let log = Log::default();
    let listening = log.listen();
    let mut handshake =
        Handshake::new(Config::default(), Security::ImplicitTls, Some(Credentials::provided("alice", Tokens)));
    let told = format!("{} {}", tokens.join(" "), tokens.map(|token| STANDARD.encode(token)).join(" "));
    let greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] hi\r\n";
    let (mut answer, mut answers, mut tag, mut said) =
        (greeting.to_owned(), answers.into_iter(), String::new(), vec![]);
    let mut seen = String::new();
    loop {
        let connection = handshake.connection();
        connection.receive_space()[..answer.len()].copy_from_slice(answer.as_bytes());
        connection.received(answer.len(), Time::ZERO);
        let mut want = handshake.advance(Time::ZERO);
        while let Ok(Want::Token(refresh)) = want {
            let token = tokens[usize::from(refresh == Refresh::Forced)];
            want = handshake.token(Secret::new(token), Time::ZERO).and_then(|()| handshake.advance(Time::ZERO));
        }
        seen += &format!("{handshake:?} {want:?}");
        seen += &format!("{:?}", handshake.connection().view());
        if let Err(error) = &want {
            seen += &format!("{error}");
        }
        let fill = |pattern: &str, tag: &str, said: &[String]| {
            pattern.replace('@', tag).replace('$', &said.join(" ")).replace('%', &told)
        };
        match want {
            Ok(Want::Bytes) => {
                let connection = handshake.connection();
                let sent: Vec<u8> = connection.transmit().flatten().copied().collect();
                connection.transmitted(sent.len(), Time::ZERO);
                let line = String::from_utf8_lossy(&sent).trim_end().to_owned();
                if line.ends_with("CAPABILITY") {
                    answer = format!("* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR\r\n{} OK\r\n", &line[..2]);
                    continue;
                }
                if line.len() > 2 {
                    (tag, said) = (line[..2].to_owned(), [said, vec![line[3..].to_owned()]].concat());
                }
                let Some(pattern) = answers.next() else { break };
                answer = fill(pattern, &tag, &said);
            }
            Ok(Want::Connection) => {
                handshake = handshake.move_on();
                handshake.draw("A", "n");
                let Some(pattern) = answers.next() else { break };
                answer = fill(pattern, "*", &said);
            }
            _ => break,
        }
    }
    drop((handshake, listening));
    seen + &log.text()
}

struct Tokens;

impl TokenProvider for Tokens {
    fn token(&self, _: Refresh) -> TokenFuture<'_> {
        Box::pin(async { Err("whoever drives the handshake is asked".into()) })
    }
}

#[test]
fn no_token_is_shown_nor_the_one_before_it_on_whichever_connection() {
    let tokens = ["canary-7454", "falcon-3187"];
    let looks = tokens.map(looks).concat();
    let refusals = ["@ NO no\r\n", "@ NO % $\r\n", "* BYE x\r\n@ NO no\r\n", "* BYE % $\r\n@ NO [X%] % $\r\n"];
    let others = [
        "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] % $\r\n",
        "* BYE % $\r\n",
        "* OK [ALERT] % $\r\n",
        "* PREAUTH [ALERT] % $\r\n",
        "* NO [ALERT] % $\r\n@ NO % $\r\n",
        "@ NO [AUTHENTICATIONFAILED] % $\r\n",
        "@ OK [ALERT] % $\r\n",
        "+ %\r\n",
    ];
    let (mut moved, mut count) = (0, 0);
    for first in refusals.iter().chain(&others) {
        for second in refusals.iter().chain(&others) {
            for third in refusals.iter().chain(&others) {
                let seen = seen_of_tokens(tokens, [first, second, third]);
                count += 1;
                moved += usize::from(seen.contains("Ok(Connection)"));
                for look in &looks {
                    assert!(!seen.contains(look), "{first:?}, {second:?}, {third:?}: {look} in {seen}");
                }
            }
        }
    }
    assert!(count == 1728 && moved >= 200, "{moved} of {count}");
}
