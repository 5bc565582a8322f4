//! What protects the stream.

use std::time::Duration;

use imap_tests::servers::PASSWORD;
use imap_tokio::{Connector, Credentials, Error, Phase, Security};

use crate::peer::Peer;
use crate::session::trusting;

pub(crate) async fn certificates(peer: &Peer<'_>) {
    // Where there is no certificate, none is looked at: the connection is as good as in the clear.
    if peer.security == Security::Plaintext {
        let client = connector_to(peer, "imap.example.org").connect().await.expect("no name is compared");
        client.logout().await.expect("it says goodbye");
        return peer.done("a certificate that does not fit");
    }
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let good = peer.connector();
    let unknown_root = good.clone().tls_config(trusting(stranger.cert.der()));
    let ours = || trusting(peer.server.ca_der());
    let web = connector_to(peer, "localhost");
    let other_name = connector_to(peer, "imap.example.org").tls_config(ours());
    let other_address = connector_to(peer, "127.0.0.2").tls_config(ours());
    for connector in [unknown_root, web, other_name, other_address] {
        let result = connector.connect().await;
        let Err(Error::Transport(error)) = result else { panic!("{result:?}") };
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    good.connect().await.expect("the right one fits").logout().await.expect("it says goodbye");
    peer.done("a certificate that does not fit");
}

fn connector_to(peer: &Peer<'_>, host: &str) -> Connector {
    let connector = Connector::new(host).address("127.0.0.1").credentials(Credentials::password(peer.user, PASSWORD));
    match peer.security {
        Security::ImplicitTls => connector.port(peer.server.tls_port()),
        Security::StartTls => connector.starttls().port(peer.server.plain_port()),
        Security::Plaintext => connector.plaintext().port(peer.server.plain_port()),
    }
}

/// TLS on the port for clear text and the other way round: it fails in time.
pub(crate) async fn ports(peer: &Peer<'_>) {
    let short = Duration::from_millis(1500);
    let connector = peer.connector().patience(short).config(|config| config.greeting = short);
    let (wrong, is_expected): (_, fn(&Error) -> bool) = match peer.security {
        Security::ImplicitTls => (connector.port(peer.server.plain_port()), |error| {
            matches!(error, Error::Transport(_) | Error::Timeout { phase: Phase::Tls, .. })
        }),
        // The TLS libraries wait for a ClientHello that does not come.
        _ => (connector.port(peer.server.tls_port()), |error| {
            matches!(error, Error::Timeout { phase: Phase::Greeting, .. })
        }),
    };
    let result = wrong.connect().await;
    assert!(result.as_ref().is_err_and(is_expected), "{result:?}");
    peer.done("the wrong port");
}
