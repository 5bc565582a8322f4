//! What concerns the connection: what the server is and can do, and how a session goes on and ends.

use imap_tests::mailbox::message;
use imap_tokio::command::{Append, Raw, Store};
use imap_tokio::types::{
    Capability, Code, FetchItems, Flag, Identification, MailboxName, Query, SeqNum, SeqSet, Uid, UidSet,
};
use imap_tokio::wire::grammar::Unsolicited;
use imap_tokio::{Closed, Credentials, Error, Misuse, Notice, Tokio, Watch};

use crate::dropping::drop_after;
use crate::peer::{Peer, offers};
use crate::session::unauthenticated;

pub(crate) async fn capabilities(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let told = client.capabilities().await.expect("it tells");
    for capability in [Capability::Imap4Rev1, Capability::Idle, Capability::Namespace, Capability::UidPlus] {
        assert!(told.has(&capability), "{capability}: {told}");
    }
    assert_eq!(*client.view().await.expect("it is open").capabilities(), told);
    client.logout().await.expect("it says goodbye");
    peer.done("CAPABILITY");
}

pub(crate) async fn id(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let ours = Identification::new().with_name("imap-tests").with("x-caf\u{e9}", "\u{fc} \"quoted\"");
    for ours in [None, Some(ours)] {
        let row = if ours.is_none() { "ID, saying nothing" } else { "ID" };
        let told = client.id(ours).await;
        if let Some(theirs) = peer.done_or_unsupported(row, &client, Capability::Id, told).await {
            let name = theirs.as_ref().and_then(Identification::name);
            assert!(name.is_some_and(|name| name.contains(peer.server.name())), "{theirs:?}");
        }
    }
    client.logout().await.expect("it says goodbye");
}

pub(crate) async fn enable(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let asked = [Capability::CondStore, Capability::from_wire(b"X-NOBODY-KNOWS")];
    let enabled = client.enable(asked).await;
    if let Some(enabled) = peer.done_or_unsupported("ENABLE", &client, Capability::Enable, enabled).await {
        let known = offers(&client, &Capability::CondStore).await;
        assert_eq!(enabled.to_string(), if known { "CONDSTORE" } else { "" });
        assert_eq!(*client.view().await.expect("it is open").enabled(), enabled);
    }
    client.select(MailboxName::inbox()).await.expect("an INBOX");
    let late = client.enable([Capability::CondStore]).await;
    assert!(matches!(late, Err(Error::Misuse(Misuse::State { .. }))), "{late:?}");
    client.logout().await.expect("it says goodbye");
}

pub(crate) async fn noop(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([message(0)]).await;
    let other = peer.connect().await;
    let name = mailbox.name().clone();
    other.append(Append::new(name.clone(), message(1))).await.expect("it is stored");
    client.noop().await.expect("it is answered");
    let view = client.view().await.expect("it is open");
    assert_eq!((mailbox.exists(), view.selected().map(|now| now.exists)), (1, Some(2)));
    other.logout().await.expect("it says goodbye");
    peer.end(client).await;
    peer.done("NOOP");
}

pub(crate) async fn idle(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin([]).await;
    let (other, name) = (peer.connect().await, mailbox.name().clone());
    let mut watch = mailbox.watch();
    while !matches!(watch.try_next().await.expect("it watches"), Some(Notice::Idling)) {}
    for count in 1..=3 {
        client.noop().await.expect("IDLE gives way");
        other.append(Append::new(name.clone(), message(count.into()))).await.expect("it is stored");
        until(&mut watch, |told| *told == Unsolicited::Exists(count)).await;
        let found = mailbox.search(Query::all()).await.expect("IDLE gives way");
        assert_eq!(found.len(), u64::from(count));
    }
    let theirs = other.select(name.clone()).await.expect("it is there");
    let second = SeqNum::new(2).expect("a number");
    theirs.store(Uid::MIN, Store::add(Flag::Flagged)).await.expect("it is stored");
    until(&mut watch, |told| match told {
        Unsolicited::Flags(told) => told.seq == SeqNum::MIN && told.has(&Flag::Flagged),
        _ => false,
    })
    .await;
    theirs.delete(Uid::MIN).await.expect("it is removed");
    until(&mut watch, |told| *told == Unsolicited::Expunge(SeqNum::MIN)).await;
    // By number, while IDLE is to give way.
    let told = mailbox.fetch(SeqSet::from(second), FetchItems::ids()).collect().await.expect("it is told");
    assert_eq!((told[0].seq(), told[0].uid().get()), (second, 3));
    drop(watch);
    client.settle().await.expect("IDLE ends");
    other.logout().await.expect("it says goodbye");
    peer.end(client).await;
    peer.done("IDLE");
}

async fn until(watch: &mut Watch, is_it: impl Fn(&Unsolicited) -> bool) {
    loop {
        let notice = watch.try_next().await.expect("it watches").expect("it goes on");
        if notice.unsolicited().as_ref().is_some_and(&is_it) {
            return;
        }
    }
}

pub(crate) async fn settle(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..30).map(message)).await;
    for polls in 1..6 {
        drop_after(polls, mailbox.fetch(UidSet::all(), FetchItems::summary().body_structure()).collect()).await;
    }
    client.settle().await.expect("nothing is left");
    assert_eq!(mailbox.search(Query::all()).await.expect("it searches").to_string(), "1:30");
    peer.end(client).await;
    peer.done("settle");
}

pub(crate) async fn logout(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let handle = client.clone();
    client.logout().await.expect("it says goodbye");
    let late = handle.noop().await;
    assert!(matches!(late, Err(Error::Closed(Closed::LoggedOut))), "{late:?}");
    peer.done("LOGOUT");
}

pub(crate) async fn raw(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..3).map(message)).await;
    let thread = Raw::new("UID THREAD REFERENCES UTF-8 ALL").expect("a line").claims("THREAD").only_asks();
    let (threads, found) = tokio::join!(client.run(thread), mailbox.search(Query::all()));
    let threads = threads.expect("it threads");
    assert_eq!(threads.responses.len(), 1);
    assert!(threads.responses[0].get().raw().starts_with(b"* THREAD ("));
    assert_eq!(found.expect("it searches").len(), 3);
    let quota = Raw::new("GETQUOTAROOT").expect("a line").string("INBOX").claims("QUOTAROOT").claims("QUOTA");
    assert_eq!(client.run(quota).await.expect("it tells").responses.len(), 2);
    let refused = client.run(Raw::new("XNOTHING").expect("a line")).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    peer.end(client).await;
    peer.done("raw command");
}

pub(crate) async fn refusals(peer: &Peer<'_>) {
    let wrong = Credentials::password(peer.user, "wrong");
    let result = unauthenticated::<Tokio>(peer.server, peer.security).credentials(wrong).connect().await;
    let Err(Error::Refused(refused)) = result else { panic!("{result:?}") };
    // Cyrus and Courier give no code.
    let code = (peer.server.name() == "Dovecot").then_some(Code::AuthenticationFailed);
    assert_eq!(refused.code, code);
    assert!(!format!("{refused:?}{refused}").contains("wrong"));
    peer.done("a wrong password");

    let client = peer.connect().await;
    let nowhere = peer.name(&client, &["nowhere"]).await;
    let result = client.select(nowhere).await;
    let Err(error @ Error::Refused(_)) = result else { panic!("{result:?}") };
    assert!(!error.is_fatal());
    client.select(MailboxName::inbox()).await.expect("the connection is good");
    client.logout().await.expect("it says goodbye");
    peer.done("SELECT of what is not there");
}
