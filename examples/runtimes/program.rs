//! One program for three runtimes. The files beside this one name the crate of theirs `imap`, and have a `main`: that is all
//! they differ in.
//!
//! ```text
//! on_smol imaps://alice@imap.example.org          what is new, and a fetch dropped half-way
//! ```
//!
//! `imap://` begins with STARTTLS, `imap+plaintext://` stays in clear text; `--ca FILE` trusts another root, in PEM. The
//! password comes from `IMAP_PASSWORD` or is asked for.

use imap_examples::{Account, Fallible, decoded, take_option};

use crate::imap::types::{FetchItems, Query, SeqNum, SeqSet};
use crate::imap::{Connector, Credentials, Security};

/// How many of the newest messages are shown.
const NEWEST: u32 = 10;

pub(crate) async fn run() -> Fallible<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let ca = take_option(&mut arguments, "--ca")?;
    let [url] = &arguments[..] else { return Err("wanted: [--ca FILE] imaps://user@host[:port]".into()) };
    let account = Account::named(url, ca.as_deref())?;
    let login = Credentials::password(account.user, account.password);
    let mut connector = Connector::new(account.host).credentials(login);
    connector = match account.security {
        Security::StartTls => connector.starttls(),
        Security::Plaintext => connector.plaintext(),
        Security::ImplicitTls => connector,
    };
    if let Some(port) = account.port {
        connector = connector.port(port);
    }
    for root in account.roots {
        connector = connector.root(root);
    }

    let client = connector.connect().await?;
    let inbox = client.examine("INBOX").await?;
    let (count, unseen) = (inbox.exists(), inbox.search(Query::unseen()).await?.len());
    println!("{count} messages, {unseen} of them unseen");

    // Dropped after its first message: the rest is read over in the background, and the next call is answered rightly.
    let mut all = inbox.fetch(SeqSet::all(), FetchItems::summary());
    all.try_next().await?;
    drop(all);

    if let Some(last) = SeqNum::new(count) {
        let first = SeqNum::new(count.saturating_sub(NEWEST - 1)).unwrap_or(SeqNum::MIN);
        let mut newest = inbox.fetch(SeqSet::from(first..=last), FetchItems::summary());
        while let Some(message) = newest.try_next().await? {
            let subject = message.get().envelope().and_then(|envelope| envelope.subject()).map(decoded);
            println!("{:>6}  {}", message.seq(), subject.unwrap_or_default());
        }
    }
    Ok(client.logout().await?)
}
