//! The library's own client on the test server.

use std::time::Duration;

use imap_testserver::types::{Flag, MailboxName};
use imap_testserver::{Fault, Greeting, Point, Script, TestServer};
use imap_tokio::command::{Append, MultiAppend};
use imap_tokio::types::{Capability, FetchItems, Query, Section, UidSet};
use imap_tokio::{Client, Connector, Credentials, Error, Notice};

fn connector(server: &TestServer) -> Connector {
    Connector::new("localhost")
        .tls_config(server.client_tls().unwrap())
        .credentials(Credentials::password("alice", "secret"))
}

/// Connects in memory.
async fn open(server: &TestServer, connector: &Connector) -> Result<Client, Error> {
    let (client, driver) = connector.open_over(server.connect()).await?;
    tokio::spawn(driver);
    Ok(client)
}

async fn plain(server: &TestServer) -> Client {
    open(server, &connector(server).plaintext()).await.unwrap()
}

#[tokio::test]
async fn a_realistic_mailbox_is_fetched_whole() {
    let server = TestServer::builder().realistic().start();
    let client = plain(&server).await;
    let inbox = client.select(MailboxName::inbox()).await.unwrap();
    assert_eq!(inbox.exists(), 26);
    let stored = server.mailbox("INBOX").messages();
    let items = FetchItems::summary().body_structure().section(Section::whole());
    let fetched = inbox.fetch(UidSet::all(), items).collect().await.unwrap();
    assert_eq!(fetched.len(), stored.len());
    for (fetched, stored) in fetched.iter().zip(&stored) {
        assert_eq!(fetched.uid(), stored.uid);
        let seen: std::collections::BTreeSet<_> =
            fetched.flags().unwrap().into_iter().filter(|flag| *flag != Flag::Recent).collect();
        assert_eq!(seen, stored.flags);
        assert_eq!(fetched.internal_date(), Some(stored.internal_date));
        assert!(fetched.get().envelope().is_some(), "{}", stored.uid);
        assert!(fetched.get().body_structure().is_some(), "{}", stored.uid);
    }
    client.logout().await.unwrap();
}

#[tokio::test]
async fn connections_are_encrypted_from_the_begin_or_after_starttls() {
    let server = TestServer::builder().tls_required().start();
    server.mailbox("INBOX").deliver("Subject: x\r\n\r\ny");
    let client = open(&server, &connector(&server).starttls()).await.unwrap();
    assert_eq!(client.select(MailboxName::inbox()).await.unwrap().exists(), 1);
    client.logout().await.unwrap();

    let listener = server.listen_tls().await.unwrap();
    let client = connector(&server).address("127.0.0.1").port(listener.port()).connect().await.unwrap();
    assert!(!client.view().await.unwrap().capabilities().has(&Capability::StartTls));
    client.logout().await.unwrap();

    // Nobody logs in without.
    assert!(open(&server, &connector(&server).plaintext()).await.is_err());
}

#[tokio::test]
async fn messages_are_uploaded_and_found() {
    for builder in [TestServer::builder(), TestServer::builder().without(Capability::LiteralPlus)] {
        let server = builder.start();
        let client = plain(&server).await;
        let letter = b"Subject: uploaded\r\n\r\n\xe9\r\n".to_vec();
        let append = Append::new(MailboxName::inbox(), letter.clone()).flags([Flag::Draft]);
        let stored = client.append(append).await.unwrap().expect("the server has UIDPLUS");
        let there = server.mailbox("INBOX").messages();
        assert_eq!((there[0].uid, &there[0].octets), (stored.uid, &letter));
        assert_eq!(there[0].flags, [Flag::Draft].into());
        let inbox = client.select(MailboxName::inbox()).await.unwrap();
        let found = inbox.search(Query::subject("UPLOADED")).await.unwrap();
        assert_eq!(found, UidSet::from(stored.uid));
        client.logout().await.unwrap();
    }
}

#[tokio::test]
async fn several_messages_are_stored_all_or_none() {
    for builder in [TestServer::builder(), TestServer::builder().without(Capability::LiteralPlus)] {
        let server = builder.start();
        let client = plain(&server).await;
        let letters = ["a", "bc", "def"];
        let stored = client.run(MultiAppend::new("INBOX", letters)).await.unwrap();
        assert_eq!(stored.iter().map(|stored| stored.uid.get()).collect::<Vec<_>>(), [1, 2, 3]);
        let there = || server.mailbox("INBOX").messages().into_iter().map(|message| message.octets).collect::<Vec<_>>();
        assert_eq!(there(), letters.map(|letter| letter.as_bytes().to_vec()));
        let refused = client.run(MultiAppend::new("nowhere", letters)).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }
    let server = TestServer::builder().without(Capability::MultiAppend).start();
    let unsupported = plain(&server).await.run(MultiAppend::new("INBOX", ["a"])).await.unwrap_err();
    assert!(matches!(unsupported, Error::Unsupported("MULTIAPPEND")), "{unsupported}");
}

#[tokio::test]
async fn a_watcher_is_told_at_once() {
    let server = TestServer::start();
    let client = plain(&server).await;
    let inbox = client.select(MailboxName::inbox()).await.unwrap();
    let mut watch = inbox.watch();
    while !matches!(watch.try_next().await.unwrap(), Some(Notice::Idling)) {}
    server.mailbox("INBOX").deliver("Subject: new\r\n\r\n");
    let notice = tokio::time::timeout(Duration::from_secs(30), watch.try_next()).await.expect("it is told in time");
    assert!(matches!(notice, Ok(Some(Notice::Response(_)))), "{notice:?}");
    while client.view().await.unwrap().selected().map(|selected| selected.exists) != Some(1) {}
    drop(watch);
    client.logout().await.unwrap();
}

#[tokio::test]
async fn misbehaviour_reaches_the_client() {
    let server = TestServer::start();
    let client = plain(&server).await;
    let script = Script::new()
        .with(Fault::Split(1))
        .with(Fault::Delay(Duration::from_millis(1)))
        .with(Fault::no("SELECT", "[UNAVAILABLE] not now"))
        .with(Fault::Insert(b"* OK [ALERT] beware".to_vec()));
    server.misbehave(script);
    let refused = client.select(MailboxName::inbox()).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert_eq!(client.select(MailboxName::inbox()).await.unwrap().exists(), 0);
    server.misbehave(Script::new().with(Fault::Close(Point::After("NOOP".to_owned()))));
    assert!(client.noop().await.unwrap_err().is_fatal());
    assert_eq!(server.faults_left(), 0);
}

#[tokio::test]
async fn greetings_of_all_kinds() {
    let server = TestServer::builder().greeting(Greeting::PreAuth("alice".to_owned())).start();
    let client = open(&server, &Connector::new("localhost").plaintext()).await.unwrap();
    client.select(MailboxName::inbox()).await.unwrap();
    client.logout().await.unwrap();
    let server = TestServer::builder().greeting(Greeting::Bye("too many".to_owned())).start();
    assert!(open(&server, &connector(&server).plaintext()).await.is_err());
    let server = TestServer::builder().script(Script::new().with(Fault::Close(Point::Greeting))).start();
    assert!(open(&server, &connector(&server).plaintext()).await.is_err());
    // Only the first was turned away.
    plain(&server).await.logout().await.unwrap();
}
