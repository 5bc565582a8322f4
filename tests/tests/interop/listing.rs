//! Which mailboxes there are: LIST with every option, LSUB, and subscriptions.

use imap_tests::mailbox::message;
use imap_tokio::Client;
use imap_tokio::command::{Append, List};
use imap_tokio::types::{Capability, ListEntry, MailboxAttribute, MailboxName, SpecialUse, StatusItems};

use crate::peer::{Peer, offers};

/// `a`, `a/b`, `a/b/c` and `x`, of which the last two are subscribed, below a mailbox of the operation's own.
struct Tree<'a> {
    peer: &'a Peer<'a>,
    client: Client,
    /// The name of the mailbox above them, with the delimiter at its end.
    above: String,
    delimiter: char,
}

const MAILBOXES: [&str; 4] = ["a", "a/b", "a/b/c", "x"];

impl<'a> Tree<'a> {
    async fn grow(peer: &'a Peer<'a>) -> Self {
        let client = peer.connect().await;
        let delimiter = peer.namespace(&client).await.delimiter.expect("names have levels");
        let above = peer.name(&client, &[]).await;
        client.create(above.clone()).await.expect("it is made");
        let tree = Tree { peer, client, above: format!("{above}{delimiter}"), delimiter };
        for text in MAILBOXES {
            tree.client.create(tree.name(text)).await.expect("it is made");
        }
        for text in ["a/b/c", "x"] {
            tree.client.subscribe(tree.name(text)).await.expect("it is added");
        }
        tree
    }

    async fn unsubscribe(self) {
        for text in ["a/b/c", "x"] {
            self.client.unsubscribe(self.name(text)).await.expect("it is taken away");
        }
        assert!(self.list(List::new(&*self.pattern("*")).select_subscribed()).await.is_empty());
        self.peer.end(self.client).await;
    }

    /// The pattern with the name above before it, and the server's delimiter.
    fn pattern(&self, text: &str) -> String {
        self.above.clone() + &text.replace('/', &self.delimiter.to_string())
    }

    fn name(&self, text: &str) -> MailboxName {
        MailboxName::new(self.pattern(text)).expect("a name")
    }

    async fn list(&self, list: List) -> Vec<ListEntry> {
        self.client.list(list).await.expect("it is answered")
    }

    /// Their names as they are written here, sorted.
    fn names(&self, entries: &[ListEntry]) -> Vec<String> {
        let short = |entry: &ListEntry| {
            let name = entry.name().as_str();
            name.strip_prefix(&self.above).unwrap_or(name).replace(self.delimiter, "/")
        };
        let mut names: Vec<String> = entries.iter().map(short).collect();
        names.sort_unstable();
        names
    }

    fn find<'e>(&self, entries: &'e [ListEntry], text: &str) -> &'e ListEntry {
        let name = self.name(text);
        entries.iter().find(|entry| *entry.name() == name).unwrap_or_else(|| panic!("{text} is not in {entries:?}"))
    }

    async fn extended(&self, row: &'static str) -> bool {
        self.peer.done_with_or_without(row, &self.client, Capability::ListExtended).await;
        offers(&self.client, &Capability::ListExtended).await
    }
}

pub(crate) async fn selecting(peer: &Peer<'_>) {
    let tree = Tree::grow(peer).await;
    let below = |text: &str| List::new(&*tree.pattern(text));
    let found = tree.list(below("%")).await;
    assert_eq!(tree.names(&found), ["a", "x"]);
    assert!(found.iter().all(|entry| entry.is_selectable() && entry.delimiter() == Some(tree.delimiter)));
    assert_eq!(tree.names(&tree.list(below("*")).await), MAILBOXES);
    let all = tree.list(List::all()).await;
    assert!(all.iter().any(|entry| entry.name().is_inbox()));
    assert_eq!(tree.find(&all, "a/b/c").levels().last(), Some("c"));
    peer.done("LIST");

    assert_eq!(tree.names(&tree.list(below("a/%").or(&*tree.pattern("x"))).await), ["a/b", "x"]);
    tree.extended("LIST of several patterns").await;

    assert_eq!(tree.names(&tree.list(List::new("%").below(tree.name("a/"))).await), ["a/b"]);
    peer.done("LIST below a reference");

    let subscribed = tree.list(below("*").select_subscribed()).await;
    assert_eq!(tree.names(&subscribed), ["a/b/c", "x"]);
    assert!(subscribed.iter().all(ListEntry::is_subscribed));
    tree.extended("LIST (SUBSCRIBED)").await;

    let above = tree.list(below("%").select_subscribed().recursive_match()).await;
    assert_eq!(tree.names(&above), ["a", "x"]);
    if tree.extended("LIST (RECURSIVEMATCH)").await {
        assert_eq!(tree.find(&above, "a").child_info().collect::<Vec<_>>(), ["SUBSCRIBED"]);
    }
    assert!(!tree.find(&above, "a").is_subscribed() && tree.find(&above, "x").is_subscribed());

    assert_eq!(tree.names(&tree.list(below("*").select_remote()).await), MAILBOXES);
    tree.extended("LIST (REMOTE)").await;

    let mut told = tree.client.lsub(&*tree.pattern("*")).await.expect("it is answered");
    // Courier tells those above them, too.
    told.retain(ListEntry::is_subscribed);
    assert_eq!(tree.names(&told), ["a/b/c", "x"]);
    peer.done("LSUB");
    tree.unsubscribe().await;
    peer.done("SUBSCRIBE");
    peer.done("UNSUBSCRIBE");
}

