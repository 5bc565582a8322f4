//! Mailboxes as a whole: what they are called, making and removing them, and how they are.

use imap_tests::mailbox::message;
use imap_tokio::command::{Append, Create};
use imap_tokio::types::{Capability, Code, MailboxName, SpecialUse, StatusItems};
use imap_tokio::{Client, Error};

use crate::peer::{Peer, offers};

pub(crate) async fn namespaces(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let namespaces = client.namespaces().await.expect("it is answered");
    let [personal] = namespaces.personal.as_slice() else { panic!("{namespaces:?}") };
    let expected = if peer.server.name() == "Courier" { ("INBOX.", Some('.')) } else { ("", Some('/')) };
    assert_eq!((personal.prefix.as_str(), personal.delimiter), expected);
    let smith = peer.name(&client, &["Sch\u{f6}n & Smith"]).await;
    client.create(smith.clone()).await.expect("it is made");
    assert!(is_there(&client, &smith).await);
    peer.end(client).await;
    peer.done("NAMESPACE");
}

async fn is_there(client: &Client, name: &MailboxName) -> bool {
    let found = client.exists(name.clone()).await.expect("it is answered");
    assert!(found.as_ref().is_none_or(|entry| entry.name() == name), "{found:?} is not {name}");
    found.is_some()
}

/// Names that a server may stumble over, though not those that one of these says it cannot have.
const NAMES: [&str; 8] = [
    "Entw\u{fc}rfe",
    "a & b",
    "two words",
    "plain",
    "\u{53f0}\u{5317} \u{65e5}\u{672c}\u{8a9e}",
    "&-",
    "[Gmail]",
    "NIL",
];

/// Names that Cyrus does not take, or Courier.
const DIFFICULT: [&str; 5] = ["quo\"ted", "back\\slash", "(parens) {3}", "100% *", "\u{1f600}"];

