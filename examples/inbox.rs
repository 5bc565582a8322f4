//! An inbox, listed, read, uploaded to and watched.
//!
//! ```text
//! inbox imaps://alice@imap.example.org                    one line a message
//! inbox imaps://alice@imap.example.org save 42 FILE       one message into a file
//! inbox imaps://alice@imap.example.org upload FILE        a file into the inbox
//! inbox imaps://alice@imap.example.org watch              what happens, until interrupted
//! ```
//!
//! `imap://` begins with STARTTLS, `imap+plaintext://` stays in clear text. The password comes from `IMAP_PASSWORD`
//! or is asked for. `--ca FILE` trusts another root, in PEM; `--stats` says what it took.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use imap_examples::{Fallible, connector, decoded, take_option, take_switch};
use imap_tokio::types::{FetchItems, Flag, Section, Uid, UidSet};
use imap_tokio::{Client, FetchedMessage, Notice, read_from};
use tokio::io::AsyncWriteExt;

const USAGE: &str = "usage: inbox [--ca FILE] [--stats] imaps://user@host[:port] [save UID FILE | upload FILE | watch]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Fallible<()> {
    let began = Instant::now();
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let stats = take_switch(&mut arguments, "--stats");
    let ca = take_option(&mut arguments, "--ca")?;
    let (url, action) = arguments.split_first().ok_or(USAGE)?;

    let client = connector(url, ca.as_deref())?.connect().await?;
    let action: Vec<&str> = action.iter().map(String::as_str).collect();
    let first = match action[..] {
        [] => list(&client).await?,
        ["save", uid, file] => save(&client, uid.parse().map_err(|_| USAGE)?, Path::new(file)).await?,
        ["upload", file] => upload(&client, Path::new(file)).await?,
        ["watch"] => watch(&client).await?,
        _ => return Err(USAGE.into()),
    };
    client.logout().await?;
    if stats {
        let first = first.map_or(0.0, |first| (first - began).as_secs_f64());
        eprintln!("first after {first:.3} s, all after {:.3} s, peak memory {}", began.elapsed().as_secs_f64(), peak());
    }
    Ok(())
}

/// Prints one line a message; returns when the first one came.
async fn list(client: &Client) -> Fallible<Option<Instant>> {
    let inbox = client.examine("INBOX").await?;
    let mut messages = inbox.fetch(UidSet::all(), FetchItems::summary());
    let mut first = None;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    while let Some(message) = messages.try_next().await? {
        write_line(&mut out, &message)?;
        if first.is_none() {
            out.flush()?;
            first = Some(Instant::now());
        }
    }
    out.flush()?;
    Ok(first)
}

fn write_line(out: &mut impl Write, message: &FetchedMessage) -> std::io::Result<()> {
    let fetch = message.get();
    let Some(envelope) = fetch.envelope() else {
        // A FETCH with news of flags alone may come in between.
        return Ok(());
    };
    let seen = fetch.flags().is_some_and(|flags| flags.contains("\\Seen"));
    let date = fetch.internal_date().map(|date| date.to_str().into_owned()).unwrap_or_default();
    let sender = envelope.from().iter().next().and_then(|from| from.name().or(from.mailbox()));
    let sender = sender.map(decoded).unwrap_or_default();
    let subject = envelope.subject().map(decoded).unwrap_or_default();
    let mark = if seen { ' ' } else { '*' };
    writeln!(
        out,
        "{mark} {:>6}  {date:<26}  {sender:<24.24}  {:>9}  {subject}",
        message.uid(),
        fetch.size().unwrap_or(0)
    )
}

async fn save(client: &Client, uid: u32, file: &Path) -> Fallible<Option<Instant>> {
    let uid = Uid::new(uid).ok_or("a UID is at least 1")?;
    let inbox = client.examine("INBOX").await?;
    let mut body = inbox.body(uid, Section::whole());
    // Nothing is written before there is a message.
    let mut octets = body.try_next().await?;
    if !body.existed() && octets.is_none() {
        return Err("no such message".into());
    }
    let first = octets.is_some().then(Instant::now);
    let mut file = tokio::fs::File::create(file).await?;
    let mut len = 0;
    while let Some(chunk) = octets {
        len += chunk.len();
        file.write_all(&chunk).await?;
        octets = body.try_next().await?;
    }
    file.flush().await?;
    println!("{len} octets");
    Ok(first)
}

async fn upload(client: &Client, file: &Path) -> Fallible<Option<Instant>> {
    let file = tokio::fs::File::open(file).await?;
    let len = file.metadata().await?.len();
    let stored = client.append_from("INBOX", len, read_from(file), |append| append.flags([Flag::Seen]));
    match stored.await? {
        Some(stored) => println!("stored as {}", stored.uid),
        None => println!("stored"),
    }
    Ok(Some(Instant::now()))
}

async fn watch(client: &Client) -> Fallible<Option<Instant>> {
    let inbox = client.examine("INBOX").await?;
    println!("{} messages", inbox.exists());
    let mut notices = inbox.watch();
    while let Some(notice) = notices.try_next().await? {
        match notice {
            Notice::Idling => println!("watching"),
            Notice::Response(response) => println!("{}", response.get().raw().escape_ascii()),
            Notice::Lagged(missed) => println!("{missed} left out"),
            _ => {}
        }
    }
    Ok(None)
}

/// The most memory that was resident, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".into(), |line| line.trim().into())
}
