use imap_examples::{Fallible, decoded};
use imap_tokio::types::{FetchItems, Flag, Query, Section, Uid, UidSet};
use imap_tokio::wire::grammar::BodyStructure;
use imap_tokio::{FetchedMessage, Mailbox};
use mail_parser::MessageParser;

use crate::heading;

/// As many messages as fit on a screen.
const SHOWN: u64 = 20;

/// A table of the newest messages; returns the UID of the newest that has a subject.
pub(crate) async fn show(inbox: &Mailbox) -> Fallible<Option<Uid>> {
    heading(&format!("The newest of {} messages in {}", inbox.exists(), inbox.name()));
    let newest = inbox.search(Query::all()).await?.split_back(SHOWN);
    println!("{:>6}  {:<10}  {:<22}  {:<44}  {:>9}  flags", "uid", "date", "from", "subject", "octets");
    let mut messages = inbox.fetch(&newest, FetchItems::summary().body_structure());
    let mut last = None;
    while let Some(message) = messages.try_next().await? {
        println!("{}", line(&message));
        let subject = message.get().envelope().and_then(|envelope| envelope.subject());
        last = subject.map(|_| message.uid()).or(last);
    }
    Ok(last)
}

fn line(message: &FetchedMessage) -> String {
    let fetch = message.get();
    let envelope = fetch.envelope();
    let from = envelope.and_then(|envelope| envelope.from().iter().next());
    let from = from.and_then(|from| from.name().or(from.mailbox())).map(decoded).unwrap_or_default();
    let subject = envelope.and_then(|envelope| envelope.subject()).map(decoded).unwrap_or_default();
    let date = message.internal_date().map(|date| date.date().to_string()).unwrap_or_default();
    let flags = message.flags().unwrap_or_default();
    // It says more about sessions than about the message.
    let flags: Vec<String> = flags.iter().filter(|flag| **flag != Flag::Recent).map(Flag::to_string).collect();
    let attachments = match fetch.body_structure().map_or(0, attachments) {
        0 => String::new(),
        1 => "  1 attachment".to_owned(),
        count => format!("  {count} attachments"),
    };
    let (uid, size) = (message.uid(), fetch.size().unwrap_or(0));
    let line =
        format!("{uid:>6}  {date:<10}  {from:<22.22}  {subject:<44.44}  {size:>9}  {}{attachments}", flags.join(" "));
    line.trim_end().to_owned()
}

fn attachments(structure: BodyStructure<'_>) -> usize {
    let mut walk = structure.walk();
    let mut count = 0;
    while let Some(part) = walk.advance() {
        count += usize::from(part.disposition().is_some_and(|how| how.kind().eq_ignore_ascii_case("attachment")));
    }
    count
}

/// What a search finds.
pub(crate) async fn search(inbox: &Mailbox) -> Fallible<()> {
    heading("Searches");
    let queries = [
        ("unread", Query::unseen()),
        ("flagged, or larger than 10,000 octets", Query::flagged().or(Query::larger(10_000))),
        ("a word in the subject, and read", Query::subject("plan").and(Query::seen())),
    ];
    for (what, query) in queries {
        let found: UidSet = inbox.search(query.clone()).await?;
        println!("{what}: {} messages, {query} found {found}", found.len());
    }
    Ok(())
}

/// One message as text, downloaded piece by piece.
pub(crate) async fn read(inbox: &Mailbox, uid: Uid) -> Fallible<()> {
    heading(&format!("Message {uid}"));
    let mut body = inbox.body(uid, Section::whole());
    let mut octets = Vec::new();
    while let Some(chunk) = body.try_next().await? {
        octets.extend_from_slice(&chunk);
    }
    let message = MessageParser::default().parse(&octets).ok_or("no message at all")?;
    println!("Subject: {}\n", message.subject().unwrap_or("(none)"));
    let text = message.body_text(0).unwrap_or_default();
    for line in text.lines().take(12) {
        println!("  {line}");
    }
    Ok(())
}
