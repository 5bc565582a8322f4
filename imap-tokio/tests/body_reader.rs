//! A body as a reader, from a server that says what the test has it say.

use std::error::Error as _;

use imap_tokio::types::{MailboxName, Section, Uid};
use imap_tokio::{BodyReader, Connector, Error, Mailbox};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

/// Greets, selects, and gives each further command the next answer, `$` being its tag; then it closes.
async fn serve(stream: DuplexStream, answers: &[impl AsRef<str>]) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n").await.expect("the client is there");
    say(&mut stream, "* 1 EXISTS\r\n$ OK [READ-WRITE] selected\r\n").await;
    for answer in answers {
        say(&mut stream, answer.as_ref()).await;
    }
}

async fn say(stream: &mut BufReader<DuplexStream>, answer: &str) {
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("the client is there");
    let tag = line.split(' ').next().expect("a tag");
    stream.write_all(answer.replace('$', tag).as_bytes()).await.expect("the client is there");
}

async fn reader<A: AsRef<str> + Send + Sync + 'static>(answers: Vec<A>) -> (Mailbox, BodyReader) {
    let (ours, theirs) = duplex(1 << 16);
    tokio::spawn(async move { serve(theirs, &answers).await });
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
    let (_inbox, mut reader) = reader(ANSWERS.to_vec()).await;
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
    let (_inbox, mut reader) = reader(ANSWERS.to_vec()).await;
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
    let (_inbox, mut refused) = reader(vec!["$ NO [UNAVAILABLE] later\r\n"]).await;
    let error = refused.read_to_end(&mut Vec::new()).await.expect_err("it is refused");
    assert!(error.get_ref().and_then(|cause| cause.downcast_ref::<Error>()).is_some_and(|cause| !cause.is_fatal()));
    let (_inbox, mut gone) = reader(vec!["$ OK nothing\r\n"]).await;
    assert_eq!(gone.read_to_end(&mut Vec::new()).await.expect("there is nothing"), 0);
    assert!(!gone.existed());
}

/// What the pieces of "Hello " and what follows are answered with, and how it ends: with what octets, or as gone.
const ENDS: &[(&[&str], Option<&str>)] = &[
    // The octets end with the piece, and behind the end comes an empty string, NIL, or nothing.
    (&["<6> \"\"", "<12> \"\""], Some("Hello ")),
    (&["<6> \"\"", "<12> NIL"], Some("Hello ")),
    (&["<6> NIL", "<12> NIL", "<5> \" \""], Some("Hello ")),
    (&["", "", "<5> {1}\r\n "], Some("Hello ")),
    (&["<6> \"world!\"", "<12> NIL", "<18> NIL", "<11> \"!\""], Some("Hello world!")),
    // Dovecot 2.3.19 says NIL of what another connection has removed, others nothing.
    (&["<6> NIL", "<12> NIL", "<5> NIL"], None),
    (&["", "", ""], None),
    (&["<6> NIL", "<12> NIL", "<5> \"\""], None),
    (&["<6> \"world!\"", "", "", ""], None),
    // A hole.
    (&["<6> \"wor\"", "<12> \"\""], Some("Hello wor")),
    (&["<6> \"wor\"", "<12> \"and\""], None),
    (&["<6> NIL", "<12> \"and\"", "<5> \" \""], None),
];

#[tokio::test]
async fn a_body_is_whole_or_its_message_is_gone() {
    for (answers, whole) in ENDS {
        let fetched = |answer: &&str| match *answer {
            "" => "$ OK\r\n".to_owned(),
            data => format!("* 1 FETCH (UID 1 BODY[]{data})\r\n$ OK\r\n"),
        };
        let script: Vec<_> = [&"<0> \"Hello \""].into_iter().chain(*answers).map(fetched).collect();
        let (_inbox, mut reader) = reader(script).await;
        let mut octets = Vec::new();
        match (reader.read_to_end(&mut octets).await, whole) {
            (Ok(_), Some(whole)) => assert_eq!(octets, whole.as_bytes(), "{answers:?}"),
            (Err(error), None) => {
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
                assert!(matches!(cause, Some(Error::Gone)), "{answers:?}: {error:?}");
            }
            (ended, _) => panic!("{answers:?}: {ended:?}"),
        }
    }
}
