//! The tokens of the example `oauth`: from an endpoint on a loopback port, for a Dovecot that believes them.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::SystemTime;

use imap_examples::{Program, Service, Tokens};
use imap_tests::servers::{Dovecot, Server};
use imap_tokio::sasl::{Refresh, TokenProvider};
use imap_tokio::{Connector, Credentials, Error, LoginCheck};
use oauth2::{ClientId, ClientSecret, RefreshToken};

/// An endpoint, and the forms that it was sent.
struct Endpoint {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

/// The path, the form and how many came before, to the status and the JSON of the answer.
type Answer = dyn Fn(&str, &str, usize) -> (u16, String) + Send + Sync;

impl Endpoint {
    fn start(answer: impl Fn(&str, &str, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, forms): (Arc<Answer>, _) = (Arc::new(answer), asked.clone());
        spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let (answer, forms) = (answer.clone(), forms.clone());
                spawn(move || serve(&client, &*answer, &forms).expect("a client that speaks HTTP"));
            }
        });
        Endpoint { port, asked }
    }

    fn service(&self) -> Service {
        let url = |end: &str| format!("http://127.0.0.1:{}/{end}", self.port);
        let (token_url, device_url) = (url("token"), Some(url("device")));
        Service { host: "localhost".into(), token_url, device_url, scopes: vec!["mail".into()] }
    }

    fn tokens(&self) -> Tokens {
        let refresh = RefreshToken::new("refresh-0".into());
        Tokens::of_refresh_token(&self.service(), &program(), refresh).expect("URLs")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics holding it").clone()
    }
}

fn program() -> Program {
    Program { id: ClientId::new("us".into()), secret: Some(ClientSecret::new("ours".into())) }
}

fn serve(mut client: &TcpStream, answer: &Answer, forms: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut request, mut len) = (String::new(), 0);
    reader.read_line(&mut request)?;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field)?;
        match field.trim_end().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => len = value.parse().expect("a length"),
            Some(_) => {}
            None => break,
        }
    }
    let mut form = vec![0; len];
    reader.read_exact(&mut form)?;
    let form = String::from_utf8(form).expect("a form");
    let path = request.split(' ').nth(1).unwrap_or_default();
    let before = {
        let mut forms = forms.lock().expect("nobody panics holding it");
        forms.push(form.clone());
        forms.len() - 1
    };
    let (status, json) = answer(path, &form, before);
    let fields = "Content-Type: application/json\r\nConnection: close";
    write!(client, "HTTP/1.1 {status} Answer\r\n{fields}\r\nContent-Length: {}\r\n\r\n{json}", json.len())
}

fn token(valid_for: i64) -> String {
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is past 1970").as_secs();
    Dovecot::token("alice", now.saturating_add_signed(valid_for))
}

/// A token, how long it is said to be good for, and the next refresh token.
fn granted(token: &str, expires_in: u64, next: usize) -> (u16, String) {
    let next = format!("refresh-{next}");
    let json = format!(
        r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":{expires_in},"refresh_token":"{next}"}}"#
    );
    (200, json)
}

fn denied(error: &str) -> (u16, String) {
    (400, format!(r#"{{"error":"{error}","error_description":"said so"}}"#))
}

/// An endpoint whose refresh tokens are good once, and whose access tokens as of a function of their number.
fn rotating(valid_for: fn(usize) -> i64, expires_in: u64) -> Endpoint {
    Endpoint::start(move |path, form, before| {
        assert_eq!(path, "/token");
        let expected = format!("refresh_token=refresh-{before}");
        let is_ours = ["grant_type=refresh_token", "client_id=us", "client_secret=ours", &expected];
        if is_ours.iter().all(|pair| form.split('&').any(|field| field == *pair)) {
            granted(&token(valid_for(before)), expires_in, before + 1)
        } else {
            denied("invalid_grant")
        }
    })
}

fn connector(server: &Dovecot, tokens: &Tokens, mechanism: &'static str) -> Connector {
    let login = Credentials::provided("alice", tokens.clone()).allow([mechanism]);
    let connector = Connector::new("localhost").address("127.0.0.1").port(server.tls_port());
    connector.root(server.ca_der().to_vec().into()).credentials(login)
}

async fn let_in(connector: &Connector) {
    let client = connector.connect().await.expect("Dovecot believes the token");
    client.examine("INBOX").await.expect("an INBOX");
    client.logout().await.expect("it says goodbye");
}

#[tokio::test]
async fn connections_share_one_token_as_long_as_it_is_good() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let endpoint = rotating(|_| 600, 600);
    let tokens = endpoint.tokens();
    let [standard, microsoft] = ["OAUTHBEARER", "XOAUTH2"].map(|name| connector(&server, &tokens, name));
    tokio::join!(let_in(&standard), let_in(&microsoft), let_in(&standard));
    let_in(&microsoft).await;
    assert_eq!(endpoint.asked().len(), 1);
    assert_eq!(tokens.refresh_token().await.secret(), "refresh-1", "the service gives another, which is kept");
}

#[tokio::test]
async fn a_token_that_is_over_is_renewed_before_and_one_that_is_refused_after_the_login() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
        // It says so, and is asked before each login.
        let endpoint = rotating(|_| 600, 30);
        let tokens = endpoint.tokens();
        for logins in 1..=3 {
            let_in(&connector(&server, &tokens, mechanism)).await;
            assert_eq!(endpoint.asked().len(), logins, "{mechanism}");
        }
        // It does not: Dovecot refuses the first token.
        let endpoint = rotating(|number| if number == 0 { -600 } else { 600 }, 3600);
        let tokens = endpoint.tokens();
        for _ in 0..2 {
            let_in(&connector(&server, &tokens, mechanism)).await;
            assert_eq!(endpoint.asked().len(), 2, "{mechanism}");
        }
    }
}

