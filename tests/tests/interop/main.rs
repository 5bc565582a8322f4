//! The adapter and real servers: what a mail program does, over every way to secure the stream.
//!
//! Each test is one operation, done [`everywhere`]. A server that is not installed is left out, and said so.

#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use imap_tests::mailbox::{big_message, message};
use imap_tests::servers::{Courier, Cyrus, Dovecot, PASSWORD, Server};
use imap_tokio::command::{Append, Message};
use imap_tokio::types::{Capability, Code, DateTime, FetchItems, Flag, MailboxName, Query, Section, Uid, UidSet};
use imap_tokio::{
    Client, Connector, Credentials, Error, LiteralPolicy, Mailbox, Notice, Phase, Security, SourceFailure, read_from,
};
use session::{PATIENCE, connector, trusting, unauthenticated};
use tokio::io::AsyncReadExt;

/// One way to one server, and a user of it whom no other way of the same test uses: the mailboxes are empty.
struct Peer<'a> {
    server: &'a dyn Server,
    security: Security,
    user: &'static str,
}

impl Peer<'_> {
    fn connector(&self) -> Connector {
        connector(self.server, self.security, self.user)
    }

    async fn connect(&self) -> Client {
        self.connector().connect().await.expect("the server lets us in")
    }

    /// Stores messages of its own before the test begins.
    async fn fill(&self, messages: impl IntoIterator<Item = Vec<u8>>) {
        let client = self.connect().await;
        for octets in messages {
            client.append(Append::new(MailboxName::inbox(), octets)).await.expect("it is stored");
        }
        client.logout().await.expect("it says goodbye");
    }
}

/// Does one operation on all servers that are there: over TLS, and on Dovecot over all there is.
fn everywhere(operation: impl AsyncFn(&Peer<'_>)) {
    const TLS: &[Security] = &[Security::ImplicitTls];
    const ALL: &[Security] = &[Security::ImplicitTls, Security::StartTls, Security::Plaintext];
    type Start = fn() -> Option<Box<dyn Server>>;
    fn boxed<S: Server + 'static>(server: S) -> Box<dyn Server> {
        Box::new(server)
    }
    let starts: [(Start, &[Security]); 3] = [
        (|| Dovecot::start().map(boxed), ALL),
        (|| Cyrus::start().map(boxed), TLS),
        (|| Courier::start().map(boxed), TLS),
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build();
    let runtime = runtime.expect("a runtime");
    for (start, ways) in starts {
        let Some(server) = start() else { continue };
        for (security, user) in ways.iter().zip(["alice", "bob", "carol"]) {
            // Shown when the test fails.
            println!("{} over {security:?}", server.name());
            let peer = Peer { server: &*server, security: *security, user };
            let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, operation(&peer)).await });
            assert!(outcome.is_ok(), "it hangs; the log says: {}", server.log());
        }
    }
}

async fn body_of(mailbox: &Mailbox, uid: Uid) -> Option<Vec<u8>> {
    let (mut body, mut octets) = (mailbox.body(uid, Section::whole()), Vec::new());
    while let Some(more) = body.try_next().await.expect("it comes to its end") {
        octets.extend_from_slice(&more);
    }
    body.existed().then_some(octets)
}

/// The subject as an ENVELOPE has it: unfolded.
fn subject_of(message: &[u8]) -> String {
    let text = String::from_utf8_lossy(message);
    let (_, rest) = text.split_once("\r\nSubject: ").expect("messages have a subject");
    rest.split_once("\r\nDate: ").expect("and a date behind it").0.replace("\r\n ", " ")
}

