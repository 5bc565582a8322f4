//! Serves a mailbox on loopback ports, so that any client can be tried on it: `cargo run -p imap-testserver --example serve`.
//!
//! Prints the ports and where the certificate of its authority is. Ends with Ctrl-C.

use std::error::Error;

use imap_testserver::TestServer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = TestServer::builder().user("alice", "secret").realistic().start();
    let (plain, tls) = (server.listen_plain().await?, server.listen_tls().await?);
    let ca = std::env::temp_dir().join(format!("imap-testserver-{}.pem", std::process::id()));
    std::fs::write(&ca, server.ca_pem()?)?;

    println!("user alice, password secret");
    println!("plain and STARTTLS  imap://{}", plain.address());
    println!("TLS                 imaps://localhost:{}", tls.port());
    println!("authority           {}", ca.display());
    println!("try                 curl --cacert {} --user alice:secret imaps://localhost:{}", ca.display(), tls.port());

    tokio::signal::ctrl_c().await?;
    std::fs::remove_file(&ca)?;
    Ok(())
}
