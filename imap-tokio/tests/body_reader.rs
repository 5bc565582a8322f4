//! A body as a reader, from a server that says what the test has it say.

use std::error::Error as _;

use imap_tokio::types::{MailboxName, Section, Uid};
use imap_tokio::{BodyReader, Connector, Error, Mailbox};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

/// Greets, selects, and gives each further command the next answer, `$` being its tag; then it closes.
async fn serve(stream: DuplexStream, answers: &[&str]) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n").await.expect("the client is there");
    for answer in ["* 1 EXISTS\r\n$ OK [READ-WRITE] selected\r\n"].iter().chain(answers) {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("the client is there");
        let tag = line.split(' ').next().expect("a tag");
        let answer = answer.replace('$', tag);
        stream.write_all(answer.as_bytes()).await.expect("the client is there");
    }
}

async fn reader(answers: &'static [&'static str]) -> (Mailbox, BodyReader) {
    let (ours, theirs) = duplex(1 << 16);
    tokio::spawn(serve(theirs, answers));
    let (client, driver) = Connector::new("test").plaintext().open_over(ours).await.expect("it greets");
    tokio::spawn(driver);
    let inbox = client.select(MailboxName::inbox()).await.expect("it selects");
    let body = inbox.body(Uid::MIN, Section::whole()).piece(6);
    (inbox, body.into())
}

#[tokio::test]
async fn octets_are_read_in_any_amount_over_all_pieces() {
    const ANSWERS: &[&str] = &[
        "* 1 FETCH (UID 1 BODY[]<0> \"Hello \")\r\n$ OK\r\n",
        "* 1 FETCH (UID 1 BODY[]<6> {6}\r\nworld,)\r\n$ OK\r\n",
        "* 1 FETCH (UID 1 BODY[]<12> \" ok\")\r\n$ OK\r\n",
        "* 1 FETCH (UID 1 BODY[]<18> \"\")\r\n$ OK\r\n",
    ];
    let (_inbox, mut reader) = reader(ANSWERS).await;
    assert!(!reader.existed());
    assert_eq!(reader.read(&mut []).await.expect("nothing is asked for"), 0);
    let mut start = [0; 4];
    reader.read_exact(&mut start).await.expect("it is there");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).await.expect("it comes to its end");
    assert_eq!((&start, rest.as_str()), (b"Hell", "o world, ok"));
    assert!(reader.existed());
    assert_eq!(reader.read(&mut start).await.expect("the end stays the end"), 0);
}

#[tokio::test]
async fn what_is_cut_short_never_looks_complete() {
    const ANSWERS: &[&str] = &["* 1 FETCH (UID 1 BODY[]<0> \"Hello \")\r\n$ OK\r\n", "* BYE shutting down\r\n"];
    let (_inbox, mut reader) = reader(ANSWERS).await;
    let mut octets = Vec::new();
    for _ in 0..2 {
        let error = reader.read_to_end(&mut octets).await.expect_err("the rest is missing");
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
        assert!(matches!(cause, Some(Error::Bye { text, .. }) if text == "shutting down"), "{error:?}");
        assert!(error.to_string().contains("shutting down") && error.source().is_none());
    }
    assert_eq!(octets, b"Hello ");
}

#[tokio::test]
async fn a_refusal_is_told_and_a_message_that_is_gone_is_empty() {
    let (_inbox, mut refused) = reader(&["$ NO [UNAVAILABLE] later\r\n"]).await;
    let error = refused.read_to_end(&mut Vec::new()).await.expect_err("it is refused");
    assert!(error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()).is_some_and(|cause| !cause.is_fatal()));
    let (_inbox, mut gone) = reader(&["$ OK nothing\r\n"]).await;
    assert_eq!(gone.read_to_end(&mut Vec::new()).await.expect("there is nothing"), 0);
    assert!(!gone.existed());
}

#[tokio::test]
async fn a_message_expunged_between_two_pieces_never_looks_complete() {
    const ANSWERS: &[&str] = &[
        "* 1 FETCH (UID 1 BODY[]<0> \"Hello \")\r\n$ OK\r\n",
        // So does Dovecot 2.3.19 for what another connection has removed.
        "* 1 FETCH (UID 1 BODY[]<6> NIL)\r\n$ OK [EXPUNGEISSUED] Some messages were already expunged.\r\n",
        "* 1 FETCH (UID 1 BODY[]<12> NIL)\r\n$ OK [EXPUNGEISSUED] Some messages were already expunged.\r\n",
    ];
    let (_inbox, mut reader) = reader(ANSWERS).await;
    let error = reader.read_to_end(&mut Vec::new()).await.expect_err("the rest is missing");
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    assert!(matches!(cause, Some(Error::Gone)), "{error:?}");
}
