//! Says what arrives in an inbox, however often the connection is lost, and leaves out nothing that came meanwhile.
//!
//! ```text
//! new_mail [--ca FILE] imaps://alice@imap.example.org
//! ```
//!
//! The password comes from `IMAP_PASSWORD` or is asked for. What becomes of the connection is said on stderr.

use std::time::Duration;

use imap_examples::{Fallible, connector, decoded, take_option};
use imap_tokio::types::{FetchItems, Uid, UidSet};
use imap_tokio::wire::grammar::Unsolicited;
use imap_tokio::{Error, Mailbox, Notice, ReconnectPolicy};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let ca = take_option(&mut arguments, "--ca")?;
    let [url] = &arguments[..] else { return Err("wanted: [--ca FILE] imaps://user@host[:port]".into()) };
    let forever = ReconnectPolicy::default().attempts(u32::MAX).give_up_after(Duration::MAX);
    let session = connector(url, ca.as_deref())?.reconnecting(forever);
    let mut events = session.events();
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            eprintln!("{event:?}");
        }
    });

    let inbox = session.examine("INBOX").await?;
    let mut next = inbox.get().await?.selected().uid_next.unwrap_or(Uid::MIN);
    loop {
        // The UIDs that are counted by are good: a mailbox where they are not what they were is refused.
        let mailbox = inbox.get().await?;
        match tell_new(&mailbox, &mut next).await {
            Err(error) if error.is_fatal() => {}
            ended => return Ok(ended?),
        }
    }
}

/// Tells of what is new from `next` on, until the connection ends.
async fn tell_new(mailbox: &Mailbox, next: &mut Uid) -> Result<(), Error> {
    let mut watch = mailbox.watch();
    let mut is_known = false;
    while let Some(notice) = watch.try_next().await? {
        let is_new = match notice {
            // From here on nothing is missed: what came before is asked for once.
            Notice::Idling => !std::mem::replace(&mut is_known, true),
            notice => matches!(notice.unsolicited(), Some(Unsolicited::Exists(_))),
        };
        if !is_new {
            continue;
        }
        eprintln!("looking from {next} on");
        let mut messages = mailbox.fetch(UidSet::from_start(*next), FetchItems::summary());
        while let Some(message) = messages.try_next().await? {
            // The last message of all is in every open set. RFC 9051 §9
            if message.uid() >= *next {
                let subject = message.get().envelope().and_then(|envelope| envelope.subject()).map(decoded);
                println!("{:>6}  {}", message.uid(), subject.unwrap_or_default());
                *next = Uid::new(message.uid().get().saturating_add(1)).unwrap_or(Uid::MAX);
            }
        }
    }
    Ok(())
}