pub(crate) async fn create(peer: &Peer<'_>) {
    let client = peer.connect().await;
    for text in NAMES {
        let name = peer.name(&client, &[text]).await;
        client.create(name.clone()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        let refused = client.create(name.clone()).await;
        let Err(Error::Refused(refused)) = refused else { panic!("{text}: {refused:?}") };
        // Cyrus and Courier give no code.
        let has_code = refused.code == Some(Code::AlreadyExists);
        assert!(has_code || peer.server.name() != "Dovecot", "{refused:?}");
        assert_eq!(client.ensure(name.clone()).await.ok(), Some(false), "{text}");
        assert!(is_there(&client, &name).await, "{text}");
    }
    for text in DIFFICULT {
        let name = peer.name(&client, &[text]).await;
        match client.create(name.clone()).await {
            Ok(_) => assert!(is_there(&client, &name).await, "{text}"),
            refused => assert!(matches!(refused, Err(Error::Refused(_))), "{text}: {refused:?}"),
        }
    }
    let new = peer.name(&client, &["new"]).await;
    assert!(client.ensure(new).await.expect("it is made"));
    peer.end(client).await;
    for row in ["CREATE", "ensure", "exists"] {
        peer.done(row);
    }
}

pub(crate) async fn rename(peer: &Peer<'_>) {
    let client = peer.connect().await;
    for text in &NAMES[..2] {
        let (name, other) = (peer.name(&client, &[text]).await, peer.name(&client, &["other", text]).await);
        client.create(name.clone()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        client.append(Append::new(name.clone(), message(0))).await.expect("it is stored");
        client.rename(name.clone(), other.clone()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(!is_there(&client, &name).await && is_there(&client, &other).await, "{text}");
        let status = client.status(other.clone(), StatusItems::counts()).await.expect("it is answered");
        assert_eq!(status.messages, Some(1), "{text}");
        let gone = client.rename(name, other).await;
        // Courier says OK.
        let is_refused = matches!(gone, Err(Error::Refused(_)));
        assert!(is_refused || peer.server.name() == "Courier", "{text}: {gone:?}");
    }
    peer.end(client).await;
    peer.done("RENAME");
}

pub(crate) async fn delete(peer: &Peer<'_>) {
    let client = peer.connect().await;
    for text in &NAMES[..2] {
        let name = peer.name(&client, &[text]).await;
        client.create(name.clone()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        client.append(Append::new(name.clone(), message(0))).await.expect("it is stored");
        client.delete(name.clone()).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(!is_there(&client, &name).await, "{text}");
        let gone = client.delete(name).await;
        let Err(Error::Refused(refused)) = gone else { panic!("{text}: {gone:?}") };
        let has_code = refused.code == Some(Code::NonExistent);
        assert!(has_code || peer.server.name() != "Dovecot", "{refused:?}");
    }
    peer.end(client).await;
    peer.done("DELETE");
}

pub(crate) async fn special_use(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let name = peer.name(&client, &[]).await;
    let made = client.create(Create::new(name.clone()).special_use(SpecialUse::Important)).await;
    let row = "CREATE with a special use";
    if peer.done_or_unsupported(row, &client, Capability::CreateSpecialUse, made).await.is_some() {
        let entry = client.exists(name.clone()).await.expect("it is answered").expect("it is there");
        assert!(entry.special_use().is_none_or(|special_use| special_use == SpecialUse::Important));
        let used = client.list_all().await.expect("it is answered");
        let used = used.iter().find(|entry| *entry.name() == name).expect("it is among them");
        assert_eq!(used.special_use(), Some(SpecialUse::Important));
    }
    client.logout().await.expect("it says goodbye");
}

pub(crate) async fn status(peer: &Peer<'_>) {
    let (client, mailbox) = peer.begin((0..3).map(message)).await;
    let (name, uid_validity) = (mailbox.name().clone(), mailbox.uid_validity());
    let size: u64 = (0..3).map(|number| message(number).len() as u64).sum();
    client.examine(MailboxName::inbox()).await.expect("an INBOX");
    let (one, other) = tokio::join!(
        client.status(name.clone(), StatusItems::counts().uid_next().uid_validity()),
        client.status(MailboxName::inbox(), StatusItems::new().uid_validity()),
    );
    let status = one.expect("it is answered");
    assert_eq!((status.messages, status.unseen), (Some(3), Some(3)));
    assert_eq!((status.uid_next.map(u32::from), status.uid_validity), (Some(4), uid_validity));
    assert!(other.expect("it is answered").uid_validity.is_some());
    peer.done("STATUS");

    // What a server does not offer is left out of the command.
    let all = client.status(name.clone(), StatusItems::all()).await.expect("it is answered");
    assert_eq!((all.messages, all.recent.is_some()), (Some(3), true));
    // Nothing that stands behind MAILBOXID is relied upon, nor that it has a value: Cyrus was seen to send `MAILBOXID (!iq` and a
    // line end, where the identifier should be.
    let items = StatusItems::counts().size().highest_mod_seq();
    let status = client.status(name.clone(), items).await.expect("it is answered");
    let sized = offers(&client, &Capability::StatusSize).await;
    assert_eq!(status.size, sized.then_some(size));
    peer.done_with_or_without("STATUS (SIZE)", &client, Capability::StatusSize).await;
    let has_mod_seqs = offers(&client, &Capability::CondStore).await;
    assert_eq!(status.highest_mod_seq.is_some_and(|highest| highest > 0), has_mod_seqs);
    peer.done_with_or_without("STATUS (HIGHESTMODSEQ)", &client, Capability::CondStore).await;
    assert!(all.mailbox_id.is_none() || offers(&client, &Capability::ObjectId).await);
    peer.done_with_or_without("STATUS (MAILBOXID)", &client, Capability::ObjectId).await;
    peer.end(client).await;
}

/// Whether names travel in UTF-8 or in modified UTF-7, the caller sees the same.
pub(crate) async fn utf8(peer: &Peer<'_>) {
    // Nothing beyond the first plane of Unicode: other sessions of Courier end at the first LIST that comes upon such a name.
    const TEXT: &str = "Entw\u{fc}rfe & \u{65e5}\u{672c}";
    let client = peer.connect().await;
    let offered = offers(&client, &Capability::Utf8Accept).await;
    let enabled = client.enable([Capability::Utf8Accept]).await.expect("it is answered");
    assert_eq!(enabled.has(&Capability::Utf8Accept), offered);
    let name = peer.name(&client, &[TEXT]).await;
    client.create(name.clone()).await.expect("it is made");
    client.subscribe(name.clone()).await.expect("it is added");
    assert!(is_there(&client, &name).await);
    let subscribed = client.lsub("*").await.expect("it is answered");
    assert!(subscribed.iter().any(|entry| *entry.name() == name), "{subscribed:?}");
    let stored = client.append(Append::new(name.clone(), message(0))).await.expect("it is stored");
    let status = client.status(name.clone(), StatusItems::counts()).await.expect("it is answered");
    assert_eq!(status.messages, Some(1));
    let mailbox = client.select(name.clone()).await.expect("it is there");
    assert_eq!((mailbox.name(), mailbox.exists()), (&name, 1));
    let stored = stored.expect("the server says where");
    assert_eq!(crate::fetch::body_of(&mailbox, stored.uid).await, Some(message(0)));
    let other = peer.connect().await;
    assert!(is_there(&other, &name).await, "it is the same for who has not enabled anything");
    other.logout().await.expect("it says goodbye");
    client.unsubscribe(name.clone()).await.expect("it is taken away");
    client.examine(MailboxName::inbox()).await.expect("an INBOX");
    client.delete(name.clone()).await.expect("it is removed");
    assert!(!is_there(&client, &name).await);
    peer.done_with_or_without("ENABLE UTF8=ACCEPT", &client, Capability::Utf8Accept).await;
    peer.end(client).await;
}
