//! Which certificates are refused and which are taken, and what is known of a connection that has one.

use std::sync::Arc;

use imap_proto_core::Error;
use imap_proto_core::client::Client;
use imap_proto_core::connect::rustls::pki_types::{CertificateDer, ServerName};
use imap_proto_core::connect::rustls::version::{TLS12, TLS13};
use imap_proto_core::connect::{Connector, Route, Runtime};
use rcgen::{DnType, ExtendedKeyUsagePurpose, date_time_ymd};

use crate::harness::Harness;
use crate::tls_server::{Authority, Identity, Shows, TlsServer};

/// What is to become of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Taken,
    Refused,
}

use Is::{Refused, Taken};

/// A server with such a certificate, the name it is known by, and the roots that are trusted: none are those of the web.
struct Case<'a> {
    name: &'static str,
    identity: Identity,
    host: &'static str,
    roots: Vec<&'a CertificateDer<'static>>,
    is: Is,
}

fn cases<'a>(ours: &'a Authority, theirs: &'a Authority) -> Vec<Case<'a>> {
    let of = |names: &[&str]| ours.issue(names, |_| {});
    let case = |name, identity, host, is| Case { name, identity, host, roots: vec![&ours.root], is };
    let with = |roots: Vec<&'a CertificateDer<'static>>, case: Case<'a>| Case { roots, ..case };
    let (between, link) = ours.intermediate();
    let mut linked = between.issue(&["localhost"], |_| {});
    linked.chain.push(link);
    let both = vec![&theirs.root, &ours.root];
    vec![
        case("the right name", of(&["localhost"]), "localhost", Taken),
        case("the right name in capitals", of(&["localhost"]), "LOCALHOST", Taken),
        case("one of several names", of(&["imap.example.org", "localhost"]), "localhost", Taken),
        case("a wrong name", of(&["localhost"]), "imap.example.org", Refused),
        case("a name that only begins so", of(&["localhost"]), "localhost.example.org", Refused),
        case("self-signed", Identity::of_its_own("localhost"), "localhost", Refused),
        case("signed by another root", theirs.issue(&["localhost"], |_| {}), "localhost", Refused),
        with(both, case("one of two roots", of(&["localhost"]), "localhost", Taken)),
        with(vec![], case("a root that the web does not know", of(&["localhost"]), "localhost", Refused)),
        case("with its link to the root", linked, "localhost", Taken),
        case("without its link", between.issue(&["localhost"], |_| {}), "localhost", Refused),
        case(
            "expired",
            ours.issue(&["localhost"], |params| params.not_after = date_time_ymd(2020, 1, 1)),
            "localhost",
            Refused,
        ),
        case(
            "not valid yet",
            ours.issue(&["localhost"], |params| params.not_before = date_time_ymd(4000, 1, 1)),
            "localhost",
            Refused,
        ),
        case(
            "for clients",
            ours.issue(&["localhost"], |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]),
            "localhost",
            Refused,
        ),
        case(
            "a common name alone",
            ours.issue(&[], |params| params.distinguished_name.push(DnType::CommonName, "localhost")),
            "localhost",
            Refused,
        ),
        case("an address", of(&["127.0.0.1"]), "127.0.0.1", Taken),
        case("an address of IPv6", of(&["::1"]), "::1", Taken),
        case("another address", of(&["127.0.0.1"]), "127.0.0.2", Refused),
        case("a name for an address", of(&["localhost"]), "127.0.0.1", Refused),
        case("an address for a name", of(&["127.0.0.1"]), "localhost", Refused),
        case("a wildcard", of(&["*.example.org"]), "imap.example.org", Taken),
        case("a wildcard for nothing", of(&["*.example.org"]), "example.org", Refused),
        case("a wildcard for two", of(&["*.example.org"]), "imap.north.example.org", Refused),
        case("a wildcard within", of(&["imap.*.org"]), "imap.example.org", Refused),
    ]
}

pub(crate) async fn judged<H: Harness>(harness: H) {
    judge(harness, false).await;
}

pub(crate) async fn judged_after_starttls<H: Harness>(harness: H) {
    judge(harness, true).await;
}

