//! What the server refuses in SCRAM, which a good client never says. RFC 5802

use imap_testserver::types::Capability;
use imap_testserver::{Bindings, Channel, Output, Session, TestServer};

const AUTH: &str = "SCRAM-SHA-256";

fn said(session: &mut Session) -> String {
    let bytes = std::iter::from_fn(|| session.next_output()).flat_map(|output| match output {
        Output::Bytes(bytes) => bytes,
        _ => Vec::new(),
    });
    String::from_utf8(bytes.collect()).expect("text")
}

/// A server with the mechanism, and its form that is bound where `plus` says so.
fn session(plus: bool) -> Session {
    let builder = TestServer::builder().announcing(Capability::Auth(AUTH.into()));
    let plus = plus.then(|| Capability::Auth(format!("{AUTH}-PLUS").into()));
    let server = plus.into_iter().fold(builder, |builder, plus| builder.announcing(plus)).start();
    let mut session = server.session(Channel::Tls);
    session.bind(Bindings { exporter: None, end_point: Some(vec![1; 32]) });
    said(&mut session);
    session
}

#[test]
fn first_words_that_are_not_to_be_gone_on_from_are_refused() {
    for (plus, mechanism, first, answer) in [
        // `y,,n=alice,r=abc`: it could be bound, and was told that the server can't.
        (true, AUTH, "eSwsbj1hbGljZSxyPWFiYw==", "A NO [AUTHENTICATIONFAILED] "),
        (false, AUTH, "eSwsbj1hbGljZSxyPWFiYw==", "+ "),
        (true, AUTH, "biwsbj1hbGljZSxyPWFiYw==", "+ "),
        // `p=tls-exporter,,n=alice,r=abc`, of which this TLS has none.
        (true, "SCRAM-SHA-256-PLUS", "cD10bHMtZXhwb3J0ZXIsLG49YWxpY2Uscj1hYmM=", "A NO [AUTHENTICATIONFAILED] "),
        // `p=tls-server-end-point,,n=alice,r=abc`
        (true, "SCRAM-SHA-256-PLUS", "cD10bHMtc2VydmVyLWVuZC1wb2ludCwsbj1hbGljZSxyPWFiYw==", "+ "),
        // `n,,n=alice,r=abc` without what it is named for.
        (true, "SCRAM-SHA-256-PLUS", "biwsbj1hbGljZSxyPWFiYw==", "A NO [AUTHENTICATIONFAILED] "),
        (false, "SCRAM-SHA-256-PLUS", "biwsbj1hbGljZSxyPWFiYw==", "A NO [CANNOT] "),
        (true, AUTH, "bm90aGluZw==", "A BAD "),
        (true, AUTH, "biwsYSxi", "A BAD "),
        (true, AUTH, "biws", "A BAD "),
        (true, AUTH, "/w==", "A BAD "),
        (true, AUTH, "eSw", "A BAD "),
    ] {
        let mut session = session(plus);
        session.receive(format!("A AUTHENTICATE {mechanism} {first}\r\n").as_bytes());
        let told = said(&mut session);
        assert!(told.starts_with(answer), "{mechanism} {first}: {told}");
    }
}

#[test]
fn last_words_have_to_prove_something() {
    for last in ["", "bm90aGluZw==", "Yz1iaXdzLHI9YWJjLHA9", "Yz1iaXdzLHI9YWJjLHA9QUFBQQ=="] {
        let mut session = session(true);
        session.receive(b"A AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==\r\n");
        assert!(said(&mut session).starts_with("+ "));
        session.receive(format!("{last}\r\n").as_bytes());
        assert_eq!(said(&mut session), "A NO [AUTHENTICATIONFAILED] Wrong name or password\r\n", "{last}");
        session.receive(b"B NOOP\r\n");
        assert_eq!(said(&mut session), "B OK Done\r\n");
    }
}

#[test]
fn an_exchange_can_be_cancelled() {
    let mut session = session(true);
    session.receive(b"A AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiYw==\r\n*\r\nB LIST \"\" *\r\n");
    let told = said(&mut session);
    assert!(told.contains("\r\nA BAD ") && told.contains("\r\nB BAD "), "{told}");
}
