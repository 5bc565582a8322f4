//! Credentials that are tried, at a server that knows them, at none, and at one that is not trusted.

use std::net::TcpListener;

use imap_proto_core::connect::{Connector, LoginCheck};
use imap_proto_core::{Credentials, Error};
use imap_tests::servers::{Dovecot, PASSWORD, Server};

use crate::harness::Harness;
use crate::tls_server::Authority;

pub(crate) async fn at_dovecot<H: Harness>(harness: H) {
    let Some(server) = Dovecot::start_for_logins() else { return };
    let connector = |password: &str| {
        let connector = harness.connector("localhost").address("127.0.0.1").root(server.ca_der().to_vec().into());
        connector.credentials(Credentials::password("alice", password))
    };
    let tls = |password: &str| connector(password).port(server.tls_port());
    let plain = |password: &str| connector(password).port(server.plain_port());
    let check = async |connector: Connector<H::Runtime>| connector.check_login().await;

    for right in [tls(PASSWORD), plain(PASSWORD).starttls(), plain(PASSWORD).plaintext()] {
        let checked = check(right).await;
        assert!(matches!(checked, LoginCheck::Accepted), "{checked:?}");
    }
    for wrong in [tls("another"), plain("another").starttls(), plain("another").plaintext()] {
        let checked = check(wrong).await;
        assert!(matches!(&checked, LoginCheck::Rejected(_)), "{checked:?}");
        assert!(!format!("{checked:?}").contains("another"), "{checked:?}");
    }

    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it is bound").port();
    let checked = check(tls(PASSWORD).port(nobody)).await;
    assert!(matches!(checked, LoginCheck::Unreachable(Error::Transport(_))), "{checked:?}");

    let stranger = Authority::new("a stranger").root;
    let unknown_root =
        harness.connector("localhost").root(stranger).credentials(Credentials::password("alice", PASSWORD));
    for misconfigured in [
        unknown_root.clone().port(server.tls_port()),
        unknown_root.port(server.plain_port()).starttls(),
        tls(PASSWORD).port(server.plain_port()),
        tls(PASSWORD).credentials(Credentials::password("alice", PASSWORD).allow(["SCRAM-SHA-512"])),
    ] {
        let checked = check(misconfigured).await;
        assert!(matches!(checked, LoginCheck::Misconfigured(_)), "{checked:?}");
    }
}
