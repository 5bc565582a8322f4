//! When it is tried, how often, and when not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use imap_proto_core::sasl::{ExchangeError, Mechanism, Refresh, Reply, TokenFuture, TokenProvider};
use imap_proto_core::types::{Capability, Secret};
use imap_proto_core::{Closed, Credentials, Error, LoginRefusal};
use imap_testserver::{Fault, Script, TestServer};

use crate::host::Does::{Hangs, Refuses, Serves};
use crate::host::Host;
use crate::{regular, told};

const END: &str = "the connection is closed: end of stream";

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_lost_is_opened_again_when_it_is_asked_for() {
    let host = Host::new(&TestServer::start());
    let session = host.connector().reconnecting(regular());
    let mut events = session.events();
    assert!(host.dialled().is_empty(), "nobody has asked");

    let client = session.client().await.expect("it is there");
    client.noop().await.expect("it is good");
    assert_eq!(told(&mut events).await, ["connected"]);
    tokio::time::sleep(Duration::from_secs(61)).await;

    host.cut().await;
    let lost = client.noop().await.expect_err("it is gone");
    assert!(matches!(lost, Error::Closed(Closed::EndOfStream)), "{lost:?}");
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(told(&mut events).await, [format!("lost: {END}")]);
    assert_eq!(host.dialled(), [0], "nobody has asked");

    session.client().await.expect("it is back").noop().await.expect("it is good");
    assert_eq!(told(&mut events).await, ["again"]);
    assert_eq!(host.dialled(), [0, 161_000]);
}

