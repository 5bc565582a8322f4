//! Servers that fall silent, go away or cheat at any point of the handshake and after it: a typed error each, in time, and
//! no byte of a login where TLS is required.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use imap_tokio::types::{FetchItems, MailboxName, Section, Uid, UidSet};
use imap_tokio::{Client, Closed, Connector, Credentials, Error, Phase, Security, Violation};

/// What a server does. After the last act it closes.
#[derive(Clone, Debug)]
enum Act {
    /// Says this; `@` is the tag of the last command.
    Say(String),
    /// Reads one line, or sees the end.
    Hear,
    /// Keeps the connection open and says nothing more.
    Wait,
    /// Says no more than an octet at a time, and never ends.
    Trickle,
}

fn say(text: &str) -> Act {
    Act::Say(text.to_owned())
}

const SHORT: Duration = Duration::from_millis(300);
/// A limit that a busy machine keeps, and a client that ignores its own limits does not.
const IN_TIME: Duration = Duration::from_secs(10);
const GREETING: &str = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR IDLE LITERAL+] hi\r\n";
const LOGGED_IN: &str = "@ OK [CAPABILITY IMAP4rev1 IDLE LITERAL+ UIDPLUS] in\r\n";

/// Serves one connection; returns its port, and all that the client sent once it is over.
fn serve(acts: Vec<Act>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let (tell, told) = channel();
    spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        stream.set_read_timeout(Some(IN_TIME)).expect("a timeout can be set");
        let mut heard = String::new();
        for act in acts {
            match act {
                Act::Say(text) => {
                    let last = heard.lines().last().unwrap_or_default();
                    let tag = last.split(' ').next().unwrap_or_default();
                    // The client may be gone.
                    let _ = stream.write_all(text.replace('@', tag).as_bytes());
                }
                Act::Hear => hear(&mut stream, &mut heard),
                Act::Trickle => {
                    for octet in b"* OK ".iter().chain(std::iter::repeat(&b'x')) {
                        if stream.write_all(&[*octet]).is_err() {
                            break;
                        }
                        sleep(SHORT / 10);
                    }
                }
                Act::Wait => {
                    let mut rest = Vec::new();
                    let _ = stream.read_to_end(&mut rest);
                    heard.push_str(&String::from_utf8_lossy(&rest));
                }
            }
        }
        let _ = stream.shutdown(Shutdown::Write);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        heard.push_str(&String::from_utf8_lossy(&rest));
        let _ = tell.send(heard);
    });
    (port, told)
}

fn hear(stream: &mut TcpStream, heard: &mut String) {
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        heard.push(char::from(byte[0]));
        if byte[0] == b'\n' {
            return;
        }
    }
}

fn connector(security: Security, port: u16) -> Connector {
    let connector = Connector::new("localhost").address("127.0.0.1").port(port).patience(SHORT);
    let connector = connector.credentials(Credentials::password("alice", "secret")).config(|config| {
        config.greeting = SHORT;
        config.handshake = SHORT;
        config.progress = SHORT;
        config.done = SHORT;
    });
    match security {
        Security::ImplicitTls => connector,
        Security::StartTls => connector.starttls(),
        Security::Plaintext => connector.plaintext(),
    }
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let began = Instant::now();
    let output = runtime.block_on(test);
    assert!(began.elapsed() < IN_TIME, "{:?}", began.elapsed());
    output
}

/// The error of connecting, and what the server heard meanwhile.
fn refused(security: Security, acts: Vec<Act>) -> (Error, String) {
    let (port, heard) = serve(acts);
    let error = run(async { connector(security, port).connect().await }).expect_err("it cannot connect");
    (error, heard.recv_timeout(IN_TIME).expect("the server ends"))
}

#[test]
fn a_port_where_nobody_listens_is_a_transport_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    for security in [Security::ImplicitTls, Security::StartTls, Security::Plaintext] {
        let error = run(async { connector(security, port).connect().await }).expect_err("nobody is there");
        assert!(matches!(error, Error::Transport(_)), "{error:?}");
    }
}

