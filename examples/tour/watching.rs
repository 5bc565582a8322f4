use imap_examples::Fallible;
use imap_tokio::command::Append;
use imap_tokio::wire::grammar::Unsolicited;
use imap_tokio::{Client, Connector, Notice};

use crate::heading;

/// Waits for a message that another connection brings.
pub(crate) async fn one_arrives(client: &Client, connector: &Connector) -> Fallible<()> {
    heading("Watching INBOX");
    let inbox = client.select("INBOX").await?;
    let other = connector.connect().await?;
    let mut watch = inbox.watch();
    while let Some(notice) = watch.try_next().await? {
        match notice {
            Notice::Idling => {
                println!("idle with {} messages; another connection brings one more", inbox.exists());
                let message = &b"From: Bob <bob@example.org>\r\nSubject: news\r\n\r\nHere I am.\r\n"[..];
                other.append(Append::new("INBOX", message)).await?;
            }
            notice => {
                if let Some(Unsolicited::Exists(exists)) = notice.unsolicited() {
                    println!("the server says: {exists} messages");
                    break;
                }
            }
        }
    }
    other.logout().await?;
    Ok(())
}
