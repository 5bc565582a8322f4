//! The adapter and a real Dovecot: finding and changing messages, over TLS.

mod session;

use imap_tests::dovecot::Dovecot;
use imap_tests::mailbox::{add_to_maildir, fill_maildir, message};
use imap_tokio::command::{Access, Raw, Returns, Select, Store};
use imap_tokio::protocol::grammar::Unsolicited;
use imap_tokio::types::{
    Code, FetchItems, Flag, ItemMask, MailboxName, Messages, Query, Section, SeqNum, SeqSet, Uid, UidSet,
};
use imap_tokio::{BodyReader, Client, Error, Mailbox, Misuse, Notice, Removal, Security};
use session::{PATIENCE, connector, create_mailboxes};
use tokio::io::AsyncReadExt;

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.expect("nothing hangs") });
}

/// A server with so many messages in alice's INBOX and an empty mailbox Archive beside it.
fn server(capabilities: Option<&str>, messages: u64) -> Option<Dovecot> {
    let server = Dovecot::start_offering(capabilities)?;
    fill_maildir(&server.maildir("alice"), messages).expect("the Maildir is writable");
    create_mailboxes(&server, "alice", &["Archive"]);
    Some(server)
}

async fn connect(server: &Dovecot) -> Client {
    connector(server, Security::ImplicitTls, "alice").connect().await.expect("Dovecot lets us in")
}

fn uid(number: u32) -> Uid {
    Uid::new(number).expect("a UID")
}

fn uids(wire: &str) -> UidSet {
    UidSet::from_wire(wire.as_bytes()).expect("a set")
}

fn numbers(wire: &str) -> SeqSet {
    SeqSet::from_wire(wire.as_bytes()).expect("a set")
}

fn archive() -> MailboxName {
    MailboxName::new("Archive").expect("a name")
}

/// A flag that no message has from the start.
fn work() -> Flag {
    Flag::keyword("Work").expect("a keyword")
}

fn working() -> Query {
    Query::flag(&work()).expect("a key")
}

async fn found(mailbox: &Mailbox, query: Query) -> String {
    mailbox.search(query).await.expect("it searches").to_string()
}

#[test]
fn flags_are_added_removed_and_replaced_by_uid_and_by_number() {
    let Some(server) = server(None, 9) else { return };
    run(async {
        let client = connect(&server).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        inbox.delete(uid(1)).await.expect("it is removed");
        let answer = inbox.store(uids("2:4"), Store::add([work(), Flag::Junk])).await.expect("it is stored");
        let told: Vec<_> = answer.messages.iter().map(|told| (told.seq.get(), told.uid)).collect();
        assert_eq!(told, [(1, Some(uid(2))), (2, Some(uid(3))), (3, Some(uid(4)))]);
        assert!(answer.messages.iter().all(|told| told.has(&work()) && told.has(&Flag::Junk)));
        let answer = inbox.store(numbers("1:2"), Store::remove(Flag::Junk)).await.expect("it is stored");
        assert_eq!(answer.messages.iter().map(|told| told.seq.get()).collect::<Vec<_>>(), [1, 2]);
        assert!(answer.messages.iter().all(|told| told.has(&work()) && !told.has(&Flag::Junk)));
        let silent = inbox.store(uid(4), Store::replace([Flag::Flagged]).silent()).await.expect("it is stored");
        assert!(silent.messages.is_empty());
        inbox.store(uid(3), Store::replace([])).await.expect("it is stored");
        assert_eq!(found(&inbox, working()).await, "2");
        assert_eq!(found(&inbox, Query::uid(uids("2:4")).and(Query::flagged())).await, "4");
        let refused = inbox.store(uid(2), Store::add([])).await;
        assert!(matches!(refused, Err(Error::Misuse(Misuse::NoFlags))), "{refused:?}");
        // Two that overlap wait for each other; the last one counts.
        let (one, other) = tokio::join!(
            inbox.store(uids("2:9"), Store::add(Flag::MdnSent)),
            inbox.store(uids("5:9"), Store::remove(Flag::MdnSent)),
        );
        assert_eq!((one.expect("stored").messages.len(), other.expect("stored").messages.len()), (8, 5));
        assert_eq!(found(&inbox, Query::flag(&Flag::MdnSent).expect("a key")).await, "2:4");
        client.logout().await.expect("it says goodbye");
    });
}

