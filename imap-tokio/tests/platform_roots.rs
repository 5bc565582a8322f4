//! Certificates judged as the operating system does.

use std::process::Command;

use imap_testserver::TestServer;
use imap_tokio::{Connector, Credentials, Error};

/// The port of the server to connect to, in a process that trusts its root.
const PORT: &str = "IMAP_PLATFORM_ROOTS_PORT";

fn connector(port: u16) -> Connector {
    let login = Credentials::password("alice", "secret");
    Connector::new("localhost").address("127.0.0.1").port(port).platform_roots().credentials(login)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_is_trusted_where_the_system_trusts_it_and_nowhere_else() {
    if let Ok(port) = std::env::var(PORT) {
        let client = connector(port.parse().expect("a port")).connect().await.expect("the root is trusted");
        return client.logout().await.expect("a good end");
    }
    let server = TestServer::builder().user("alice", "secret").start();
    let listener = server.listen_tls().await.expect("a port");
    let refused = connector(listener.port()).connect().await;
    assert!(matches!(refused, Err(Error::Transport(_))), "{refused:?}");

    // Where the system's roots are is said by the environment, which a process does not change under itself.
    let roots = std::env::temp_dir().join(format!("imap-platform-roots-{}.pem", std::process::id()));
    std::fs::write(&roots, server.ca_pem().expect("a root")).expect("it is written");
    let mut again = Command::new(std::env::current_exe().expect("this test is a program"));
    again.env(PORT, listener.port().to_string()).env("SSL_CERT_FILE", &roots).env_remove("SSL_CERT_DIR");
    let output = tokio::task::spawn_blocking(move || again.output()).await.expect("no panic").expect("it runs");
    std::fs::remove_file(&roots).expect("it is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
