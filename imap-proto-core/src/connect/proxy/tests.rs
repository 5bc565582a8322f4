//! Proxies that a test plays, on a clock that stands.

use std::boxed::Box;
use std::format;
use std::io;
use std::string::ToString;
use std::time::Duration;
use std::vec::Vec;
use std::{println, vec};

use super::super::beside::beside;
use super::super::stage::{Does, Peer, Stage, imap};
use super::super::{Connector, LoginCheck};
use super::Proxy;
use crate::error::{Error, Phase, ProxyFailure};
use crate::sasl::Credentials;
use crate::types::Capability;

const GREETING: &str = "* PREAUTH [CAPABILITY IMAP4rev1 NAMESPACE] hi\r\n";

/// One step of a script: hears exactly this, and then says that.
type Step = (Vec<u8>, Vec<u8>);

/// A proxy by a script, and an IMAP server behind it, which greets in the same breath. One that hears something else than the script
/// has closes.
fn proxy(script: Vec<Step>) -> Stage {
    Stage::new(move |_| {
        let (mut script, mut held) = (script.clone().into_iter(), Vec::new());
        let mut step = script.next();
        let mut server: Option<Peer> = None;
        Ok(Box::new(move |octets: &[u8]| {
            if let Some(server) = &mut server {
                return server(octets);
            }
            held.extend_from_slice(octets);
            let mut says = Vec::new();
            while let Some((hears, answer)) = &step {
                if !hears.starts_with(held.get(..hears.len()).unwrap_or(&held)) {
                    println!("not {:?} but {:?}", hears.escape_ascii().to_string(), held.escape_ascii().to_string());
                    return Does::Closes(says);
                }
                if held.len() < hears.len() {
                    return Does::Says(says);
                }
                held.drain(..hears.len());
                says.extend_from_slice(answer);
                step = script.next();
            }
            let mut behind = imap(&[("", GREETING)]);
            let (Does::Says(greeting) | Does::Closes(greeting)) = behind(b"");
            says.extend(greeting);
            server = Some(behind);
            Does::Says(says)
        }))
    })
}

/// What becomes of a connection through it; whoever is behind it greets.
fn opened(stage: &Stage, connector: Connector<Stage>) -> Result<(), Error> {
    stage.run(async {
        let (client, mut driver) = connector.open().await?;
        let view = beside(&mut driver, client.view()).await?;
        assert!(view.capabilities().has(&Capability::Namespace), "{view:?}");
        Ok(())
    })
}

fn failure(result: Result<(), Error>) -> ProxyFailure {
    match result {
        Err(Error::Proxy(error)) => error.failure,
        other => panic!("{other:?}"),
    }
}

/// Every reading, in pieces of any size, has to end alike.
fn in_any_chunks(script: &[Step], proxy_of: &Proxy, judge: impl Fn(Result<(), Error>)) {
    for chunk in (1..40).chain([usize::MAX]) {
        let stage = proxy(script.to_vec()).in_chunks(chunk);
        judge(opened(&stage, stage.connector().plaintext().proxy(proxy_of.clone())));
        assert_eq!(stage.open(), 0, "it is closed");
        assert_eq!(stage.looked_up(), ["proxy.example:1080"], "nothing of the server is looked up");
    }
}

#[cfg(feature = "socks5")]
mod socks5 {
    use super::*;

    fn plain() -> Proxy {
        Proxy::socks5("proxy.example", 1080)
    }

    fn with_login() -> Proxy {
        plain().credentials("alice", "secret")
    }

    fn request(host: &str, port: u16) -> Vec<u8> {
        [&[5, 1, 0, 3, host.len() as u8], host.as_bytes(), &port.to_be_bytes()].concat()
    }

    /// To the name of the server, with this answer.
    fn to_server(answer: &[u8]) -> Step {
        (request("mail.example", 143), answer.to_vec())
    }

    const CONNECTED: &[u8] = &[5, 0, 0, 1, 192, 0, 2, 9, 0x30, 0x39];

    fn no_login() -> Step {
        (vec![5, 1, 0], vec![5, 0])
    }

    fn login(answer: &[u8]) -> [Step; 2] {
        [(vec![5, 2, 0, 2], vec![5, 2]), (b"\x01\x05alice\x06secret".to_vec(), answer.to_vec())]
    }

    #[test]
    fn the_server_is_reached_by_its_name_and_its_greeting_is_not_lost() {
        let answers: [&[u8]; 3] = [
            CONNECTED,
            &[5, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0],
            b"\x05\x00\x00\x03\x04exit\x00\x00",
        ];
        for answer in answers {
            in_any_chunks(&[no_login(), to_server(answer)], &plain(), |opened| opened.expect("it connects"));
            let [offered, told] = login(&[1, 0]);
            in_any_chunks(&[offered, told, to_server(answer)], &with_login(), |opened| opened.expect("it connects"));
        }
        // A proxy that wants no password gets none.
        let script = [(vec![5, 2, 0, 2], vec![5, 0]), to_server(CONNECTED)];
        in_any_chunks(&script, &with_login(), |opened| opened.expect("it connects"));
    }