#[test]
fn a_conditional_store_leaves_alone_what_others_have_changed() {
    let Some(server) = server(None, 5) else { return };
    run(async {
        let (client, other) = (connect(&server).await, connect(&server).await);
        let select = || Select::new(MailboxName::inbox(), Access::ReadWrite);
        let inbox = client.select_with(select().condstore()).await.expect("an INBOX");
        let known = inbox.selected().highest_mod_seq.expect("Dovecot keeps mod-sequences");
        let theirs = other.select(MailboxName::inbox()).await.expect("an INBOX");
        theirs.store(uids("2,4"), Store::add(work())).await.expect("it is stored");

        let store = Store::add(Flag::Deleted).silent().unchanged_since(known);
        let answer = inbox.store(uids("1:5"), store.clone()).await.expect("it is stored");
        assert_eq!(answer.modified, Some(Messages::from(uids("2,4"))));
        let told: Vec<_> =
            answer.messages.iter().filter(|told| told.flags.is_none()).filter_map(|told| told.uid).collect();
        assert!(told.iter().all(|uid| [1, 3, 5].contains(&uid.get())), "{told:?}");
        assert!(answer.messages.iter().all(|told| told.mod_seq.is_some_and(|now| now.get() > known)));
        assert_eq!(found(&inbox, Query::deleted()).await, "1,3,5");
        let answer = inbox.store(numbers("4:5"), store).await.expect("it is stored");
        assert_eq!(answer.modified, Some(Messages::from(numbers("4:5"))));

        let changed = inbox.fetch(UidSet::all(), FetchItems::ids().flags()).changed_since(known).collect().await;
        let changed = changed.expect("it is told");
        assert_eq!(changed.len(), 5);
        assert!(changed.iter().all(|told| told.get().mod_seq().is_some_and(|now| now.get() > known)));
        let now = changed.iter().filter_map(|told| told.get().mod_seq()).max().expect("all have one");
        theirs.store(uid(3), Store::remove(Flag::Deleted)).await.expect("it is stored");
        // What others do is taken in at the end of a command.
        client.noop().await.expect("it looks");
        for messages in [Messages::from(UidSet::all()), Messages::from(SeqSet::all()), Messages::from(uids("1:4"))] {
            let stream = inbox.fetch(messages, FetchItems::ids().flags()).changed_since(now.get());
            let changed = stream.collect().await.expect("it is told");
            assert_eq!(changed.iter().map(|told| (told.seq().get(), told.uid())).collect::<Vec<_>>(), [(3, uid(3))]);
        }
        let found = inbox.search_returning(Query::mod_seq(now.get() + 1), Returns::ALL).await.expect("it searches");
        assert_eq!(found.all, Some(uids("3")));
        assert!(found.mod_seq.is_some_and(|found| found > now));
    });
}

#[test]
fn a_search_tells_what_it_is_asked_for() {
    // The second server has no ESEARCH: the results are made of the numbers.
    for capabilities in [None, Some("IMAP4rev1 LITERAL+ UIDPLUS")] {
        let Some(server) = server(capabilities, 20) else { return };
        run(async {
            let client = connect(&server).await;
            let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
            inbox.delete(uids("1:5")).await.expect("they are removed");
            inbox.store(uids("7:9,15"), Store::add(work())).await.expect("it is stored");
            let everything = Returns::MIN | Returns::MAX | Returns::COUNT | Returns::ALL;
            let found = inbox.search_returning(working(), everything).await.expect("it searches");
            assert_eq!((found.min, found.max, found.count), (Some(uid(7)), Some(uid(15)), Some(4)));
            assert_eq!(found.all, Some(uids("7:9,15")));
            let found = inbox.search_returning(!working(), Returns::COUNT).await.expect("it searches");
            assert_eq!((found.min, found.max, found.count, found.all), (None, None, Some(11), None));
            let found = inbox
                .search_returning(Query::flag(&Flag::MdnSent).expect("a key"), everything)
                .await
                .expect("it searches");
            assert_eq!((found.min, found.max, found.count, found.all), (None, None, Some(0), Some(UidSet::new())));
            let numbered = inbox.search_numbers(working()).await.expect("it searches");
            assert_eq!(numbered.to_string(), "2:4,10");
            let told = inbox.fetch(numbered, FetchItems::ids()).collect().await.expect("it is told");
            let told: Vec<_> = told.iter().map(|told| (told.seq().get(), told.uid().get())).collect();
            assert_eq!(told, [(2, 7), (3, 8), (4, 9), (10, 15)]);
            assert_eq!(inbox.search(Query::subject("Grüße aus Köln")).await.expect("it searches").len(), 0);
        });
    }
}

