//! What is watched for, what takes too long, and how connections end.

use std::time::Duration;

use imap_proto_core::client::{Client, Notice};
use imap_proto_core::command::{Append, Idle, List};
use imap_proto_core::connect::Spawn;
use imap_proto_core::types::{FetchItems, Query, Section, UidSet};
use imap_proto_core::wire::grammar::Unsolicited;
use imap_proto_core::{Closed, Error, Fate, Phase};
use imap_tests::mailbox::message;
use imap_tests::words::uid;
use imap_testserver::TestServer;

use crate::harness::{Harness, begun};
use crate::pipe::{Cut, Pipe};
use crate::site::Site;
use crate::tls_server::{Authority, Leaves, say_and_leave};

pub(crate) async fn watching<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin([]).await;
    let other = site.connect().await;
    let mut watch = mailbox.watch();
    while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Idling)) {}
    for count in 1..=3 {
        client.noop().await.expect("IDLE gives way");
        other.append(Append::new(site.mailbox(), message(count.into()))).await.expect("it is stored");
        loop {
            let notice = watch.try_next().await.expect("it watches").expect("it goes on");
            if notice.unsolicited() == Some(Unsolicited::Exists(count)) {
                break;
            }
        }
        assert_eq!(mailbox.search(Query::all()).await.expect("IDLE gives way").len(), u64::from(count));
    }
    drop(watch);
    client.settle().await.expect("IDLE ends");
    other.logout().await.expect("it says goodbye");
    site.end(client).await;
}

pub(crate) async fn dropping<H: Harness>(site: Site<H>) {
    let (client, mailbox) = site.begin((0..30).map(message)).await;
    for round in 0..20 {
        let mut all = mailbox.fetch(UidSet::all(), FetchItems::summary().section(Section::whole()));
        for _ in 0..round % 4 {
            all.try_next().await.expect("it is told");
        }
        drop(all);
        let mut search = mailbox.search(Query::all());
        // On another thread the driver may be that fast.
        if begun(&mut search).await.is_pending() {
            let fate = search.cancel().await;
            assert!(matches!(fate, Fate::NotSent | Fate::Cancelled | Fate::Completed(_)), "{fate:?}");
        }
        let whole = mailbox.body(uid(1 + round), Section::whole()).collect(1 << 20).await.expect("it is read");
        assert_eq!(whole, Some(message(round.into())));
    }
    site.end(client).await;
}

pub(crate) async fn times<H: Harness>(site: Site<H>) {
    const SHORT: Duration = Duration::from_millis(60);
    let (client, mailbox) = site.begin([message(1)]).await;
    // IDLE has no end of its own.
    let late = client.run(Idle).within(SHORT).await;
    assert!(matches!(late, Err(Error::Timeout { phase: Phase::Operation, .. })), "{late:?}");
    assert_eq!(mailbox.search(Query::all()).await.expect("the connection is good").len(), 1);
    let connector = site.connector().config(|config| config.greeting = Duration::ZERO);
    let late = site.connect_by(connector).await.expect_err("nobody is that fast");
    assert!(matches!(late, Error::Timeout { phase: Phase::Greeting, .. }) && late.is_fatal(), "{late:?}");
    site.end(client).await;
}

async fn over<H: Harness>(harness: H, pipe: &Pipe) -> Client {
    let login = imap_proto_core::Credentials::password("alice", "secret");
    let connector = harness.connector("localhost").plaintext().credentials(login);
    let (client, driver) = connector.open_over(pipe.clone()).await.expect("the server lets us in");
    H::Runtime::default().spawn(driver);
    client
}

/// Everything that waits ends with the cause, and so does every later call.
pub(crate) async fn a_server_goes_away<H: Harness>(harness: H) {
    let server = TestServer::start();
    server.mailbox("INBOX").deliver(message(1));
    for how in [Cut::End, Cut::Reset] {
        let pipe = Pipe::to(&server);
        let client = over(harness, &pipe).await;
        let inbox = client.select("INBOX").await.expect("an INBOX");
        pipe.silence();
        let mut tasks = Vec::new();
        for _ in 0..3 {
            let (client, inbox) = (client.clone(), inbox.clone());
            tasks.push(harness.spawn(async move {
                let told = client.noop().await;
                (told, inbox.body(uid(1), Section::whole()).collect(1).await.map(drop))
            }));
        }
        let mut waiting = client.noop();
        assert!(begun(&mut waiting).await.is_pending());
        pipe.cut(how);
        let is_cause = |told: &Result<(), Error>| match how {
            Cut::End => matches!(told, Err(Error::Closed(Closed::EndOfStream))),
            Cut::Reset => matches!(told, Err(Error::Transport(_))),
        };
        let told = harness.soon(waiting).await;
        assert!(is_cause(&told), "{how:?}: {told:?}");
        for task in tasks {
            let (told, late) = harness.soon(task).await;
            assert!(is_cause(&told) && is_cause(&late), "{how:?}: {told:?} {late:?}");
        }
        let late = harness.soon(client.noop()).await;
        assert!(is_cause(&late), "{how:?}: {late:?}");
    }
}