async fn judge<H: Harness>(harness: H, starttls: bool) {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for case in cases(&ours, &theirs) {
        let server = TlsServer::start(&Shows { identity: &case.identity, starttls, asks_for: None });
        let mut connector = to(harness, case.host, &server);
        if starttls {
            connector = connector.starttls();
        }
        let connector = case.roots.into_iter().fold(connector, |connector, root| connector.root(root.clone()));
        match connector.connect().await {
            Ok(client) => {
                assert_eq!(case.is, Taken, "{}", case.name);
                bye(client).await;
                harness.joined(server.thread).await.expect("a client");
            }
            Err(error) => {
                assert_eq!(case.is, Refused, "{}: {error}", case.name);
                assert!(matches!(error, Error::Transport(_)) && error.is_fatal(), "{}: {error:?}", case.name);
                assert!(error.to_string().contains(": invalid peer certificate: "), "{}: {error}", case.name);
                assert!(!error.to_string().contains("does not begin with it"), "{}: {error}", case.name);
                // The client says why and goes. Nothing of IMAP was said to it.
                harness.joined(server.thread).await.expect_err("no client");
            }
        }
    }
}

fn to<H: Harness>(harness: H, host: &str, server: &TlsServer) -> Connector<H::Runtime> {
    harness.connector(host).address(server.address.ip().to_string()).port(server.address.port())
}

/// The server answers anything with OK.
async fn bye(client: Client) {
    client.logout().await.expect("it says goodbye");
}

pub(crate) async fn of_a_client<H: Harness>(harness: H) {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let identity = ours.issue(&["localhost"], |_| {});
    let for_clients = |params: &mut rcgen::CertificateParams| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    };
    let (client, stranger) = (theirs.issue(&["alice"], for_clients), ours.issue(&["alice"], for_clients));
    let start = || TlsServer::start(&Shows { identity: &identity, starttls: false, asks_for: Some(&theirs) });
    let trusting = |server: &TlsServer| to(harness, "localhost", server).root(ours.root.clone());

    let server = start();
    let connector = trusting(&server).client_certificate(client.chain.clone(), client.key());
    bye(connector.connect().await.expect("it is let in")).await;
    assert_eq!(harness.joined(server.thread).await.expect("a client").certificates, client.chain);

    // Beside a configuration of the caller's, whatever it says of the rest.
    let server = start();
    let connector = to(harness, "localhost", &server).tls_config(Arc::new(ours.trusted(&[&TLS12])));
    let connector = connector.client_certificate(client.chain.clone(), client.key());
    bye(connector.connect().await.expect("it is let in")).await;
    assert_eq!(harness.joined(server.thread).await.expect("a client").certificates, client.chain);

    let server = start();
    let connector = trusting(&server).client_certificate(stranger.chain.clone(), stranger.key());
    connector.connect().await.expect_err("nobody vouches for it");
    harness.joined(server.thread).await.expect_err("no client");

    let server = start();
    trusting(&server).connect().await.expect_err("it shows none");
    harness.joined(server.thread).await.expect_err("no client");

    let server = start();
    let connector = trusting(&server).client_certificate(client.chain.clone(), stranger.key());
    let error = connector.connect().await.expect_err("the key is of another");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    harness.joined(server.thread).await.expect_err("no client");
}

/// What channel binding needs.
pub(crate) async fn facts<H: Harness>(harness: H) {
    let ours = Authority::new("ours");
    let identity = ours.issue(&["localhost"], |_| {});
    for version in [&TLS13, &TLS12] {
        let server = TlsServer::start(&Shows { identity: &identity, starttls: false, asks_for: None });
        let runtime = H::Runtime::default();
        let stream = runtime.connect(Route::new(server.address)).await.expect("it listens");
        let name = ServerName::try_from("localhost").expect("a name");
        let secured = runtime.secure(stream, Arc::new(ours.trusted(&[version])), name).await.expect("it is trusted");
        assert_eq!(secured.tls.end_certificate.as_ref(), identity.chain.first());
        drop(secured.stream);
        let exporter = harness.joined(server.thread).await.expect("a client").exporter;
        // Of TLS 1.2 two sessions may share it, so that it binds nothing.
        assert_eq!(secured.tls.exporter, (version == &TLS13).then_some(exporter));
        assert!(!format!("{:?}", secured.tls).contains('['), "{:?}", secured.tls);
    }
}
