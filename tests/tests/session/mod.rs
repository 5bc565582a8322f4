//! Connectors to the servers of the rigs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use imap_proto_core::connect;
use imap_tests::servers::{PASSWORD, Server};
use imap_tokio::rustls::{ClientConfig, RootCertStore, crypto::ring};
use imap_tokio::{Connector, Credentials, Security};

/// How long one step of a test may take on a busy machine before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Connects to the rig's server in that way, as one of its users.
pub(crate) fn connector(server: &dyn Server, security: Security, user: &str) -> Connector {
    connector_on(server, security, user)
}

/// The same on any runtime.
pub(crate) fn connector_on<R: Default>(server: &dyn Server, security: Security, user: &str) -> connect::Connector<R> {
    unauthenticated(server, security).credentials(Credentials::password(user, PASSWORD))
}

/// The same without logging in.
pub(crate) fn unauthenticated<R: Default>(server: &dyn Server, security: Security) -> connect::Connector<R> {
    let connector = connect::Connector::new("localhost").address("127.0.0.1").tls_config(trusting(server.ca_der()));
    match security {
        Security::ImplicitTls => connector.port(server.tls_port()),
        Security::StartTls => connector.starttls().port(server.plain_port()),
        Security::Plaintext => connector.plaintext().port(server.plain_port()),
    }
}

/// A TLS configuration that knows one root and no other.
pub(crate) fn trusting(root: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root.to_vec().into()).expect("a root of our own making");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// Makes mailboxes without the client, which is what is to be tested.
pub(crate) fn create_mailboxes(server: &dyn Server, user: &str, names: &[&str]) {
    let stream = TcpStream::connect(("127.0.0.1", server.plain_port())).expect("the server listens");
    let mut reader = BufReader::new(stream);
    let login = format!("LOGIN {user} {}", PASSWORD);
    let creates = names.iter().map(|name| format!("CREATE {name}"));
    for command in std::iter::once(login).chain(creates) {
        reader.get_mut().write_all(format!("x {command}\r\n").as_bytes()).expect("the connection is open");
        let mut line = String::new();
        while !line.starts_with("x ") {
            line.clear();
            assert!(reader.read_line(&mut line).expect("the connection is open") > 0, "closed after {command}");
        }
        assert!(line.starts_with("x OK "), "{command}: {line}");
    }
}
