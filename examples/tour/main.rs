//! What the library does, shown in a minute.
//!
//! ```text
//! tour                                       on a server of its own, in this process, over TLS
//! tour imaps://alice@imap.example.org        the part that changes nothing, on a real account
//! ```
//!
//! For a real account the password comes from `IMAP_PASSWORD` or is asked for; `--ca FILE` trusts another root, in PEM.

mod folders;
mod messages;
mod uploads;
mod watching;

use std::process::ExitCode;

use imap_examples::{Fallible, connector, take_option};
use imap_testserver::TestServer;
use imap_tokio::{Client, Connector, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let ca = take_option(&mut arguments, "--ca")?;
    match &arguments[..] {
        [] => on_a_server_of_its_own().await,
        [url] => {
            let client = connector(url, ca.as_deref())?.connect().await?;
            look_around(&client).await?;
            Ok(client.logout().await?)
        }
        _ => Err("usage: tour [--ca FILE] [imaps://user@host[:port]]".into()),
    }
}

/// Changes nothing, whatever the account.
async fn look_around(client: &Client) -> Fallible<()> {
    folders::show(client).await?;
    let inbox = client.examine("INBOX").await?;
    let newest = messages::show(&inbox).await?;
    messages::search(&inbox).await?;
    if let Some(newest) = newest {
        messages::read(&inbox, newest).await?;
    }
    Ok(())
}

async fn on_a_server_of_its_own() -> Fallible<()> {
    let server = TestServer::builder().user("alice", "secret").realistic().start();
    let port = server.listen_tls().await?;
    let connector = Connector::new("localhost")
        .address("127.0.0.1")
        .port(port.port())
        .tls_config(server.client_tls()?)
        .credentials(Credentials::password("alice", "secret"));
    let client = connector.connect().await?;
    heading(&format!("Connected to {} over TLS", port.address()));

    look_around(&client).await?;
    uploads::with_progress(&client).await?;
    uploads::interrupted(&client, &server).await?;
    watching::one_arrives(&client, &connector).await?;

    client.logout().await?;
    heading("Logged out");
    Ok(())
}

fn heading(text: &str) {
    println!("\n== {text}\n");
}
