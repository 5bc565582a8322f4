use imap_tests::servers::{Dovecot, Server};
use imap_tokio::command::Append;
use imap_tokio::{Client, Connector, Credentials};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::time::Instant;

use super::{client, finish, runtime};
use crate::options::Sizes;
use crate::record::Record;

/// The same with a real server, whose own look for changes comes every two seconds.
pub(super) fn told(sizes: &Sizes) -> Option<Record> {
    if sizes.dovecot == 0 {
        return None;
    }
    raise_open_files();
    let server = Dovecot::start_for_many()?;
    let work = format!("{} in IDLE, Dovecot", sizes.dovecot);
    Some(runtime().block_on(async {
        let began = Instant::now();
        let mut crowd = client::Crowd::default();
        for _ in 0..sizes.dovecot {
            crowd.join(connect(&server).await).await;
        }
        crowd.all_idle().await;
        let setting_up = began.elapsed();
        let other = connect(&server).await;
        let began = Instant::now();
        other.append(Append::new("INBOX", "Subject: news\r\n\r\nyes\r\n")).await.expect("it is stored");
        crowd.all_told(1).await;
        finish(work, setting_up, began.elapsed(), sizes.seconds).await
    }))
}

async fn connect(server: &Dovecot) -> Client {
    let connector = Connector::new("localhost").address("127.0.0.1").port(server.plain_port()).plaintext();
    // SCRAM takes both ends milliseconds of hashing for each login, which is not what is measured.
    let credentials = Credentials::password("alice", Dovecot::PASSWORD).allow(["PLAIN"]);
    let connector = connector.credentials(credentials);
    connector.connect().await.expect("Dovecot lets us in")
}

/// As many as may be: each connection is one here and one there, and Dovecot inherits what is allowed.
fn raise_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
