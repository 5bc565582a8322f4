use imap_tokio::command::List;
use imap_tokio::types::{FetchItems, MailboxName, Section, SeqSet, Uid, UidSet};
use imap_tokio::{Connector, Credentials};

use super::{Login, Work};

/// Whether messages are asked for by UIDs, in windows, or by sequence numbers, in one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    ByUid,
    ByNumber,
}

pub(super) async fn run(work: Work, login: &Login<'_>, naming: Naming) -> u64 {
    let connector = Connector::new("localhost").address("127.0.0.1").port(login.port).plaintext();
    let connector = connector.credentials(Credentials::password(login.user, login.password));
    let client = connector.connect().await.expect("it lets us in");
    let count = match work {
        Work::List => client.list(List::all()).await.expect("a listing").len() as u64,
        Work::Body => {
            let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
            let mut body = inbox.body(Uid::MIN, Section::whole());
            let mut octets = 0;
            while let Some(piece) = body.try_next().await.expect("it comes to its end") {
                octets += piece.len() as u64;
            }
            octets
        }
        Work::A | Work::B => {
            let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
            let items = FetchItems::summary();
            let items = if work == Work::B { items.body_structure() } else { items };
            let mut messages = match naming {
                Naming::ByUid => inbox.fetch(UidSet::all(), items),
                Naming::ByNumber => inbox.fetch(SeqSet::all(), items),
            };
            let mut count = 0;
            while let Some(message) = messages.try_next().await.expect("it comes to its end") {
                let fetch = message.get();
                let is_whole = fetch.envelope().is_some_and(|envelope| envelope.subject().is_some());
                assert!(is_whole && (work == Work::A || fetch.body_structure().is_some()));
                count += 1;
            }
            count
        }
    };
    client.logout().await.expect("a good end");
    count
}
