//! What is done step by step where a server lacks a command, and by servers that are wrong about it.

use imap_tokio::types::{FetchItems, MailboxName, SeqNum, SeqSet, Uid, UidSet};
use imap_tokio::{Connector, Error, Mailbox, Removal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::task::JoinHandle;

/// Greets, selects, and gives each further command the next answer, `$` being its tag. Returns what was asked.
async fn serve(stream: DuplexStream, capabilities: &'static str, answers: &'static [&'static str]) -> Vec<String> {
    let mut stream = BufReader::new(stream);
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n");
    stream.write_all(greeting.as_bytes()).await.expect("the client is there");
    let mut asked = Vec::new();
    for answer in ["* 9 EXISTS\r\n$ OK [READ-WRITE] selected\r\n"].iter().chain(answers) {
        let mut line = String::new();
        if stream.read_line(&mut line).await.expect("the client is there") == 0 {
            break;
        }
        let (tag, command) = line.trim_end().split_once(' ').expect("a tag and a command");
        asked.push(command.to_owned());
        stream.write_all(answer.replace('$', tag).as_bytes()).await.expect("the client is there");
    }
    asked.remove(0);
    asked
}

async fn inbox(capabilities: &'static str, answers: &'static [&'static str]) -> (Mailbox, JoinHandle<Vec<String>>) {
    let (ours, theirs) = duplex(1 << 16);
    let server = tokio::spawn(serve(theirs, capabilities, answers));
    let (client, driver) = Connector::new("test").plaintext().open_over(ours).await.expect("it greets");
    tokio::spawn(driver);
    (client.select(MailboxName::inbox()).await.expect("it selects"), server)
}

fn uids(wire: &str) -> UidSet {
    UidSet::from_wire(wire.as_bytes()).expect("a set")
}

fn archive() -> MailboxName {
    MailboxName::new("Archive").expect("a name")
}

#[tokio::test]
async fn only_what_was_asked_for_and_copied_is_removed() {
    // Each with what is said to be copied, and what is marked and removed.
    for (copied, gone) in [
        ("$ OK [COPYUID 5 1:3 7:9] done\r\n", Some("1:3")),
        ("$ OK done\r\n", Some("1:3")),
        ("$ OK [COPYUID 5 2 7] one is gone\r\n", Some("2")),
        ("$ OK [COPYUID 5 1:4294967295 1:4294967295] all of them\r\n", Some("1:3")),
        ("$ OK [COPYUID 5 40:42 7:9] others\r\n", None),
    ] {
        let search = "* SEARCH 1 2 3\r\n$ OK\r\n";
        let answers = vec![search, copied, "$ OK\r\n", "* 1 EXPUNGE\r\n$ OK\r\n"].leak();
        let (inbox, server) = inbox("UIDPLUS", answers).await;
        let moved = inbox.move_to(uids("1:*"), archive()).await.expect("it is moved");
        assert_eq!(moved.removal, if gone == Some("1:3") { Removal::Removed } else { Removal::Partly });
        drop(inbox);
        let asked = server.await.expect("it ends");
        let mut expected = vec!["UID SEARCH UID 1:*".to_owned(), "UID COPY 1:3 \"Archive\"".to_owned()];
        if let Some(gone) = gone {
            expected.push(format!("UID STORE {gone} +FLAGS.SILENT (\\Deleted)"));
            expected.push(format!("UID EXPUNGE {gone}"));
        }
        assert_eq!(asked, expected, "{copied}");
    }
}

#[tokio::test]
async fn the_last_message_is_found_by_a_fetch_as_some_search_finds_none() {
    // As Courier answers. What is asked for with it is found by the same command.
    for (messages, fetch) in [("*", "FETCH * (UID)"), ("2,*", "FETCH 2,* (UID)")] {
        let answers = &["* 9 FETCH (UID 40)\r\n$ OK\r\n", "$ OK\r\n", "* 9 EXPUNGE\r\n$ OK\r\n"];
        let (inbox, server) = inbox("UIDPLUS", answers).await;
        let last = SeqSet::from_wire(messages.as_bytes()).expect("a set");
        assert_eq!(inbox.delete(last).await.expect("it is removed"), Removal::Removed);
        drop(inbox);
        let asked = server.await.expect("it ends");
        assert_eq!(asked, [fetch, "UID STORE 40 +FLAGS.SILENT (\\Deleted)", "UID EXPUNGE 40"]);
    }
    let (inbox, server) = inbox("UIDPLUS", &["* 9 FETCH (UID 40)\r\n$ OK\r\n"]).await;
    let told = inbox.fetch(UidSet::last_message(), FetchItems::ids()).collect().await.expect("it is told");
    assert_eq!(told.iter().map(|told| told.uid().get()).collect::<Vec<_>>(), [40]);
    drop(inbox);
    assert_eq!(server.await.expect("it ends"), ["UID FETCH * (UID)"]);
}

#[tokio::test]
async fn a_step_that_is_refused_is_the_last() {
    for (answers, steps) in [
        (&["$ NO\r\n"][..], 1),
        (&["* SEARCH 2\r\n$ OK\r\n", "$ NO [OVERQUOTA] full\r\n"], 2),
        (&["* SEARCH 2\r\n$ OK\r\n", "$ OK\r\n", "$ NO read-only\r\n"], 3),
        (&["* SEARCH 2\r\n$ OK\r\n", "$ OK\r\n", "$ OK\r\n", "$ NO no\r\n"], 4),
    ] {
        let (inbox, server) = inbox("UIDPLUS", answers).await;
        let two = SeqSet::from(SeqNum::new(2).expect("a number"));
        let moved = inbox.move_to(two, archive()).await;
        assert!(matches!(moved, Err(Error::Refused(_))), "{moved:?}");
        drop(inbox);
        let asked = server.await.expect("it ends");
        assert_eq!((asked.len(), asked[0].as_str()), (steps, "UID SEARCH 2"));
    }
}

#[tokio::test]
async fn a_mailbox_that_would_lose_messages_is_not_closed() {
    let answers = &["* 9 EXISTS\r\n$ OK [READ-WRITE] whatever\r\n", "$ OK\r\n"];
    let (poor, server) = inbox("", answers).await;
    let left = poor.unselect().await;
    assert!(matches!(left, Err(Error::Unsupported("UNSELECT"))), "{left:?}");
    assert_eq!(server.await.expect("it ends"), ["EXAMINE \"INBOX\""]);
    let (poor, server) = inbox("", &["$ OK [READ-ONLY] examined\r\n", "$ OK\r\n"]).await;
    poor.unselect().await.expect("it is left");
    assert_eq!(server.await.expect("it ends"), ["EXAMINE \"INBOX\"", "CLOSE"]);
}

#[tokio::test]
async fn an_open_set_for_an_answer_is_fetched_as_it_is() {
    let answers = &[
        "* ESEARCH (TAG \"$\") UID ALL 2,5:*\r\n$ OK\r\n",
        "* 1 FETCH (UID 2 FLAGS ())\r\n$ OK\r\n",
        "* 2 FETCH (UID 5 FLAGS ())\r\n* 3 FETCH (UID 8 FLAGS ())\r\n$ OK\r\n",
    ];
    let (inbox, server) = inbox("ESEARCH", answers).await;
    let told = inbox.fetch(UidSet::all(), FetchItems::ids().flags()).collect().await.expect("it is told");
    assert_eq!(
        told.iter().map(|message| message.uid()).collect::<Vec<_>>(),
        [2, 5, 8].map(|uid| Uid::new(uid).expect("a UID"))
    );
    drop(inbox);
    let asked = server.await.expect("it ends");
    assert_eq!(asked, ["UID SEARCH UID 1:*", "UID FETCH 2 (UID FLAGS)", "UID FETCH 5:* (UID FLAGS)"]);
}
