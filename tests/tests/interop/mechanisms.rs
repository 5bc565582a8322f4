//! Every way to log in on every server that has it: who is let in, and what whoever is not is told.
//!
//! `cargo test -p imap-tests --test interop mechanisms -- --nocapture` prints the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use crate::session::unauthenticated;
use futures_util::future::join_all;
use imap_tests::servers::{Courier, Cyrus, Dovecot, PASSWORD, Server};
use imap_tokio::rustls::pki_types::pem::PemObject;
use imap_tokio::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use imap_tokio::sasl::{Refresh, TokenFuture, TokenProvider};
use imap_tokio::types::Secret;
use imap_tokio::{AuthMethod, Connector, Credentials, Error, LoginRefusal, Security, Tokio};

const ALICE: &str = "alice";
const BY_PASSWORD: [&str; 6] = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "the LOGIN command"];

fn method(name: &'static str) -> AuthMethod {
    if name.starts_with("the ") { AuthMethod::LoginCommand } else { AuthMethod::from(name) }
}

/// How a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    In,
    Refused,
    NotOffered,
}

async fn login(connector: Connector, credentials: Credentials) -> Login {
    match connector.credentials(credentials).connect().await {
        Ok(client) => {
            client.examine("INBOX").await.expect("whoever is in can look at the mail");
            client.logout().await.expect("it says goodbye");
            Login::In
        }
        Err(Error::NoMechanism(_)) => Login::NotOffered,
        Err(error) => {
            assert_eq!(error.login_refusal(), Some(LoginRefusal::Credentials), "{error:?}");
            assert!(!format!("{error:?} {error}").contains(PASSWORD), "{error:?}");
            Login::Refused
        }
    }
}

const ALL: [Security; 3] = [Security::ImplicitTls, Security::StartTls, Security::Plaintext];

/// The mechanisms of a server for passwords: all of these that it offers let the right password in, and no wrong one. Servers
/// are slow to refuse, so that all is tried at once.
async fn by_password(server: &dyn Server, names: &[&'static str]) -> Vec<String> {
    let ways = ALL.into_iter().flat_map(|security| names.iter().map(move |name| (security, *name)));
    let tried = join_all(ways.map(|(security, name)| async move {
        let credentials = |password: &str| Credentials::password(ALICE, password).allow([method(name)]);
        let right = login(unauthenticated(server, security), credentials(PASSWORD)).await;
        if right == Login::NotOffered {
            return None;
        }
        assert_eq!(right, Login::In, "{name} over {security:?} on {}", server.name());
        let wrong = login(unauthenticated(server, security), credentials("another")).await;
        assert_eq!(wrong, Login::Refused, "{name} over {security:?} on {}", server.name());
        Some(format!("{security:?}: {name}"))
    }));
    let found: Vec<String> = tried.await.into_iter().flatten().collect();
    println!("{}: {}", server.name(), found.join(", "));
    found
}

fn has(found: &[String], security: Security, names: &[&str]) {
    for name in names {
        assert!(found.contains(&format!("{security:?}: {name}")), "{name} over {security:?}: {found:?}");
    }
}

#[tokio::test]
async fn every_password_mechanism_of_dovecot_lets_the_right_one_in() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let found = by_password(&server, &BY_PASSWORD).await;
    for security in ALL {
        has(&found, security, &["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "the LOGIN command"]);
    }
}

#[tokio::test]
async fn every_password_mechanism_of_cyrus_lets_the_right_one_in() {
    let Some(server) = Cyrus::start() else { return };
    let found = by_password(&server, &BY_PASSWORD).await;
    has(&found, Security::ImplicitTls, &["PLAIN", "LOGIN", "SCRAM-SHA-1", "SCRAM-SHA-256"]);
}

/// It offers the -PLUS forms and knows `tls-unique` alone, which TLS 1.3 has not and RFC 9266 replaces. Whoever allows nothing
/// else is refused, and nothing weaker is tried: so they are not allowed unless asked for.
#[tokio::test]
async fn cyrus_offers_a_channel_binding_that_it_does_not_take() {
    let Some(server) = Cyrus::start() else { return };
    for name in ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"] {
        let only = Credentials::password(ALICE, PASSWORD).allow([name]);
        assert_eq!(login(unauthenticated(&server, Security::ImplicitTls), only).await, Login::Refused, "{name}");
    }
    let usual = Credentials::password(ALICE, PASSWORD);
    assert_eq!(login(unauthenticated(&server, Security::ImplicitTls), usual).await, Login::In);
}

#[tokio::test]
async fn every_password_mechanism_of_courier_lets_the_right_one_in() {
    let Some(server) = Courier::start() else { return };
    let found = by_password(&server, &BY_PASSWORD).await;
    has(&found, Security::ImplicitTls, &["PLAIN", "CRAM-MD5", "the LOGIN command"]);
}

#[tokio::test]
async fn a_certificate_or_nothing_at_all_lets_in_where_the_server_takes_it() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let with_certificate = |security| {
        let chain = CertificateDer::pem_file_iter(server.client_pem()).expect("it is there");
        let chain = chain.collect::<Result<Vec<_>, _>>().expect("it is PEM");
        let key = PrivateKeyDer::from_pem_file(server.client_pem().with_extension("key")).expect("it is there");
        unauthenticated(&server, security).client_certificate(chain, key)
    };
    for security in [Security::ImplicitTls, Security::StartTls] {
        assert_eq!(login(with_certificate(security), Credentials::external(None)).await, Login::In);
        let named = Credentials::external(Some(ALICE.to_owned()));
        assert_eq!(login(with_certificate(security), named).await, Login::In);
        let another = Credentials::external(Some("bob".to_owned()));
        assert_eq!(login(with_certificate(security), another).await, Login::Refused);
        let without = login(unauthenticated(&server, security), Credentials::external(None)).await;
        assert_eq!(without, Login::Refused);
        let nobody = login(unauthenticated(&server, security), Credentials::anonymous("me@example.org")).await;
        assert_eq!(nobody, Login::In);
    }
}

