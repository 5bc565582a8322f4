//! COMPRESS: the library's own client on a server that has it, and what the server makes of clients that misuse it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use imap_testserver::types::{Capability, MailboxName};
use imap_testserver::{Channel, Fault, Output, Script, Session, TestServer};
use imap_tokio::command::Append;
use imap_tokio::types::{FetchItems, Query, Section, UidSet};
use imap_tokio::{Client, Connector, Credentials, Error, Misuse, Notice};

fn server(script: Script) -> TestServer {
    TestServer::builder().announcing(Capability::CompressDeflate).realistic().script(script).start()
}

async fn connect(server: &TestServer, connector: Connector) -> Client {
    let connector = connector.credentials(Credentials::password("alice", "secret"));
    let (client, driver) = connector.open_over(server.connect()).await.unwrap();
    tokio::spawn(driver);
    client
}

async fn plain(server: &TestServer) -> Client {
    connect(server, Connector::new("localhost").plaintext()).await
}

async fn work(server: &TestServer, client: &Client) {
    assert!(client.view().await.unwrap().is_compressed());
    let stored = server.mailbox("INBOX").messages();
    let inbox = client.select(MailboxName::inbox()).await.unwrap();
    let items = FetchItems::summary().body_structure().section(Section::whole());
    let (fetched, found, named) =
        tokio::join!(inbox.fetch(UidSet::all(), items).collect(), inbox.search(Query::all()), client.noop());
    named.unwrap();
    assert_eq!(found.unwrap().len(), stored.len() as u64);
    for (fetched, stored) in fetched.unwrap().iter().zip(&stored) {
        let section = fetched.section("").unwrap();
        assert_eq!((fetched.uid(), &*section), (stored.uid, &stored.octets[..]));
    }
    let mut watch = inbox.watch();
    while !matches!(watch.try_next().await.unwrap(), Some(Notice::Idling)) {}
    let letter = b"Subject: uploaded\r\n\r\n".repeat(5000);
    let uid = client.append(Append::new("INBOX", letter.clone())).await.unwrap().unwrap().uid;
    let there = server.mailbox("INBOX").messages();
    assert!(there.iter().any(|message| message.uid == uid && message.octets == letter));
}

#[tokio::test]
async fn a_client_compresses_in_the_clear_and_over_tls_whatever_comes_in_pieces() {
    for script in [Script::new(), Script::new().with(Fault::Split(1)), Script::new().with(Fault::Split(7))] {
        let server = server(script);
        let tls = Connector::new("localhost").tls_config(server.client_tls().unwrap()).starttls();
        for connector in [Connector::new("localhost").plaintext(), tls] {
            let client = connect(&server, connector).await;
            // What is called at once waits for the answer, and leaves compressed.
            let (compressed, noop) = tokio::join!(client.compress(), client.noop());
            compressed.unwrap();
            noop.unwrap();
            work(&server, &client).await;
            let again = client.compress().await;
            assert!(matches!(again, Err(Error::Misuse(Misuse::AlreadyCompressed))), "{again:?}");
            client.logout().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_client_that_drops_it_at_any_poll_goes_on() {
    let server = server(Script::new());
    let mut compressed = 0;
    for polls in 0..6 {
        let client = plain(&server).await;
        {
            let mut compress = pin!(client.compress());
            let mut left = polls;
            poll_fn(|cx| {
                if left == 0 || compress.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(());
                }
                left -= 1;
                if left == 0 { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
        client.noop().await.unwrap();
        client.settle().await.unwrap();
        if client.view().await.unwrap().is_compressed() {
            compressed += 1;
            work(&server, &client).await;
        }
        client.logout().await.unwrap();
    }
    assert!(compressed > 0);
}

#[tokio::test]
async fn a_server_without_it_is_not_asked_and_one_that_refuses_is_left_as_it_is() {
    let client = plain(&TestServer::start()).await;
    let refused = client.compress().await;
    assert!(matches!(refused, Err(Error::Unsupported("COMPRESS=DEFLATE"))), "{refused:?}");
    client.logout().await.unwrap();

    let client = plain(&server(Script::new().with(Fault::no("COMPRESS", "[LIMIT] not now")))).await;
    assert!(matches!(client.compress().await, Err(Error::Refused(_))));
    client.noop().await.unwrap();
    client.compress().await.unwrap();
    client.noop().await.unwrap();
    client.logout().await.unwrap();
}

fn said(session: &mut Session, sent: &[u8]) -> String {
    session.receive(sent);
    let outputs = std::iter::from_fn(|| session.next_output());
    let shown = outputs.map(|output| match output {
        Output::Bytes(bytes) => bytes.escape_ascii().to_string(),
        output => format!("<{output:?}>"),
    });
    shown.collect::<Vec<_>>().join("|")
}

#[test]
fn what_is_no_way_to_ask_for_it_is_answered_bad_and_what_is_no_stream_ends_the_session() {
    let server = server(Script::new());
    let mut session = server.session(Channel::Clear);
    said(&mut session, b"");
    for (sent, expected) in
        [("A COMPRESS DEFLATE\r\n", "A BAD Log in first\\r\\n"), ("A COMPRESS\r\n", "A BAD Log in first\\r\\n")]
    {
        assert_eq!(said(&mut session, sent.as_bytes()), expected, "{sent}");
    }
    said(&mut session, b"A LOGIN alice secret\r\n");
    for (sent, expected) in [
        ("B COMPRESS LZMA\r\nC NOOP\r\n", "B BAD Unknown mechanism\\r\\n|C OK Done\\r\\n"),
        ("B COMPRESS DEFLATE now\r\n", "B BAD Too many arguments\\r\\n"),
        // What comes behind it in the clear is nobody's.
        ("B COMPRESS deflate\r\nC NOOP\r\n", "B OK Begin compression\\r\\n"),
    ] {
        assert_eq!(said(&mut session, sent.as_bytes()), expected, "{sent}");
    }
    let end = said(&mut session, b"\x07\x07");
    assert!(end.ends_with("|<Close>"), "{end}");
    assert!(session.is_over());
}