#[test]
fn messages_are_copied_and_the_server_says_where() {
    let Some(server) = server(None, 6) else { return };
    run(async {
        let client = connect(&server).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let copied = inbox.copy(uids("2,4:5"), archive()).await.expect("they are copied").expect("Dovecot says where");
        let pairs: Vec<_> = copied.pairs().map(|(from, to)| (from.get(), to.get())).collect();
        assert_eq!(pairs, [(2, 1), (4, 2), (5, 3)]);
        let copied = inbox.copy(SeqSet::last_message(), archive()).await.expect("it is copied").expect("and where");
        assert_eq!(copied.pairs().collect::<Vec<_>>(), [(uid(6), uid(4))]);
        assert!(inbox.copy(uid(99), archive()).await.expect("nothing is copied").is_none());
        let nowhere = inbox.copy(uid(1), MailboxName::new("nowhere").expect("a name")).await;
        assert!(matches!(nowhere, Err(Error::Refused(refused)) if refused.code == Some(Code::TryCreate)));
        assert_eq!(found(&inbox, Query::all()).await, "1:6");
        let archive = client.examine(archive()).await.expect("it is there");
        assert_eq!((archive.exists(), Some(copied.uid_validity)), (4, archive.uid_validity()));
    });
}

const WITHOUT_MOVE: &str = "IMAP4rev1 LITERAL+ UIDPLUS IDLE";
const WITHOUT_UIDPLUS: &str = "IMAP4rev1 LITERAL+ IDLE";

#[test]
fn messages_are_moved_and_nothing_else_is_removed() {
    for (capabilities, removal, left) in [
        (None, Removal::Removed, "2"),
        (Some(WITHOUT_MOVE), Removal::Removed, "2"),
        (Some(WITHOUT_UIDPLUS), Removal::Marked, "1:6"),
    ] {
        let Some(server) = server(capabilities, 6) else { return };
        run(async {
            let client = connect(&server).await;
            let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
            // Marked by somebody, and to stay.
            inbox.store(uid(2), Store::add(Flag::Deleted)).await.expect("it is stored");
            let moved = inbox.move_to(uids("3:4"), archive()).await.expect("they are moved");
            assert_eq!(moved.removal, removal, "{capabilities:?}");
            let pairs: Vec<_> = moved.copied.iter().flat_map(|copied| copied.pairs()).collect();
            assert_eq!(pairs, [(uid(3), uid(1)), (uid(4), uid(2))]);
            let by_number = if removal == Removal::Removed { numbers("1,3:*") } else { numbers("1,5:*") };
            let moved = inbox.move_to(by_number, archive()).await.expect("they are moved");
            assert_eq!(moved.removal, removal);
            assert_eq!(moved.copied.expect("Dovecot says where").source.to_set(), uids("1,5:6"));
            assert_eq!(found(&inbox, Query::all()).await, left);
            assert_eq!(found(&inbox, Query::deleted()).await, left);
            let nothing = inbox.move_to(uids("90:99"), archive()).await.expect("nothing is moved");
            assert!(nothing.copied.is_none());
            let missing = inbox.move_to(uid(2), MailboxName::new("nowhere").expect("a name")).await;
            assert!(matches!(missing, Err(Error::Refused(refused)) if refused.code == Some(Code::TryCreate)));
            assert_eq!(client.examine(archive()).await.expect("it is there").exists(), 5);
        });
    }
}

