use async_imap::Client;
use futures_util::TryStreamExt;
use tokio::net::TcpStream;

use super::{Login, Work};

pub(super) async fn run(work: Work, login: &Login<'_>) -> u64 {
    let stream = TcpStream::connect(("127.0.0.1", login.port)).await.expect("Dovecot listens");
    let mut client = Client::new(stream);
    client.read_response().await.expect("no error").expect("a greeting");
    let session = client.login(login.user, login.password).await;
    let mut session = session.map_err(|(error, _)| error).expect("it lets us in");
    let mut count = 0;
    if work == Work::List {
        let mut names = session.list(None, Some("*")).await.expect("it is sent");
        while names.try_next().await.expect("it comes to its end").is_some() {
            count += 1;
        }
    } else {
        session.examine("INBOX").await.expect("an INBOX");
        let items = match work {
            Work::A => "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
            Work::B => "(FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)",
            _ => "(BODY.PEEK[])",
        };
        let mut messages = session.uid_fetch("1:*", items).await.expect("it is sent");
        while let Some(message) = messages.try_next().await.expect("it comes to its end") {
            if work == Work::Body {
                count += message.body().map_or(0, <[u8]>::len) as u64;
                continue;
            }
            assert!(message.envelope().is_some_and(|envelope| envelope.subject.is_some()));
            assert!(work == Work::A || message.bodystructure().is_some());
            count += 1;
        }
    }
    session.logout().await.expect("a good end");
    count
}