pub(crate) async fn returning(peer: &Peer<'_>) {
    let tree = Tree::grow(peer).await;
    let below = |text: &str| List::new(&*tree.pattern(text));
    let told = tree.list(below("*").return_subscribed()).await;
    assert_eq!(tree.names(&told), MAILBOXES);
    assert!(!tree.find(&told, "a").is_subscribed());
    let extended = tree.extended("LIST RETURN (SUBSCRIBED)").await;
    assert_eq!(tree.find(&told, "x").is_subscribed(), extended);

    let told = tree.list(below("*").return_children()).await;
    assert_eq!(tree.names(&told), MAILBOXES);
    assert_eq!(tree.find(&told, "a").has_children(), Some(true));
    assert_eq!(tree.find(&told, "x").has_children(), Some(false));
    assert!(tree.find(&told, "a").attributes().has(&MailboxAttribute::HasChildren));
    tree.extended("LIST RETURN (CHILDREN)").await;

    let all = tree.client.list_all().await.expect("it is answered");
    assert_eq!(tree.names(&all).iter().filter(|name| MAILBOXES.contains(&name.as_str())).count(), MAILBOXES.len());
    assert_eq!(tree.find(&all, "x").is_subscribed(), extended);
    tree.extended("list_all").await;

    for number in 0..3 {
        tree.client.append(Append::new(tree.name("x"), message(number))).await.expect("it is stored");
    }
    let items = StatusItems::counts().uid_next();
    let told = tree.list(below("*").return_status(items)).await;
    assert_eq!(tree.names(&told), MAILBOXES);
    let offered = offers(&tree.client, &Capability::ListStatus).await;
    let filled = tree.client.list_with_status(below("*"), items).await.expect("it is answered");
    assert_eq!(tree.names(&filled), MAILBOXES);
    for (entry, filled) in told.iter().zip(&filled) {
        let messages = if *entry.name() == *tree.name("x").as_str() { 3 } else { 0 };
        let status = filled.status().unwrap_or_else(|| panic!("{filled:?}"));
        assert_eq!((status.messages, status.unseen), (Some(messages), Some(messages)), "{}", entry.name());
        assert_eq!(Some(status), tree.client.status(entry.name().clone(), items).await.ok().as_ref());
        assert_eq!(entry.status(), offered.then_some(status));
    }
    peer.done_with_or_without("LIST RETURN (STATUS)", &tree.client, Capability::ListStatus).await;
    peer.done_with_or_without("list_with_status", &tree.client, Capability::ListStatus).await;
    tree.unsubscribe().await;
}

pub(crate) async fn special_use(peer: &Peer<'_>) {
    let client = peer.connect().await;
    let namespace = peer.namespace(&client).await;
    let name = |text: &str| namespace.mailbox(&[text]).expect("a name");
    for text in ["Sent", "Drafts"] {
        client.ensure(name(text)).await.expect("it is there");
    }
    let offered = offers(&client, &Capability::SpecialUse).await;
    let expected = offered.then_some(SpecialUse::Sent);
    let used = client.list(List::all().select_special_use()).await.expect("it is answered");
    assert_eq!(used.iter().find(|entry| *entry.name() == name("Sent")).and_then(ListEntry::special_use), expected);
    assert!(used.iter().all(|entry| entry.special_use().is_some()), "{used:?}");
    peer.done_with_or_without("LIST (SPECIAL-USE)", &client, Capability::SpecialUse).await;
    let all = client.list(List::all().return_special_use()).await.expect("it is answered");
    let sent = all.iter().find(|entry| *entry.name() == name("Sent")).expect("it is among them");
    assert_eq!(sent.special_use(), expected);
    assert!(all.iter().any(|entry| entry.special_use().is_none()));
    peer.done_with_or_without("LIST RETURN (SPECIAL-USE)", &client, Capability::SpecialUse).await;
    client.logout().await.expect("it says goodbye");
}