#[test]
fn what_is_deleted_is_removed_by_name_or_stays_marked() {
    let Some(full) = server(None, 6) else { return };
    run(async {
        let client = connect(&full).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        inbox.store(uids("1:3"), Store::add(Flag::Deleted)).await.expect("it is stored");
        let mut notices = client.notices();
        assert!(tokio::time::timeout(std::time::Duration::ZERO, notices.try_next()).await.is_err());
        inbox.expunge_uids(uids("2:5")).await.expect("they are removed");
        assert_eq!(found(&inbox, Query::all()).await, "1,4:6");
        let mut gone = Vec::new();
        while gone.len() < 2 {
            match notices.try_next().await.expect("it listens").expect("it goes on").unsolicited() {
                Some(Unsolicited::Expunge(seq)) => gone.push(seq.get()),
                other => assert!(!matches!(other, Some(Unsolicited::Vanished { .. }))),
            }
        }
        gone.sort_unstable();
        assert!(gone == [2, 2] || gone == [2, 3], "{gone:?}");
        assert_eq!(inbox.delete(numbers("*")).await.expect("it is removed"), Removal::Removed);
        inbox.expunge().await.expect("it is removed");
        assert_eq!(found(&inbox, Query::all()).await, "4:5");
        assert_eq!(client.view().await.expect("it is open").selected().map(|mailbox| mailbox.exists), Some(2));
    });
    let Some(poor) = server(Some(WITHOUT_UIDPLUS), 3) else { return };
    run(async {
        let client = connect(&poor).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        inbox.store(uid(3), Store::add(Flag::Deleted)).await.expect("it is stored");
        assert_eq!(inbox.delete(uid(1)).await.expect("it is marked"), Removal::Marked);
        assert_eq!(found(&inbox, Query::deleted()).await, "1,3");
        let refused = inbox.expunge_uids(uid(1)).await;
        assert!(matches!(refused, Err(Error::Unsupported("UIDPLUS"))), "{refused:?}");
    });
}

#[test]
fn a_mailbox_is_left_with_or_without_what_is_marked() {
    for capabilities in [None, Some(WITHOUT_MOVE)] {
        let Some(server) = server(capabilities, 3) else { return };
        run(async {
            let client = connect(&server).await;
            let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
            inbox.store(uid(2), Store::add(Flag::Deleted)).await.expect("it is stored");
            let handle = inbox.clone();
            inbox.unselect().await.expect("it is left");
            assert!(matches!(handle.search(Query::all()).await, Err(Error::Deselected)));
            assert!(client.view().await.expect("it is open").selected().is_none());
            let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
            assert_eq!(inbox.exists(), 3);
            let handle = inbox.clone();
            inbox.close().await.expect("it is left");
            assert!(matches!(handle.expunge().await, Err(Error::Deselected)));
            assert!(matches!(handle.unselect().await, Err(Error::Deselected)));
            let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
            assert_eq!(found(&inbox, Query::all()).await, "1,3");
        });
    }
}

#[test]
fn twenty_thousand_messages_are_marked_with_one_store() {
    let Some(server) = server(None, 20_000) else { return };
    run(async {
        let client = connect(&server).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let answer = inbox.store(UidSet::all(), Store::add(work())).await.expect("it is stored");
        assert_eq!(answer.messages.len(), 20_000);
        assert!(answer.messages.iter().all(|told| told.has(&work())));
        let found = inbox.search_returning(working(), Returns::COUNT | Returns::ALL).await.expect("it searches");
        assert_eq!((found.count, found.all.map(|all| all.to_string())), (Some(20_000), Some("1:20000".to_owned())));
        inbox.store(uids("1:19999"), Store::remove(work()).silent()).await.expect("it is stored");
        assert_eq!(inbox.search(working()).await.expect("it searches"), uids("20000"));
    });
}