#[tokio::test]
async fn whoever_wants_a_new_token_at_the_same_time_waits_for_one_request_and_dropping_loses_nothing() {
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let endpoint = Endpoint::start(move |_, _, before| {
        held.lock().expect("nobody panics holding it").recv().expect("the test goes on");
        granted(&format!("access-{before}"), 600, before + 1)
    });
    let tokens = endpoint.tokens();
    let mut dropped = tokens.token(Refresh::Forced);
    let begun = std::future::poll_fn(|cx| std::task::Poll::Ready(dropped.as_mut().poll(cx))).await;
    assert!(begun.is_pending());
    drop(dropped);
    let waiting = (tokens.token(Refresh::Forced), tokens.token(Refresh::IfExpired), tokens.token(Refresh::Forced));
    release.send(()).expect("it waits");
    let (first, second, third) = tokio::join!(waiting.0, waiting.1, waiting.2);
    for token in [first, second, third] {
        assert_eq!(token.expect("a token").expose(), b"access-0");
    }
    assert_eq!(endpoint.asked().len(), 1);
    release.send(()).expect("it waits");
    assert_eq!(tokens.token(Refresh::Forced).await.expect("a token").expose(), b"access-1");
}

#[tokio::test]
async fn a_refresh_token_that_is_over_is_no_matter_of_the_server() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let endpoint = Endpoint::start(|_, _, _| denied("invalid_grant"));
    let tokens = endpoint.tokens();
    let error = connector(&server, &tokens, "XOAUTH2").connect().await.expect_err("there is no token");
    assert!(matches!(error, Error::Token(_)), "{error:?}");
    assert!(error.to_string().contains("invalid_grant") && error.to_string().contains("said so"), "{error}");
    let checked = connector(&server, &tokens, "XOAUTH2").check_login().await;
    assert!(matches!(checked, LoginCheck::NoToken(_)), "{checked:?}");

    // What comes is not repeated: it may be a token.
    let odd = Endpoint::start(|_, _, _| (200, r#"{"access_token":"open sesame"#.into()));
    let error = odd.tokens().token(Refresh::IfExpired).await.expect_err("it is cut off");
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    let nobody = Endpoint { port: 1, asked: Arc::default() };
    assert!(nobody.tokens().token(Refresh::IfExpired).await.is_err());
}

#[tokio::test]
async fn a_person_signs_in_on_another_device() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let endpoint = Endpoint::start(|path, form, before| match (path, before) {
        ("/device", 0) => {
            assert!(form.contains("scope=mail"), "{form}");
            let json = r#"{"device_code":"device","user_code":"ABCD","verification_uri":"https://example.org/device",
                "expires_in":60,"interval":0}"#;
            (200, json.into())
        }
        ("/token", 1) => denied("authorization_pending"),
        ("/token", 2) => {
            assert!(form.contains("device_code=device"), "{form}");
            granted(&token(600), 600, 0)
        }
        other => panic!("{other:?}"),
    });
    let mut shown = String::new();
    let show = |uri: &str, code: &str| shown = format!("{uri} {code}");
    let tokens = Tokens::by_signing_in(&endpoint.service(), &program(), show).await.expect("they sign in");
    assert_eq!(shown, "https://example.org/device ABCD");
    let_in(&connector(&server, &tokens, "XOAUTH2")).await;
    assert_eq!(endpoint.asked().len(), 3, "the first token is used");

    let gmail = Tokens::by_signing_in(&Service::gmail(), &program(), |_, _| ()).await.err().expect("it has none");
    assert_eq!(gmail.to_string(), "the service has no flow for devices");
}