/// The spawned driver ends with the last handle, and closes the stream.
pub(crate) async fn handles_are_dropped<H: Harness>(harness: H) {
    let pipe = Pipe::to(&TestServer::start());
    let client = over(harness, &pipe).await;
    let inbox = client.select("INBOX").await.expect("an INBOX");
    drop(client);
    assert!(!pipe.is_closed());
    inbox.search(Query::all()).await.expect("a mailbox is a handle as well");
    drop(inbox);
    harness
        .soon(async {
            while !pipe.is_closed() {
                harness.sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    assert!(pipe.is_shut(), "TLS would have been ended by it");
}

/// Limits of time on a server that says nothing.
pub(crate) async fn a_server_is_silent<H: Harness>(harness: H) {
    const SHORT: Duration = Duration::from_millis(60);
    let server = TestServer::start();
    let mute = Pipe::to(&server);
    mute.silence();
    let connector = harness.connector("localhost").plaintext().config(|config| config.greeting = SHORT);
    let late = harness.soon(connector.open_over(mute)).await.err().expect("it does not greet");
    assert!(matches!(late, Error::Timeout { phase: Phase::Greeting, .. }), "{late:?}");

    let mute = Pipe::to(&server);
    mute.silence();
    let connector = harness.connector("localhost").tls_within(SHORT);
    let late = harness.soon(connector.open_over(mute)).await.err().expect("it does not speak TLS");
    assert!(matches!(late, Error::Unreachable { phase: Phase::Tls, .. }), "{late:?}");

    let pipe = Pipe::to(&server);
    let connector = harness.connector("localhost").plaintext().config(|config| config.progress = SHORT);
    let login = imap_proto_core::Credentials::password("alice", "secret");
    let (client, driver) = connector.credentials(login).open_over(pipe.clone()).await.expect("it lets us in");
    H::Runtime::default().spawn(driver);
    pipe.silence();
    let late = harness.soon(client.noop()).await;
    assert!(matches!(late, Err(Error::Timeout { phase: Phase::Command, .. })), "{late:?}");
}

/// What TLS was cut off in is no end of an answer; what ended before is told, and LOGOUT needs no more than its OK.
pub(crate) async fn tls_is_cut_off<H: Harness>(harness: H) {
    let ours = Authority::new("ours");
    let identity = ours.issue(&["localhost"], |_| {});
    let connect = async |words, leaves| {
        let address = say_and_leave(&identity, words, leaves);
        let connector = harness.connector("localhost").address(address.ip().to_string()).port(address.port());
        connector.root(ours.root.clone()).connect().await.expect("it is let in")
    };
    for leaves in [Leaves::Truncated, Leaves::Properly] {
        for words in [
            "",
            "* OK hal",
            "* 1 EXISTS\r",
            "* LIST () \"/\" a\r\n* LIST () \"/\" {7}\r\nhal",
            "* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n",
            "* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n@",
            "* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n@ OK don",
            "* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n@ OK done\r",
        ] {
            let client = connect(words, leaves).await;
            let error = client.list(List::all()).await.expect_err(words);
            assert!(matches!(error, Error::Closed(Closed::EndOfStream)), "{leaves:?} {words:?}: {error:?}");
            // Whatever is asked later has the same end at once.
            client.noop().await.expect_err("it is over");
        }
        let client = connect("* BYE [UNAVAILABLE] later\r\n", leaves).await;
        let error = client.list(List::all()).await.expect_err("it has said goodbye");
        assert!(matches!(error, Error::Bye { .. }), "{leaves:?}: {error:?}");
        let client = connect("* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n@ OK done\r\n", leaves).await;
        assert_eq!(client.list(List::all()).await.expect("its answer is whole").len(), 2, "{leaves:?}");
        client.noop().await.expect_err("it is over");
        for words in ["* BYE later\r\n@ OK done\r\n", "@ OK done\r\n"] {
            connect(words, leaves).await.logout().await.expect("it says goodbye");
        }
    }
}