    #[test]
    fn an_address_is_told_as_one_and_goes_before_the_name() {
        let v4 = [&[5, 1, 0, 1, 192, 0, 2, 7][..], &993_u16.to_be_bytes()].concat();
        let stage = proxy(vec![no_login(), (v4, CONNECTED.to_vec())]);
        opened(&stage, stage.connector().address("192.0.2.7").proxy(plain())).expect("it connects");
        assert_eq!(stage.tls_with(), ["mail.example"], "TLS is with the server");
        let stage = proxy(vec![no_login(), (request("other.example", 143), CONNECTED.to_vec())]);
        opened(&stage, stage.connector().plaintext().address("other.example").proxy(plain())).expect("it connects");
    }

    #[test]
    fn each_refusal_is_told_for_what_it_is() {
        let replied = |code: u8| vec![no_login(), to_server(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0])];
        for code in [1, 3, 4, 5, 6] {
            in_any_chunks(&replied(code), &plain(), |opened| {
                let failure = failure(opened);
                assert!(matches!(failure, ProxyFailure::ServerUnreachable { .. }), "{code}: {failure:?}");
            });
        }
        for code in [2, 7, 8] {
            in_any_chunks(&replied(code), &plain(), |opened| {
                let failure = failure(opened);
                assert!(matches!(failure, ProxyFailure::Refused { .. }), "{code}: {failure:?}");
            });
        }
        let [offered, told] = login(&[1, 1]);
        for (script, proxy) in [
            (vec![(vec![5, 1, 0], vec![5, 0xFF])], plain()),
            (vec![(vec![5, 1, 0], vec![5, 2])], plain()),
            (vec![(vec![5, 2, 0, 2], vec![5, 0xFF])], with_login()),
            (vec![offered, told], with_login()),
        ] {
            in_any_chunks(&script, &proxy, |opened| {
                let error = opened.expect_err("it is not let in");
                assert!(!format!("{error:?} {error}").contains("secret"), "{error:?}");
                assert!(matches!(failure(Err(error)), ProxyFailure::Login { .. }));
            });
        }
    }

    #[test]
    fn an_odd_answer_is_one_and_never_a_tunnel() {
        let odd: [&[u8]; 7] = [
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"* OK an IMAP server\r\n",
            &[4, 0],
            &[5, 1],
            &[5, 3],
            &[0, 0],
            &[0xFF; 40],
        ];
        for answer in odd {
            in_any_chunks(&[(vec![5, 1, 0], answer.to_vec())], &plain(), |opened| {
                let failure = failure(opened);
                assert!(matches!(failure, ProxyFailure::Protocol(_)), "{answer:?}: {failure:?}");
            });
        }
        let odd: [&[u8]; 6] = [
            &[4, 0, 0, 1, 0, 0, 0, 0, 0, 0],
            &[5, 0, 1, 1, 0, 0, 0, 0, 0, 0],
            &[5, 9, 0, 1, 0, 0, 0, 0, 0, 0],
            &[5, 0, 0, 2, 0, 0, 0, 0, 0, 0],
            &[5, 0xFF, 0, 1, 0, 0, 0, 0, 0, 0],
            &[5, 0, 0, 3, 2, 0xFF, 0xFE, 0, 0],
        ];
        for answer in odd {
            in_any_chunks(&[no_login(), to_server(answer)], &plain(), |opened| {
                let failure = failure(opened);
                assert!(matches!(failure, ProxyFailure::Protocol(_)), "{answer:?}: {failure:?}");
            });
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_a_lost_proxy() {
        let [offered, told] = login(&[1, 0]);
        cut_off_anywhere(&[offered, told, to_server(CONNECTED)], &with_login());
    }

    #[test]
    fn what_can_not_be_told_is_not_sent() {
        let long = "x".repeat(256);
        for login in [("", "secret"), ("alice", ""), (&*long, "secret"), ("alice", &*long)] {
            let stage = proxy(vec![no_login()]);
            let proxy = plain().credentials(login.0, login.1);
            let failure = failure(opened(&stage, stage.connector().plaintext().proxy(proxy)));
            assert!(matches!(failure, ProxyFailure::Unsendable(_)), "{failure:?}");
            assert_eq!(stage.heard(), "");
        }
        names_that_can_not_be_told(&plain());
    }

    #[test]
    fn a_silent_proxy_has_the_time_to_connect_and_no_more() {
        silent_anywhere(&[no_login(), to_server(CONNECTED)], &plain());
    }
}

#[cfg(feature = "http-proxy")]
mod http {
    use super::*;

    fn plain() -> Proxy {
        Proxy::http("proxy.example", 1080)
    }

    fn request(login: &str) -> Vec<u8> {
        format!("CONNECT mail.example:143 HTTP/1.1\r\nHost: mail.example:143\r\n{login}\r\n").into_bytes()
    }

    fn answered(answer: &str) -> Vec<Step> {
        vec![(request(""), answer.as_bytes().to_vec())]
    }

    const LOGIN: &str = "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

    #[test]
    fn the_server_is_reached_by_its_name_and_its_greeting_is_not_lost() {
        for answer in [
            "HTTP/1.1 200 Connection established\r\n\r\n",
            "HTTP/1.0 200\r\n\r\n",
            "HTTP/1.1 204 \r\nVia: 1.1 proxy\r\nProxy-Agent: some/1.0\r\n\r\n",
            // There is no body, whatever it says. RFC 9110 §9.3.6
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "\r\nHTTP/1.1 200 OK\n\n",
        ] {
            in_any_chunks(&answered(answer), &plain(), |opened| opened.expect(answer));
        }
        let script = [(request(LOGIN), b"HTTP/1.1 200 OK\r\n\r\n".to_vec())];
        in_any_chunks(&script, &plain().credentials("alice", "secret"), |opened| opened.expect("it connects"));
    }

    #[test]
    fn an_address_goes_before_the_name_and_one_of_ipv6_in_brackets() {
        let asked = b"CONNECT [2001:db8::7]:993 HTTP/1.1\r\nHost: [2001:db8::7]:993\r\n\r\n".to_vec();
        let stage = proxy(vec![(asked, b"HTTP/1.1 200 OK\r\n\r\n".to_vec())]);
        opened(&stage, stage.connector().address("2001:db8::7").proxy(plain())).expect("it connects");
        assert_eq!(stage.tls_with(), ["mail.example"], "TLS is with the server");
    }

    #[test]
    fn each_refusal_is_told_for_what_it_is_in_the_words_of_the_proxy() {
        for (answer, expected) in [
            ("407 Proxy Authentication Required", "does not let us in: 407 Proxy Authentication Required"),
            ("403 Forbidden", "refuses the connection: 403 Forbidden"),
            ("401 Unauthorized", "refuses the connection: 401 Unauthorized"),
            ("405 Method Not Allowed", "refuses the connection: 405 Method Not Allowed"),
            ("302 Found", "refuses the connection: 302 Found"),
            ("500 ", "refuses the connection: 500"),
            ("502 Bad Gateway", "can't reach the server: 502 Bad Gateway"),
            ("503 Service Unavailable", "can't reach the server: 503 Service Unavailable"),
            ("504 Gateway Timeout", "can't reach the server: 504 Gateway Timeout"),
        ] {
            let answer = format!("HTTP/1.1 {answer}\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n<html>");
            in_any_chunks(&answered(&answer), &plain(), |opened| {
                let error = opened.expect_err("it is refused");
                assert_eq!(error.to_string(), format!("the proxy http://proxy.example:1080 {expected}"));
                assert!(error.is_fatal());
            });
        }
    }

    #[test]
    fn a_password_is_not_told_though_the_proxy_repeats_it() {
        for answer in ["407 No", "407 not secret enough", "403 Basic YWxpY2U6c2VjcmV0", "502 alice:secret"] {
            let wrong = vec![(request(LOGIN), format!("HTTP/1.1 {answer}\r\n\r\n").into_bytes())];
            in_any_chunks(&wrong, &plain().credentials("alice", "secret"), |opened| {
                let error = opened.expect_err("it is not let in");
                let told = format!("{error:?} {error}");
                assert!(!told.contains("secret") && !told.contains("YWxpY2U6c2VjcmV0"), "{told}");
                let failure = failure(Err(error));
                assert_eq!(matches!(failure, ProxyFailure::Login { .. }), answer.starts_with("407"));
            });
        }
    }

    #[test]
    fn an_odd_answer_is_one_and_never_a_tunnel() {
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
        let crowded = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(200));
        for answer in [
            "* OK an IMAP server\r\n",
            "\x05\x00",
            "SSH-2.0-x\r\n",
            "HTTP/2 200 OK\r\n\r\n",
            "HTTP/1.1 2x0 OK\r\n\r\n",
            "HTTP/1.1 600 What\r\n\r\n",
            "HTTP/1.1 000 What\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            &endless,
            &interim,
            &crowded,
        ] {
            in_any_chunks(&answered(answer), &plain(), |opened| {
                let failure = failure(opened);
                assert!(matches!(failure, ProxyFailure::Protocol(_)), "{:.40}: {failure:?}", answer);
            });
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_anywhere_is_a_lost_proxy() {
        cut_off_anywhere(&answered("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"), &plain());
    }

    #[test]
    fn what_can_not_be_told_is_not_sent() {
        let stage = proxy(answered(""));
        let named = plain().credentials("ali:ce", "secret");
        let failure = failure(opened(&stage, stage.connector().plaintext().proxy(named)));
        assert!(matches!(failure, ProxyFailure::Unsendable(_)), "{failure:?}");
        assert_eq!(stage.heard(), "");
        names_that_can_not_be_told(&plain());
    }

    #[test]
    fn a_silent_proxy_has_the_time_to_connect_and_no_more() {
        silent_anywhere(&answered("HTTP/1.1 200 OK\r\nVia: x\r\n\r\n"), &plain());
    }
}

/// A script that ends inside its last answer.
fn cut_at(script: &[Step], at: usize) -> Vec<Step> {
    let mut script = script.to_vec();
    script.last_mut().expect("a step").1.truncate(at);
    script
}

fn last_answer(script: &[Step]) -> usize {
    script.last().map_or(0, |(_, answer)| answer.len())
}

/// A proxy that does what the peer does, but never more than its script: nobody is behind it.
fn alone(script: Vec<Step>, ends: fn(Vec<u8>) -> Does) -> Stage {
    Stage::new(move |_| {
        let (mut script, mut held) = (script.clone().into_iter().peekable(), Vec::new());
        Ok(Box::new(move |octets: &[u8]| {
            held.extend_from_slice(octets);
            let mut says = Vec::new();
            while let Some((_, answer)) = script.next_if(|(hears, _)| held.starts_with(hears)) {
                says.extend(answer);
                held.clear();
            }
            if script.peek().is_none() { ends(says) } else { Does::Says(says) }
        }))
    })
}

fn cut_off_anywhere(script: &[Step], through: &Proxy) {
    for at in 0..last_answer(script) {
        let stage = alone(cut_at(script, at), Does::Closes);
        let failure = failure(opened(&stage, stage.connector().plaintext().proxy(through.clone())));
        assert!(matches!(failure, ProxyFailure::Unreachable(_)), "{at}: {failure:?}");
    }
}

fn silent_anywhere(script: &[Step], through: &Proxy) {
    let time = Duration::from_secs(7);
    for at in 0..last_answer(script) {
        let stage = alone(cut_at(script, at), Does::Says);
        let connector = stage.connector().plaintext().connect_within(time).proxy(through.clone());
        let late = opened(&stage, connector.clone()).expect_err("it is silent");
        let named = through.to_string();
        assert!(
            matches!(&late, Error::Unreachable { phase: Phase::Proxy, server, .. } if *server == named),
            "{at}: {late:?}"
        );
        assert_eq!(
            (stage.open(), late.to_string()),
            (0, format!("{named} was not reached within 7s, waiting for the proxy"))
        );

        let mut opening = Box::pin(connector.open());
        assert!(stage.run_until_it_waits(&mut opening));
        assert_eq!(stage.open(), 1);
        drop(opening);
        assert_eq!(stage.open(), 0, "dropped half-way it is closed");
    }
}

fn names_that_can_not_be_told(through: &Proxy) {
    let long = "x".repeat(256);
    for host in ["", "mail example", "mail\r\nX: y", "mail\0", "mäil.example", "a/b", long.as_str()] {
        let stage = alone(Vec::new(), Does::Says);
        let connector = Connector::on(stage.clone(), host).plaintext().proxy(through.clone());
        let failure = failure(opened(&stage, connector));
        assert!(matches!(failure, ProxyFailure::Unsendable(_)), "{host:?}: {failure:?}");
        assert_eq!(stage.heard(), "");
    }
}

/// One of those that are built in.
fn any() -> Proxy {
    #[cfg(feature = "socks5")]
    return Proxy::socks5("2001:db8::1", 1080);
    #[cfg(not(feature = "socks5"))]
    Proxy::http("2001:db8::1", 1080)
}

#[test]
fn a_proxy_that_is_not_there_is_told_from_a_server_that_is_not() {
    let stage = Stage::new(|_| Err(io::ErrorKind::ConnectionRefused.into()));
    let connector = stage.connector().proxy(any());
    let error = opened(&stage, connector.clone()).expect_err("nobody is there");
    assert!(error.to_string().ends_with("://[2001:db8::1]:1080 can't be reached: connection refused"), "{error}");
    let checked = stage.run(connector.credentials(Credentials::password("alice", "secret")).check_login());
    assert!(matches!(checked, LoginCheck::Unreachable(Error::Proxy(_))), "{checked:?}");
}

#[test]
fn a_proxy_is_shown_without_its_password() {
    let proxy = any().credentials("alice", "open sesame");
    assert!(proxy.to_string().ends_with("://[2001:db8::1]:1080"), "{proxy}");
    assert!(!format!("{proxy:?} {proxy}").contains("sesame"));
}