#[tokio::test(start_paused = true)]
async fn attempts_are_made_after_the_pauses_of_the_policy() {
    let host = Host::new(&TestServer::start());
    host.will([Refuses; 4], Serves);
    let session = host.connector().reconnecting(regular());
    let mut events = session.events();
    session.client().await.expect("it comes");
    assert_eq!(host.dialled(), [0, 1000, 3000, 7000, 15_000]);
    assert_eq!(told(&mut events).await, ["2 after 1s", "3 after 2s", "4 after 4s", "5 after 8s", "connected"]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_nobody_answers_ends_by_the_connectors_time() {
    let host = Host::new(&TestServer::start());
    host.will([Hangs], Serves);
    let session = host.connector().connect_within(Duration::from_secs(7)).reconnecting(regular());
    session.client().await.expect("it comes");
    assert_eq!(host.dialled(), [0, 8000]);
}

#[tokio::test(start_paused = true)]
async fn it_is_given_up_after_so_many_attempts_and_begun_anew_when_asked_for() {
    let host = Host::new(&TestServer::start());
    host.will([], Refuses);
    let session = host.connector().reconnecting(regular().attempts(3));
    let mut events = session.events();
    let cause = session.client().await.expect_err("nobody is there");
    assert!(matches!(cause, Error::Transport(_)), "{cause:?}");
    assert_eq!(host.dialled(), [0, 1000, 3000]);
    let gave_up = format!("gave up: {cause}");
    assert_eq!(told(&mut events).await, ["2 after 1s".to_owned(), "3 after 2s".to_owned(), gave_up]);

    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert_eq!(host.dialled().len(), 3, "nobody has asked");
    host.will([Refuses], Serves);
    session.client().await.expect("it is there now");
    assert_eq!(host.dialled()[3..], [1_003_000, 1_004_000]);
}

#[tokio::test(start_paused = true)]
async fn it_is_given_up_after_so_long_a_time() {
    let host = Host::new(&TestServer::start());
    host.will([], Refuses);
    let policy = regular().attempts(u32::MAX).give_up_after(Duration::from_secs(10));
    let session = host.connector().reconnecting(policy);
    let began = tokio::time::Instant::now();
    session.client().await.expect_err("nobody is there");
    assert_eq!((host.dialled(), began.elapsed().as_millis()), (vec![0, 1000, 3000, 7000], 10_000));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_tried_a_second_time() {
    let host = Host::new(&TestServer::start());
    let session = host.connector().credentials(Credentials::password("alice", "wrong")).reconnecting(regular());
    let mut events = session.events();
    for _ in 0..3 {
        let refused = session.client().await.expect_err("it is the wrong password");
        assert_eq!(refused.login_refusal(), Some(LoginRefusal::Credentials), "{refused:?}");
    }
    assert_eq!((host.dialled().len(), host.heard(" AUTHENTICATE ")), (1, 1));
    assert!(matches!(&told(&mut events).await[..], [only] if only.starts_with("gave up")));

    session.forget_refusal();
    session.client().await.expect_err("it is as wrong as before");
    assert_eq!((host.dialled().len(), host.heard(" AUTHENTICATE ")), (2, 2));
}

/// SCRAM that is told no in its own words.
#[derive(Debug)]
struct Disproved;

impl Mechanism for Disproved {
    fn name(&self) -> &str {
        "PLAIN"
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, _: &[u8]) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Server("invalid-proof".into()))
    }

    fn is_complete(&self) -> bool {
        false
    }
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_tried_a_second_time_in_whatever_words_it_was_said() {
    let bye = Script::new().with(Fault::bye("AUTHENTICATE", "[AUTHENTICATIONFAILED] wrong"));
    for (credentials, script) in [
        (Credentials::custom("PLAIN", |_| Ok(Disproved)), Script::new()),
        (Credentials::password("alice", "wrong"), bye),
    ] {
        let server = TestServer::start();
        server.misbehave(script);
        let host = Host::new(&server);
        let session = host.connector().credentials(credentials).reconnecting(regular());
        let first = session.client().await.expect_err("it is refused");
        let again = session.client().await.expect_err("it is refused");
        assert_eq!(first.to_string(), again.to_string());
        assert_eq!((host.dialled().len(), host.heard(" AUTHENTICATE ")), (1, 1), "{first:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_pass_ends_it_at_once() {
    for (server, is_it) in [
        (TestServer::builder().tls_required().start(), Error::login_refusal as fn(&Error) -> Option<LoginRefusal>),
        (TestServer::builder().without(Capability::Auth("PLAIN".into())).start(), Error::login_refusal),
    ] {
        let host = Host::new(&server);
        let credentials = Credentials::password("alice", "secret").allow(["PLAIN"]);
        let session = host.connector().credentials(credentials).reconnecting(regular());
        let refused = session.client().await.expect_err("there is no way in");
        assert_eq!((is_it(&refused), host.dialled().len()), (Some(LoginRefusal::Configuration), 1), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_the_server_can_not_judge_is_tried_again() {
    let server = TestServer::start();
    let busy = "Server Busy. Suggested Backoff Time: 30 seconds";
    let script = Script::new()
        .with(Fault::no("AUTHENTICATE", "[UNAVAILABLE] later"))
        .with(Fault::no("AUTHENTICATE", busy))
        .with(Fault::bye("AUTHENTICATE", "going down"));
    server.misbehave(script);
    let host = Host::new(&server);
    host.connector().reconnecting(regular()).client().await.expect("it comes to itself");
    assert_eq!(host.dialled(), [0, 1000, 31_000, 35_000]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_after_the_login_is_not_run_into_without_a_pause() {
    let server = TestServer::start();
    let host = Host::new(&server);
    let session = host.connector().reconnecting(regular().attempts(4));
    let mut events = session.events();
    let script = (0..9).fold(Script::new(), |script, _| script.with(Fault::bye("NOOP", "no")));
    server.misbehave(script);
    for _ in 0..4 {
        session.client().await.expect("it lets us in").noop().await.expect_err("and out");
    }
    assert_eq!(host.dialled(), [0, 1000, 3000, 7000]);
    session.client().await.expect_err("enough is enough");
    let told = told(&mut events).await;
    let lost = "lost: the server closed the connection: no";
    assert_eq!(told[..4], ["connected", lost, "2 after 1s", "again"]);
    assert_eq!(told.last().map(String::as_str), Some("gave up: the server closed the connection: no"));
    assert_eq!(host.dialled().len(), 4);

    // One that lasts is a success.
    server.misbehave(Script::new());
    let client = session.client().await.expect("it is begun anew");
    tokio::time::sleep(Duration::from_secs(61)).await;
    host.cut().await;
    client.noop().await.expect_err("it is gone");
    session.client().await.expect("it is back");
    assert_eq!(host.dialled()[4..], [7000, 68_000]);
}

/// Counts how often it is asked.
struct Tokens(Arc<AtomicUsize>);

impl TokenProvider for Tokens {
    fn token(&self, _: Refresh) -> TokenFuture<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let reason = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Box::pin(async move { Err(reason.into()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_for_a_token_at_each_attempt() {
    let server = TestServer::builder().announcing(Capability::Auth("XOAUTH2".into())).start();
    let (host, asked) = (Host::new(&server), Arc::new(AtomicUsize::new(0)));
    let credentials = Credentials::provided("alice", Tokens(asked.clone()));
    let session = host.connector().credentials(credentials).reconnecting(regular().attempts(3));
    let none = session.client().await.expect_err("there is none");
    assert!(matches!(none, Error::Token(_)), "{none:?}");
    assert_eq!((asked.load(Ordering::Relaxed), host.dialled().len()), (3, 3));
}