#[test]
fn parts_are_decoded_by_the_server_and_extensions_are_told() {
    let Some(server) = server(None, 0) else { return };
    let encoded = concat!(
        "Subject: encoded\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nR3LDvMOfZQ==\r\n"
    );
    add_to_maildir(&server.maildir("alice"), 0, encoded.as_bytes()).expect("the Maildir is writable");
    run(async {
        let client = connect(&server).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let items = FetchItems::ids()
            .binary("1")
            .and_then(|items| items.binary_partial("1", 1, 3))
            .and_then(|items| items.binary_size("1"))
            .expect("a part")
            .section(Section::part("1").expect("a part"))
            .with(ItemMask::SAVE_DATE | ItemMask::PREVIEW)
            .mod_seq();
        let told = inbox.fetch(UidSet::all(), items).collect().await.expect("it is told");
        let fetch = told[0].get();
        let decoded: Vec<_> = fetch.sections().filter(|data| data.is_binary()).collect();
        assert_eq!(decoded.len(), 2);
        let octets = |origin| {
            let data = decoded.iter().find(|data| data.origin() == origin).expect("it came");
            match data.body() {
                imap_tokio::protocol::grammar::Body::Octets(text) => text.to_bytes().into_owned(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((octets(None), octets(Some(1))), ("Grüße".as_bytes().to_vec(), b"r\xc3\xbc".to_vec()));
        assert_eq!(fetch.binary_size("1"), Some(7));
        assert_eq!(told[0].section("1").as_deref(), Some(&b"R3LDvMOfZQ==\r\n"[..]));
        assert!(fetch.save_date().is_some() && fetch.mod_seq().is_some());
        assert_eq!(fetch.preview().map(|text| text.to_str().into_owned()).as_deref(), Some("Grüße"));
    });
}

#[test]
fn a_raw_command_has_its_answer_and_nothing_of_others() {
    let Some(server) = server(None, 3) else { return };
    run(async {
        let client = connect(&server).await;
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let thread = Raw::new("UID THREAD REFERENCES UTF-8 ALL").expect("a line").claims("THREAD").only_asks();
        let (threads, found) = tokio::join!(client.run(thread), inbox.search(Query::all()));
        let threads = threads.expect("it threads");
        assert_eq!(threads.responses.len(), 1);
        assert!(threads.responses[0].get().raw().starts_with(b"* THREAD ("));
        assert_eq!(found.expect("it searches").len(), 3);
        let quota = Raw::new("GETQUOTAROOT").expect("a line").string("INBOX").claims("QUOTAROOT").claims("QUOTA");
        assert_eq!(client.run(quota).await.expect("it tells").responses.len(), 2);
        let refused = client.run(Raw::new("XNOTHING").expect("a line")).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
        inbox.search(Query::all()).await.expect("the connection is good");
    });
}

#[test]
fn what_another_session_does_is_told_as_values() {
    let Some(server) = server(None, 3) else { return };
    run(async {
        let (client, other) = (connect(&server).await, connect(&server).await);
        let inbox = client.select(MailboxName::inbox()).await.expect("an INBOX");
        let theirs = other.select(MailboxName::inbox()).await.expect("an INBOX");
        let mut watch = inbox.watch();
        while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Idling)) {}
        theirs.store(uid(2), Store::add(Flag::Flagged)).await.expect("it is stored");
        loop {
            match watch.try_next().await.expect("it watches").expect("it goes on").unsolicited() {
                Some(Unsolicited::Flags(told)) if told.seq == SeqNum::new(2).expect("a number") => {
                    assert!(told.has(&Flag::Flagged));
                    break;
                }
                _ => {}
            }
        }
        theirs.delete(uid(1)).await.expect("it is removed");
        loop {
            let told = watch.try_next().await.expect("it watches").expect("it goes on").unsolicited();
            if told == Some(Unsolicited::Expunge(SeqNum::MIN)) {
                break;
            }
        }
        // By number, while IDLE is to give way.
        let told = inbox.fetch(numbers("1"), FetchItems::ids().flags()).collect().await.expect("it is told");
        assert_eq!((told[0].seq(), told[0].uid()), (SeqNum::MIN, uid(2)));
    });
}

#[test]
fn a_body_is_read_as_it_is() {
    let Some(server) = server(None, 2) else { return };
    run(async {
        let client = connect(&server).await;
        let inbox = client.examine(MailboxName::inbox()).await.expect("an INBOX");
        let mut octets = Vec::new();
        let mut reader = BodyReader::new(inbox.body(uid(2), Section::whole()).piece(100));
        reader.read_to_end(&mut octets).await.expect("it comes to its end");
        assert!(octets == message(1) && reader.existed());
    });
}