#[test]
fn summaries_are_listed_once_each_and_as_they_are() {
    const COUNT: u32 = 300;
    everywhere(async |peer| {
        peer.fill((0..u64::from(COUNT)).map(message)).await;
        let client = peer.connect().await;
        assert!(client.capabilities().await.expect("it tells").has(&Capability::Idle));
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        assert_eq!((inbox.exists(), inbox.name().is_inbox()), (COUNT, true));
        let found = inbox.search(Query::all()).await.expect("it searches");
        assert_eq!(found.to_string(), format!("1:{COUNT}"));
        assert_eq!(inbox.search(Query::uid(UidSet::from(Uid::MAX))).await.expect("it searches").len(), 0);
        let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
        let mut times: BTreeMap<Uid, u32> = BTreeMap::new();
        while let Some(told) = messages.try_next().await.expect("the stream comes to its end") {
            *times.entry(told.uid()).or_default() += 1;
            let expected = message(u64::from(u32::from(told.uid())) - 1);
            assert_eq!(told.get().size(), Some(expected.len() as u64));
            let subject = told.get().envelope().and_then(|envelope| envelope.subject());
            assert_eq!(subject.map(|text| text.to_str().into_owned()), Some(subject_of(&expected)));
            assert_eq!(told.uid_validity(), inbox.uid_validity());
        }
        assert_eq!(times.len(), COUNT as usize);
        assert!(times.values().all(|times| *times == 1));
        client.settle().await.expect("nothing is left");
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn bodies_come_octet_by_octet_whatever_their_size() {
    let small = b"Subject: small\r\n\r\n".iter().copied().chain([b'x'; 180]).chain(*b"\r\n").collect::<Vec<u8>>();
    assert_eq!(small.len(), 200);
    let messages = [big_message(5_000_000), small, big_message(256 << 10), big_message((256 << 10) + 1)];
    everywhere(async |peer| {
        peer.fill(messages.clone()).await;
        let client = peer.connect().await;
        let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
        for (uid, message) in (1..).zip(&messages) {
            let octets = body_of(&inbox, Uid::new(uid).expect("a UID")).await;
            assert!(octets.as_ref() == Some(message), "{uid} is not what it was");
        }
        assert_eq!(body_of(&inbox, Uid::MAX).await, None);
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn a_stored_message_is_fetched_back_with_its_flags_and_date() {
    let date = DateTime::from_unix_timestamp(1_600_000_000).expect("a date");
    let flags = [Flag::Seen, Flag::Flagged, Flag::keyword("rig").expect("a keyword")];
    everywhere(async |peer| {
        for literals in [LiteralPolicy::AsAdvertised, LiteralPolicy::Synchronizing] {
            let connector = peer.connector().config(|config| config.literals = literals);
            let client = connector.connect().await.expect("the server lets us in");
            for octets in [message(7), big_message(700_000)] {
                let append = Append::new(MailboxName::inbox(), Message::Octets(Bytes::from(octets.clone())));
                let whole = client.append(append.flags(flags.clone()).date(date)).await;
                let reader = read_from(std::io::Cursor::new(octets.clone()));
                let fed = client.append_from(MailboxName::inbox(), octets.len() as u64, reader, |append| {
                    append.flags(flags.clone()).date(date)
                });
                for stored in [whole, fed.await] {
                    let stored = stored.expect("it is stored").expect("the server says where");
                    check_stored(&client, stored.uid, &octets, &flags, date).await;
                }
            }
            client.logout().await.expect("it says goodbye");
        }
    });
}

async fn check_stored(client: &Client, uid: Uid, octets: &[u8], flags: &[Flag], date: DateTime) {
    // Courier refuses an APPEND to a mailbox that the same connection has selected to be read only.
    let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
    let items = FetchItems::ids().flags().internal_date().size();
    let told = inbox.fetch(uid, items).collect().await.expect("it is told");
    assert_eq!(told.len(), 1);
    let fetch = told[0].get();
    for flag in flags {
        assert!(fetch.flags().is_some_and(|flags| flags.contains(&flag.to_string())), "{flag}");
    }
    let moment = fetch.internal_date().and_then(|date| DateTime::from_wire(&date.to_bytes()));
    assert_eq!(moment.map(DateTime::to_unix_timestamp), Some(date.to_unix_timestamp()));
    assert!(body_of(&inbox, uid).await.as_deref() == Some(octets), "{uid} is not what was stored");
}

#[test]
fn a_search_finds_what_it_should() {
    everywhere(async |peer| {
        peer.fill((0..40).map(message)).await;
        let client = peer.connect().await;
        let flagged = Append::new(MailboxName::inbox(), big_message(60_000)).flags([Flag::Flagged]);
        client.append(flagged).await.expect("it is stored");
        let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
        for (query, count) in [
            (Query::flagged(), 1),
            (Query::unflagged(), 40),
            // Nothing closer: Courier counts octets as it stores them, without the CRs.
            (Query::larger(50_000), 1),
            (Query::header("Message-ID", "<17.rig@example.org>"), 1),
            (Query::subject("nobody writes this"), 0),
        ] {
            let found = inbox.search(query.clone()).await.expect("it searches");
            assert_eq!(found.len(), count, "{query:?}");
        }
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn a_watched_mailbox_tells_of_a_message_while_other_commands_run() {
    everywhere(async |peer| {
        let (client, other) = (peer.connect().await, peer.connect().await);
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let mut watch = inbox.watch();
        while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Idling)) {}
        for count in 1..=3 {
            client.noop().await.expect("IDLE gives way");
            let append = Append::new(MailboxName::inbox(), Message::Octets(Bytes::from(message(count))));
            other.append(append).await.expect("it is stored");
            let exists = format!("* {count} EXISTS");
            loop {
                match watch.try_next().await.expect("it watches").expect("it goes on") {
                    Notice::Response(response) if response.get().raw().starts_with(exists.as_bytes()) => break,
                    _ => {}
                }
            }
            let found = inbox.search(Query::all()).await.expect("IDLE gives way");
            assert_eq!(found.len(), count);
        }
        drop(watch);
        client.settle().await.expect("IDLE ends");
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn what_was_dropped_at_any_poll_leaves_the_next_answer_right() {
    everywhere(async |peer| {
        peer.fill((0..20).map(message)).await;
        let client = peer.connect().await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        for polls in 0..12 {
            drop_after(polls, client.noop()).await;
            drop_after(polls, inbox.search(Query::all())).await;
            drop_after(polls, inbox.fetch(UidSet::all(), FetchItems::summary()).collect()).await;
            drop_after(polls, body_of(&inbox, Uid::new(3).expect("a UID"))).await;
            let uid = Uid::new(1 + polls as u32).expect("a UID");
            assert!(body_of(&inbox, uid).await == Some(message(polls as u64)), "{polls}");
            assert_eq!(inbox.search(Query::all()).await.expect("it searches").to_string(), "1:20", "{polls}");
        }
        client.settle().await.expect("nothing is left");
        client.logout().await.expect("it says goodbye");
    });
}

/// Polls a future that often, each time that it asks for it, and drops it.
async fn drop_after(polls: usize, operation: impl Future) {
    let mut operation = std::pin::pin!(operation);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if left == 0 || operation.as_mut().poll(cx).is_ready() {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        if left == 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[test]
fn a_source_that_is_wrong_about_its_length_or_fails_stores_nothing() {
    everywhere(async |peer| {
        for (literals, readable, announced) in [
            (LiteralPolicy::AsAdvertised, 3000, 5000),
            (LiteralPolicy::Synchronizing, 3000, 5000),
            (LiteralPolicy::AsAdvertised, 90_000, 50_000),
            (LiteralPolicy::Synchronizing, 90_000, 50_000),
        ] {
            let connector = peer.connector().config(|config| config.literals = literals);
            let client = connector.connect().await.expect("the server lets us in");
            let source = read_from(tokio::io::repeat(b'a').take(readable));
            let result = client.append_from(MailboxName::inbox(), announced, source, |append| append).await;
            assert!(
                matches!(result, Err(Error::Source { failure: SourceFailure::Length, .. })),
                "{readable} {announced}: {result:?}"
            );
        }
        let client = peer.connect().await;
        assert_eq!(client.examine(MailboxName::inbox()).await.expect("an INBOX").exists(), 0);
    });
}

#[test]
fn what_is_refused_is_told_with_its_code() {
    everywhere(async |peer| {
        let wrong = Credentials::password(peer.user, "wrong");
        let result = unauthenticated(peer.server, peer.security).credentials(wrong).connect().await;
        let Err(Error::Refused(refused)) = result else { panic!("{result:?}") };
        // Cyrus and Courier give no code.
        let code = (peer.server.name() == "Dovecot").then_some(Code::AuthenticationFailed);
        assert_eq!(refused.code, code);
        assert!(!format!("{refused:?}{refused}").contains("wrong"));

        let client = peer.connect().await;
        let result = client.select(MailboxName::new("nowhere").expect("a name")).await;
        let Err(error @ Error::Refused(_)) = result else { panic!("{result:?}") };
        assert!(!error.is_fatal());
        client.select(MailboxName::inbox()).await.expect("the connection is good");
    });
}

#[test]
fn a_certificate_that_does_not_fit_ends_the_connection_before_the_login() {
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    everywhere(async |peer| {
        if peer.security == Security::Plaintext {
            return;
        }
        let good = peer.connector();
        let unknown_root = good.clone().tls_config(trusting(stranger.cert.der()));
        let ours = || trusting(peer.server.ca_der());
        let web = connector_to(peer, "localhost");
        let other_name = connector_to(peer, "imap.example.org").tls_config(ours());
        let other_address = connector_to(peer, "127.0.0.2").tls_config(ours());
        for connector in [unknown_root, web, other_name, other_address] {
            let result = connector.connect().await;
            let Err(Error::Transport(error)) = result else { panic!("{result:?}") };
            assert!(error.to_string().contains("certificate"), "{error}");
        }
        good.connect().await.expect("the right one fits");
    });
}

fn connector_to(peer: &Peer<'_>, host: &str) -> Connector {
    let connector = Connector::new(host).address("127.0.0.1").credentials(Credentials::password(peer.user, PASSWORD));
    match peer.security {
        Security::ImplicitTls => connector.port(peer.server.tls_port()),
        _ => connector.starttls().port(peer.server.plain_port()),
    }
}

#[test]
fn tls_on_the_plain_port_and_clear_text_on_the_tls_port_fail_in_time() {
    everywhere(async |peer| {
        if peer.security != Security::ImplicitTls {
            return;
        }
        let short = Duration::from_millis(1500);
        let connector = peer.connector().patience(short);
        let result = connector.clone().port(peer.server.plain_port()).connect().await;
        assert!(matches!(result, Err(Error::Transport(_) | Error::Timeout(Phase::Tls))), "{result:?}");
        let connector = connector.config(|config| config.handshake = short);
        let result = connector.plaintext().port(peer.server.tls_port()).connect().await;
        // The TLS libraries wait for a ClientHello that does not come.
        assert!(matches!(result, Err(Error::Timeout(Phase::Greeting))), "{result:?}");
    });
}

#[test]
fn a_handle_is_shared_by_tasks() {
    everywhere(async |peer| {
        peer.fill((0..50).map(message)).await;
        let client = peer.connect().await;
        let inbox = Arc::new(client.examine(MailboxName::inbox()).await.expect("an INBOX"));
        let tasks: Vec<_> = (1..=50)
            .map(|number| {
                let inbox = inbox.clone();
                tokio::spawn(async move {
                    let octets = body_of(&inbox, Uid::new(number).expect("a UID")).await;
                    assert!(octets == Some(message(u64::from(number) - 1)), "{number} is another message");
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("every task is served");
        }
    });
}
