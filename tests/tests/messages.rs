//! Finding and changing messages where extensions are withheld, and many at once, with a real Dovecot over TLS.

mod session;

use imap_tests::dovecot::Dovecot;
use imap_tests::mailbox::fill_maildir;
use imap_tests::words::{found, numbers, uid, uids, work, working};
use imap_tokio::command::{Returns, Store};
use imap_tokio::types::{Code, FetchItems, Flag, MailboxName, Query, UidSet};
use imap_tokio::{Client, Error, Removal, Security};
use session::{PATIENCE, connector, create_mailboxes};

const WITHOUT_MOVE: &str = "IMAP4rev1 LITERAL+ UIDPLUS IDLE";
const WITHOUT_UIDPLUS: &str = "IMAP4rev1 LITERAL+ IDLE";

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

fn archive() -> MailboxName {
    MailboxName::new("Archive").expect("a name")
}

#[test]
fn without_esearch_the_results_are_made_of_the_numbers() {
    let Some(server) = server(Some(WITHOUT_MOVE), 20) else { return };
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
        let found =
            inbox.search_returning(Query::flag(&Flag::MdnSent).expect("a key"), everything).await.expect("it searches");
        assert_eq!((found.min, found.max, found.count, found.all), (None, None, Some(0), Some(UidSet::new())));
        let numbered = inbox.search_numbers(working()).await.expect("it searches");
        assert_eq!(numbered.to_string(), "2:4,10");
        let told = inbox.fetch(numbered, FetchItems::ids()).collect().await.expect("it is told");
        let told: Vec<_> = told.iter().map(|told| (told.seq().get(), told.uid().get())).collect();
        assert_eq!(told, [(2, 7), (3, 8), (4, 9), (10, 15)]);
        assert_eq!(inbox.search(Query::subject("Grüße aus Köln")).await.expect("it searches").len(), 0);
    });
}

#[test]
fn without_move_messages_are_moved_and_nothing_else_is_removed() {
    for (capabilities, removal, left) in
        [(Some(WITHOUT_MOVE), Removal::Removed, "2"), (Some(WITHOUT_UIDPLUS), Removal::Marked, "1:6")]
    {
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
fn without_uidplus_what_is_deleted_stays_marked() {
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
fn without_unselect_a_mailbox_is_left_as_it_is() {
    let Some(server) = server(Some(WITHOUT_MOVE), 3) else { return };
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
