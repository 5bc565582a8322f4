//! The adapter and a real Dovecot: what a mail program does, over all three ways to secure the stream.

#[expect(dead_code, reason = "not all of it is used here")]
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use imap_tests::dovecot::Dovecot;
use imap_tests::mailbox::{add_to_maildir, big_message, fill_maildir, message};
use imap_tokio::command::{Append, Message};
use imap_tokio::types::{Capability, Code, DateTime, FetchItems, Flag, MailboxName, Query, Section, Uid, UidSet};
use imap_tokio::{Client, Error, LiteralPolicy, Mailbox, Notice, Phase, Security, SourceFailure, read_from};
use session::{PATIENCE, connector, trusting, unauthenticated};
use tokio::io::AsyncReadExt;

const WAYS: [Security; 3] = [Security::ImplicitTls, Security::StartTls, Security::Plaintext];

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("nothing hangs") });
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
fn a_thousand_messages_are_listed_once_each_and_as_they_are() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    fill_maildir(&server.maildir("alice"), 1000).expect("the Maildir is writable");
    run(async {
        for security in WAYS {
            let client = connector(&server, security, "alice").connect().await.expect("Dovecot lets us in");
            assert!(client.capabilities().await.expect("it tells").has(&Capability::Idle));
            let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
            assert_eq!((inbox.exists(), inbox.name().is_inbox()), (1000, true));
            let found = inbox.search(Query::all()).await.expect("it searches");
            assert_eq!(found.to_string(), "1:1000");
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
            assert_eq!(times.len(), 1000);
            assert!(times.values().all(|times| *times == 1));
            client.settle().await.expect("nothing is left");
            client.logout().await.expect("it says goodbye");
        }
    });
}

#[test]
fn bodies_come_octet_by_octet_whatever_their_size() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let small = b"Subject: small\r\n\r\n".iter().copied().chain([b'x'; 180]).chain(*b"\r\n").collect::<Vec<u8>>();
    let messages = [big_message(5_000_000), small, big_message(256 << 10), big_message((256 << 10) + 1)];
    assert_eq!(messages[1].len(), 200);
    for (i, message) in messages.iter().enumerate() {
        add_to_maildir(&server.maildir("alice"), i as u64, message).expect("the Maildir is writable");
    }
    run(async {
        for security in WAYS {
            let client = connector(&server, security, "alice").connect().await.expect("Dovecot lets us in");
            let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
            for (uid, message) in (1..).zip(&messages) {
                let octets = body_of(&inbox, Uid::new(uid).expect("a UID")).await;
                assert!(octets.as_ref() == Some(message), "{uid} is not what it was");
            }
            assert_eq!(body_of(&inbox, Uid::MAX).await, None);
            client.logout().await.expect("it says goodbye");
        }
    });
}

#[test]
fn a_stored_message_is_fetched_back_with_its_flags_and_date() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        for (security, literals) in WAYS.into_iter().zip([
            LiteralPolicy::AsAdvertised,
            LiteralPolicy::Synchronizing,
            LiteralPolicy::Synchronizing,
        ]) {
            let connector = connector(&server, security, "alice").config(|config| config.literals = literals);
            let client = connector.connect().await.expect("Dovecot lets us in");
            let date = DateTime::from_unix_timestamp(1_600_000_000).expect("a date");
            let flags = [Flag::Seen, Flag::Flagged, Flag::keyword("rig").expect("a keyword")];
            for octets in [message(7), big_message(700_000)] {
                let append = Append::new(MailboxName::inbox(), Message::Octets(Bytes::from(octets.clone())));
                let whole = client.append(append.flags(flags.clone()).date(date)).await;
                let reader = read_from(std::io::Cursor::new(octets.clone()));
                let fed = client.append_from(MailboxName::inbox(), octets.len() as u64, reader, |append| {
                    append.flags(flags.clone()).date(date)
                });
                for stored in [whole, fed.await] {
                    let stored = stored.expect("it is stored").expect("Dovecot says where");
                    check_stored(&client, stored.uid, &octets, &flags, date).await;
                }
            }
            client.logout().await.expect("it says goodbye");
        }
    });
}