fn unix_time() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("it is past 1970").as_secs()
}

fn good_token() -> String {
    Dovecot::token(ALICE, unix_time() + 600)
}

/// Has one token that is over, and a good one for whoever insists.
#[derive(Clone, Default)]
struct Stale(Arc<(AtomicUsize, AtomicUsize)>);

impl TokenProvider for Stale {
    fn token(&self, refresh: Refresh) -> TokenFuture<'_> {
        Box::pin(async move {
            let (held, renewed) = &*self.0;
            Ok(Secret::from(match refresh {
                Refresh::IfExpired => {
                    held.fetch_add(1, Ordering::Relaxed);
                    Dovecot::token(ALICE, unix_time() - 600)
                }
                Refresh::Forced => {
                    renewed.fetch_add(1, Ordering::Relaxed);
                    good_token()
                }
            }))
        })
    }
}

#[tokio::test]
async fn tokens_let_in_are_renewed_once_and_refused_with_a_reason() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    for name in ["OAUTHBEARER", "XOAUTH2"] {
        let tls = || unauthenticated::<Tokio>(&server, Security::ImplicitTls);
        let good = Credentials::token(ALICE, good_token()).allow([name]);
        assert_eq!(login(tls(), good).await, Login::In, "{name}");
        let over = Credentials::token(ALICE, Dovecot::token(ALICE, unix_time() - 600)).allow([name]);
        let Err(Error::Refused(refused)) = tls().credentials(over).connect().await else {
            panic!("{name}: not refused")
        };
        let reason = refused.reason.as_deref().expect("the server says why");
        assert!(reason.starts_with('{') && reason.contains("\"status\""), "{reason}");

        let provider = Stale::default();
        let renewed = Credentials::provided(ALICE, provider.clone()).allow([name]);
        assert_eq!(login(tls(), renewed).await, Login::In, "{name}");
        assert_eq!((provider.0.0.load(Ordering::Relaxed), provider.0.1.load(Ordering::Relaxed)), (1, 1));
        let for_another = Stale::default();
        let error = tls().credentials(Credentials::provided("bob", for_another.clone()).allow([name])).connect().await;
        assert_eq!(error.err().and_then(|error| error.login_refusal()), Some(LoginRefusal::Credentials));
        assert_eq!(for_another.0.1.load(Ordering::Relaxed), 1, "it is renewed once, in vain");
    }
}

struct Nobody;

impl TokenProvider for Nobody {
    fn token(&self, _: Refresh) -> TokenFuture<'_> {
        Box::pin(async { Err("nobody has signed in".into()) })
    }
}

struct Never;

impl TokenProvider for Never {
    fn token(&self, _: Refresh) -> TokenFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_provider_without_a_token_says_why_and_one_that_waits_can_be_left() {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let tls = || unauthenticated::<Tokio>(&server, Security::ImplicitTls);
    let error = tls().credentials(Credentials::provided(ALICE, Nobody)).connect().await.expect_err("there is none");
    assert!(matches!(error, Error::Token(_)), "{error:?}");
    assert_eq!(error.to_string(), "no access token: nobody has signed in");
    let connector = tls().credentials(Credentials::provided(ALICE, Never));
    let waiting = tokio::time::timeout(Duration::from_millis(300), connector.connect()).await;
    assert!(waiting.is_err(), "it waits for the provider");
}
