use imap_examples::Fallible;
use imap_tokio::Client;
use imap_tokio::command::List;
use imap_tokio::types::{ListEntry, StatusItems};

use crate::heading;

/// The folder tree, with what each folder is for and how full it is.
pub(crate) async fn show(client: &Client) -> Fallible<()> {
    heading("Folders");
    let list = List::all().return_children().return_special_use();
    let mut folders = client.list_with_status(list, StatusItems::counts()).await?;
    folders.sort_by_key(|folder| (!folder.name().is_inbox(), folder.name().as_str().to_lowercase()));
    for folder in &folders {
        println!("{}", line(folder));
    }
    Ok(())
}

fn line(folder: &ListEntry) -> String {
    let levels: Vec<&str> = folder.levels().collect();
    let name = format!("{}{}", "  ".repeat(levels.len().saturating_sub(1)), levels.last().copied().unwrap_or_default());
    let purpose = folder.special_use().map(|purpose| format!("{purpose:?}")).unwrap_or_default();
    let count = match folder.status() {
        Some(status) => {
            let (all, unseen) = (status.messages.unwrap_or(0), status.unseen.unwrap_or(0));
            if unseen > 0 { format!("{all:>7}  {unseen} unread") } else { format!("{all:>7}") }
        }
        None => String::new(),
    };
    format!("{name:<28} {purpose:<10} {count}").trim_end().to_owned()
}