async fn check_stored(client: &Client, uid: Uid, octets: &[u8], flags: &[Flag], date: DateTime) {
    let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
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
fn a_watched_mailbox_tells_of_a_message_while_other_commands_run() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let client = connector(&server, Security::ImplicitTls, "alice").connect().await.expect("Dovecot lets us in");
        let other = connector(&server, Security::Plaintext, "alice").connect().await.expect("Dovecot lets us in");
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
fn a_source_that_is_wrong_about_its_length_or_fails_stores_nothing() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        for (literals, readable, announced) in [
            (LiteralPolicy::AsAdvertised, 3000, 5000),
            (LiteralPolicy::Synchronizing, 3000, 5000),
            (LiteralPolicy::AsAdvertised, 90_000, 50_000),
            (LiteralPolicy::Synchronizing, 90_000, 50_000),
        ] {
            let connector =
                connector(&server, Security::Plaintext, "alice").config(|config| config.literals = literals);
            let client = connector.connect().await.expect("Dovecot lets us in");
            let source = read_from(tokio::io::repeat(b'a').take(readable));
            let result = client.append_from(MailboxName::inbox(), announced, source, |append| append).await;
            assert!(
                matches!(result, Err(Error::Source { failure: SourceFailure::Length, .. })),
                "{readable} {announced}: {result:?}"
            );
        }
        let client = connector(&server, Security::Plaintext, "alice").connect().await.expect("Dovecot lets us in");
        assert_eq!(client.examine(MailboxName::inbox()).await.expect("an INBOX").exists(), 0);
    });
}

#[test]
fn what_dovecot_refuses_is_told_with_its_code() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        for security in WAYS {
            let wrong = imap_tokio::Credentials::password("alice", "wrong");
            let result = unauthenticated(&server, security).credentials(wrong).connect().await;
            let Err(Error::Refused(refused)) = result else { panic!("{result:?}") };
            assert_eq!(refused.code, Some(Code::AuthenticationFailed));
            assert!(!format!("{refused:?}{refused}").contains("wrong"));
        }
        let client = connector(&server, Security::ImplicitTls, "alice").connect().await.expect("Dovecot lets us in");
        let result = client.select(MailboxName::new("nowhere").expect("a name")).await;
        let Err(error @ Error::Refused(_)) = result else { panic!("{result:?}") };
        assert!(!error.is_fatal());
        client.select(MailboxName::inbox()).await.expect("the connection is good");
    });
}

#[test]
fn a_certificate_that_does_not_fit_ends_the_connection_before_the_login() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    run(async {
        for security in [Security::ImplicitTls, Security::StartTls] {
            let good = connector(&server, security, "alice");
            let unknown_root = good.clone().tls_config(trusting(stranger.cert.der()));
            let web = connector_to(&server, security, "localhost");
            let other_name = connector_to(&server, security, "imap.example.org").tls_config(trusting(server.ca_der()));
            let other_address = connector_to(&server, security, "127.0.0.2").tls_config(trusting(server.ca_der()));
            for connector in [unknown_root, web, other_name, other_address] {
                let result = connector.connect().await;
                let Err(Error::Transport(error)) = result else { panic!("{result:?}") };
                assert!(error.to_string().contains("certificate"), "{error}");
            }
            good.connect().await.expect("the right one fits");
        }
    });
}

fn connector_to(server: &Dovecot, security: Security, host: &str) -> imap_tokio::Connector {
    let credentials = imap_tokio::Credentials::password("alice", Dovecot::PASSWORD);
    let connector = imap_tokio::Connector::new(host).address("127.0.0.1").credentials(credentials);
    match security {
        Security::ImplicitTls => connector.port(server.tls_port()),
        _ => connector.starttls().port(server.plain_port()),
    }
}

#[test]
fn tls_on_the_plain_port_and_clear_text_on_the_tls_port_fail_in_time() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    run(async {
        let short = Duration::from_millis(1500);
        let connector = connector(&server, Security::ImplicitTls, "alice").patience(short);
        let result = connector.clone().port(server.plain_port()).connect().await;
        assert!(matches!(result, Err(Error::Transport(_) | Error::Timeout(Phase::Tls))), "{result:?}");
        let connector = connector.config(|config| config.handshake = short);
        let result = connector.plaintext().port(server.tls_port()).connect().await;
        // OpenSSL waits for a ClientHello that does not come.
        assert!(matches!(result, Err(Error::Timeout(Phase::Greeting))), "{result:?}");
    });
}

#[test]
fn a_handle_is_shared_by_tasks() {
    let Some(server) = Dovecot::start() else {
        return;
    };
    fill_maildir(&server.maildir("alice"), 50).expect("the Maildir is writable");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let client = connector(&server, Security::ImplicitTls, "alice").connect().await.expect("Dovecot lets us in");
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
            tokio::time::timeout(PATIENCE, task).await.expect("nothing hangs").expect("every task is served");
        }
    });
}