/// Whoever wants TLS gets no clear text, whoever listens there.
#[test]
fn no_other_port_is_tried() {
    let (clear, heard) = serve(vec![say(GREETING), Act::Hear]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    run(async { connector(Security::ImplicitTls, port).connect().await }).expect_err("nobody is there");
    // Nor on the port that it was told, where there is something else.
    run(async { connector(Security::ImplicitTls, clear).connect().await }).expect_err("it is no TLS");
    let heard = heard.recv_timeout(IN_TIME).expect("the server ends");
    assert!(!heard.contains("LOGIN") && !heard.contains("alice"), "{heard:?}");
}

#[test]
fn a_host_that_does_not_exist_is_told_by_its_name() {
    for security in [Security::ImplicitTls, Security::StartTls, Security::Plaintext] {
        let connector = connector(security, 993).address("imap.invalid");
        let error = run(async { connector.connect().await }).expect_err("there is no such host");
        // Where names are not answered at all it takes as long as connecting may.
        let late = matches!(error, Error::Unreachable { phase: Phase::Connect, .. });
        assert!(late || matches!(error, Error::Transport(_)), "{error:?}");
        assert!(error.to_string().contains("imap.invalid:993"), "{error}");
    }
}

#[test]
fn a_handshake_that_stops_anywhere_ends_in_time_with_its_phase() {
    let timeout =
        |phase: Phase| move |error: &Error| matches!(error, Error::Timeout { phase: found, .. } if *found == phase);
    type Check = Box<dyn Fn(&Error) -> bool>;
    let rows: Vec<(Security, Vec<Act>, Check)> = vec![
        (Security::Plaintext, vec![Act::Wait], Box::new(timeout(Phase::Greeting))),
        (Security::Plaintext, vec![say("* OK"), Act::Wait], Box::new(timeout(Phase::Greeting))),
        (Security::Plaintext, vec![Act::Trickle], Box::new(timeout(Phase::Greeting))),
        (Security::Plaintext, vec![say(GREETING), Act::Hear, Act::Trickle], Box::new(timeout(Phase::Login))),
        (Security::StartTls, vec![say(GREETING), Act::Hear, Act::Trickle], Box::new(timeout(Phase::Login))),
        (Security::StartTls, vec![Act::Wait], Box::new(timeout(Phase::Greeting))),
        (Security::ImplicitTls, vec![Act::Wait], Box::new(unreachable)),
        (Security::Plaintext, vec![say(GREETING), Act::Hear, Act::Wait], Box::new(login_timeout)),
        (Security::Plaintext, vec![say("* OK hi\r\n"), Act::Hear, Act::Wait], Box::new(login_timeout)),
        (Security::StartTls, vec![say(GREETING), Act::Hear, Act::Wait], Box::new(login_timeout)),
        (Security::StartTls, vec![say(GREETING), Act::Hear, say("@ OK go\r\n"), Act::Wait], Box::new(unreachable)),
        (
            Security::Plaintext,
            vec![say(GREETING), Act::Hear, say("@ OK in\r\n"), Act::Hear, Act::Wait],
            Box::new(login_timeout),
        ),
    ];
    for (security, acts, check) in rows {
        let (error, _) = refused(security, acts.clone());
        assert!(check(&error), "{security:?} {acts:?}: {error:?}");
    }
}

fn unreachable(error: &Error) -> bool {
    matches!(error, Error::Unreachable { phase: Phase::Tls, .. })
}

/// The deadlines of the handshake and of a command are the same in these tests.
fn login_timeout(error: &Error) -> bool {
    matches!(error, Error::Timeout { phase: Phase::Login | Phase::Command, .. })
}

#[test]
fn a_peer_that_goes_away_is_told_as_that_in_every_phase() {
    let is_end = |error: &Error| matches!(error, Error::Closed(Closed::EndOfStream));
    let rows = [
        (Security::Plaintext, vec![]),
        (Security::Plaintext, vec![say("* OK hi")]),
        (Security::StartTls, vec![]),
        (Security::Plaintext, vec![say(GREETING), Act::Hear]),
        (Security::Plaintext, vec![say("* OK hi\r\n"), Act::Hear]),
        (Security::Plaintext, vec![say(GREETING), Act::Hear, say("@ O")]),
        (Security::Plaintext, vec![say(GREETING), Act::Hear, say("@ OK in\r\n"), Act::Hear]),
        (Security::StartTls, vec![say(GREETING), Act::Hear]),
    ];
    for (security, acts) in rows {
        let (error, _) = refused(security, acts.clone());
        assert!(is_end(&error) || matches!(error, Error::Transport(_)), "{security:?} {acts:?}: {error:?}");
    }
    for acts in [vec![], vec![say(GREETING)]] {
        let (error, _) = refused(Security::ImplicitTls, acts.clone());
        assert!(matches!(error, Error::Transport(_)), "{acts:?}: {error:?}");
    }
    let (error, _) = refused(Security::StartTls, vec![say(GREETING), Act::Hear, say("@ OK go\r\n")]);
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
}

#[test]
fn a_goodbye_is_told_with_its_words() {
    for acts in [vec![say("* BYE too busy\r\n")], vec![say(GREETING), Act::Hear, say("* BYE too busy\r\n")]] {
        let (error, _) = refused(Security::Plaintext, acts);
        assert!(matches!(&error, Error::Bye { text, .. } if text == "too busy"), "{error:?}");
    }
    let (error, _) = refused(Security::Plaintext, vec![say("HTTP/1.1 400 Bad Request\r\n"), Act::Wait]);
    assert!(matches!(error, Error::Protocol(_)), "{error:?}");
}

/// N1: whatever follows the OK in clear text, in whatever pieces, no TLS begins and no login leaves.
#[test]
fn clear_text_behind_the_answer_to_starttls_is_fatal_wherever_it_is_split() {
    let ok = "@ OK go\r\n";
    let injected = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nx OK y\r\n";
    let whole = format!("{ok}{injected}");
    for split in 0..=whole.len() {
        let (first, second) = whole.split_at(split);
        let acts = vec![say(GREETING), Act::Hear, say(first), say(second), Act::Wait];
        let (error, heard) = refused(Security::StartTls, acts);
        let in_clear = matches!(error, Error::Protocol(Violation::StartTlsInjection));
        // What arrives after the client has begun with TLS is no TLS record.
        let too_late = split == ok.len() && matches!(error, Error::Transport(_));
        assert!(in_clear || too_late, "{split}: {error:?}");
        assert!(!["LOGIN", "AUTHENTICATE", "secret"].iter().any(|word| heard.contains(word)), "{split}: {heard}");
    }
    let (error, heard) = refused(Security::StartTls, vec![say(GREETING), Act::Hear, say(&whole), Act::Wait]);
    assert!(matches!(error, Error::Protocol(Violation::StartTlsInjection)), "{error:?}");
    assert_eq!(heard.lines().count(), 1, "{heard}");
}

/// What a server does, and whether an error is the right one.
type Row = (Vec<Act>, fn(&Error) -> bool);

/// N2 to N5.
#[test]
fn starttls_that_is_left_out_refused_or_faked_is_fatal_before_the_login() {
    let greeting = |capabilities: &str| say(&format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n"));
    let rows: Vec<Row> = vec![
        (vec![say("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"), Act::Wait], |error| {
            matches!(error, Error::Protocol(Violation::PreAuthWithoutTls))
        }),
        (vec![greeting("AUTH=PLAIN"), Act::Wait], |error| matches!(error, Error::Unsupported("STARTTLS"))),
        (vec![greeting("STARTTLS"), Act::Hear, say("@ NO later\r\n"), Act::Wait], |error| {
            matches!(error, Error::Refused(_))
        }),
        (vec![greeting("STARTTLS"), Act::Hear, say("@ BAD what\r\n"), Act::Wait], |error| {
            matches!(error, Error::Refused(_))
        }),
        (vec![greeting("STARTTLS"), Act::Hear, say("+ go on\r\n"), Act::Wait], |error| {
            matches!(error, Error::Protocol(Violation::UnexpectedContinuation))
        }),
        (vec![greeting("STARTTLS"), Act::Hear, say("* BYE no\r\n"), Act::Wait], |error| {
            matches!(error, Error::Bye { .. })
        }),
        (vec![say(&format!("{GREETING}A0 OK done\r\n")), Act::Wait], |error| matches!(error, Error::Protocol(_))),
    ];
    for (acts, check) in rows {
        let (error, heard) = refused(Security::StartTls, acts.clone());
        assert!(check(&error), "{acts:?}: {error:?}");
        assert!(!["LOGIN", "AUTHENTICATE", "secret"].iter().any(|word| heard.contains(word)), "{acts:?}: {heard}");
    }
}

/// A client whose server has let it in, selected a mailbox, heard one command more, and then does this.
async fn after_login(end: Vec<Act>) -> (Client, imap_tokio::Mailbox) {
    let mut acts = vec![say(GREETING), Act::Hear, say(LOGGED_IN), Act::Hear, say("* 3 EXISTS\r\n@ OK selected\r\n")];
    acts.push(Act::Hear);
    acts.extend(end);
    let (port, _) = serve(acts);
    let client = connector(Security::Plaintext, port).connect().await.expect("the server lets us in");
    let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
    (client, inbox)
}

#[test]
fn a_connection_lost_in_the_middle_of_an_answer_is_an_error_and_no_short_success() {
    let cuts = [
        "",
        "* 1 FETCH (UID 1 FL",
        "* 1 FETCH (UID 1 FLAGS () BODY[] {100}\r\nabc",
        "* 1 FETCH (UID 1 FLAGS () BODY[] {3}\r\nabc)\r\n",
    ];
    for (cut, silent) in cuts.into_iter().flat_map(|cut| [(cut, false), (cut, true)]) {
        let end = if silent { vec![say(cut), Act::Wait] } else { vec![say(cut)] };
        let good = |error: &Error| match silent {
            true => matches!(error, Error::Timeout { phase: Phase::Command, .. }),
            false => matches!(error, Error::Closed(Closed::EndOfStream)),
        };
        run(async {
            let (client, inbox) = after_login(end.clone()).await;
            let result = inbox.fetch(UidSet::from(Uid::MIN), FetchItems::ids().flags()).collect().await;
            assert!(matches!(&result, Err(error) if good(error)), "{cut:?}: {result:?}");
            let later = client.noop().await.expect_err("the connection is over");
            assert!(later.is_fatal(), "{later:?}");
        });
        run(async {
            let (_client, inbox) = after_login(end.clone()).await;
            let mut body = inbox.body(Uid::MIN, Section::whole());
            let error = loop {
                match body.try_next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{cut:?}: a short success"),
                    Err(error) => break error,
                }
            };
            assert!(good(&error), "{cut:?}: {error:?}");
        });
    }
}

#[test]
fn every_call_ends_when_the_connection_does() {
    run(async {
        let (client, inbox) = after_login(vec![]).await;
        let mut watch = inbox.watch();
        let (noop, search, watched, settled) = tokio::join!(
            client.noop(),
            inbox.search(imap_tokio::types::Query::all()),
            async {
                loop {
                    if let Err(error) = watch.try_next().await {
                        break error;
                    }
                }
            },
            client.settle(),
        );
        for error in [noop.expect_err("it is over"), search.expect_err("it is over"), watched] {
            assert!(error.is_fatal(), "{error:?}");
        }
        let _ = settled;
    });
}

#[test]
fn a_piece_longer_than_what_was_asked_for_is_an_error_and_nothing_is_told_twice() {
    let whole = format!("* 1 FETCH (UID 1 BODY[]<0> {{300000}}\r\n{})\r\n@ OK\r\n", "x".repeat(300_000));
    let end = vec![say(&whole), Act::Wait];
    run(async {
        let (_client, inbox) = after_login(end).await;
        let mut body = inbox.body(Uid::MIN, Section::whole());
        let mut told = 0;
        let error = loop {
            match body.try_next().await {
                Ok(Some(octets)) => told += octets.len(),
                Ok(None) => panic!("{told} octets are no success"),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Limit(_)) && told <= 256 << 10, "{told} {error:?}");
    });
    run(async {
        let twice = "* 1 FETCH (UID 1 BODY[]<0> {3}\r\nabc)\r\n".repeat(2);
        let (_client, inbox) = after_login(vec![say(&twice), say("@ OK\r\n"), Act::Wait]).await;
        let mut body = inbox.body(Uid::MIN, Section::whole());
        let mut told = Vec::new();
        while let Some(octets) = body.try_next().await.expect("no error") {
            told.extend_from_slice(&octets);
        }
        assert_eq!(told, b"abc");
    });
}

#[test]
fn limits_of_time_beyond_the_clock_are_none() {
    let (port, _) = serve(vec![say(GREETING), Act::Hear, say(LOGGED_IN), Act::Hear, say("@ OK\r\n"), Act::Wait]);
    run(async {
        let connector = connector(Security::Plaintext, port).config(|config| {
            config.greeting = Duration::MAX;
            config.handshake = Duration::MAX;
            config.command = Some(Duration::MAX);
            config.keep_alive = Some(Duration::MAX);
            config.progress = Duration::MAX;
            config.source = Duration::MAX;
            config.idle_refresh = Duration::MAX;
        });
        let client = connector.connect().await.expect("the server lets us in");
        client.noop().await.expect("it is answered");
    });
}
