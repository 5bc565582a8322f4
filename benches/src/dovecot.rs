//! `imap-benches dovecot`: whole clients against a real server on loopback, each in a process of its own.
//!
//! A process says what it used between connecting and being done: time by the clock, user and system time, and the most
//! memory that was resident, its program's own included. The contenders take turns; what is told are medians.

mod clients;

use std::collections::BTreeMap;
use std::env;
use std::fs::create_dir_all;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use imap_tests::mailbox::{add_to_maildir, big_message, fill_maildir};
use imap_tests::servers::{Dovecot, Server};

use crate::options::Sizes;
use crate::record::Record;
use crate::usage;

/// What is to be done, and how many of what must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// UID, flags, date, size and envelope of all messages.
    A,
    /// And their structure.
    B,
    /// All mailboxes.
    List,
    /// One large message.
    Body,
}

/// The one who runs as a script.
const SCRIPTED: &str = "imaplib";
const SCRIPT: &str = include_str!("dovecot/imaplib_client.py");
/// The user with many messages and folders; the other one has a large message.
const MANY: &str = "alice";
const LARGE: &str = "carol";

impl Work {
    const ALL: [Self; 4] = [Self::A, Self::B, Self::List, Self::Body];

    fn key(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::List => "LIST",
            Self::Body => "BODY",
        }
    }

    fn name(self, sizes: &Sizes) -> String {
        match self {
            Self::A => format!("A, {} ENVELOPE", sizes.messages),
            Self::B => format!("B, {} + BODYSTRUCTURE", sizes.messages),
            Self::List => format!("LIST, {} folders", sizes.folders),
            Self::Body => format!("one body of {} MiB", sizes.megabytes),
        }
    }

    /// To name messages in another way makes no other way to list mailboxes.
    fn is_for(self, contender: &str) -> bool {
        contender != clients::BY_NUMBER || matches!(self, Self::A | Self::B)
    }

    fn user(self) -> &'static str {
        if self == Self::Body { LARGE } else { MANY }
    }

    /// Messages, mailboxes or octets.
    fn expected(self, sizes: &Sizes) -> u64 {
        let count = match self {
            Self::A | Self::B => sizes.messages,
            Self::List => sizes.folders + 1,
            Self::Body => sizes.megabytes << 20,
        };
        count as u64
    }
}

/// Fills a server and lets everyone do everything; nothing where Dovecot is not installed.
///
/// # Errors
///
/// What the file system says, and what a client says that fails.
pub fn run(sizes: &Sizes) -> Result<Vec<Record>, String> {
    let Some(server) = Dovecot::start() else { return Ok(Vec::new()) };
    fill(&server, sizes).map_err(|error| error.to_string())?;
    let contenders: Vec<_> = clients::NAMES.into_iter().filter(|name| sizes.wants(name)).collect();
    let mut records = Vec::new();
    for work in Work::ALL {
        // The first one makes Dovecot read all messages; what it learnt it keeps.
        eprintln!("{}", work.name(sizes));
        once("reader", work, &server, sizes)?;
        let contenders: Vec<_> = contenders.iter().copied().filter(|name| work.is_for(name)).collect();
        let mut found: BTreeMap<&str, Vec<[f64; 3]>> = BTreeMap::new();
        for round in 0..sizes.rounds {
            for at in 0..contenders.len() {
                let name = contenders[(round + at) % contenders.len()];
                found.entry(name).or_default().push(once(name, work, &server, sizes)?);
            }
        }
        for name in &contenders {
            let median = |value: usize| {
                let mut values: Vec<_> = found[name].iter().map(|values| values[value]).collect();
                values.sort_by(f64::total_cmp);
                values[values.len() / 2]
            };
            let values = vec![("wall_ms", median(0)), ("cpu_ms", median(1)), ("peak_rss_mib", median(2))];
            records.push(Record::new(work.name(sizes), *name, values));
        }
    }
    Ok(records)
}

fn fill(server: &Dovecot, sizes: &Sizes) -> io::Result<()> {
    let maildir = server.maildir(MANY);
    fill_maildir(&maildir, sizes.messages as u64)?;
    for n in 0..sizes.folders {
        folder(&maildir, &format!(".Folder {n}"))?;
    }
    add_to_maildir(&server.maildir(LARGE), 0, &big_message((sizes.megabytes as u64) << 20))
}

/// A mailbox of Maildir++.
fn folder(maildir: &Path, name: &str) -> io::Result<()> {
    let owner = maildir.metadata()?;
    let dir = maildir.join(name);
    for part in [dir.clone(), dir.join("cur"), dir.join("new"), dir.join("tmp")] {
        create_dir_all(&part)?;
        chown(part, Some(owner.uid()), Some(owner.gid()))?;
    }
    Ok(())
}

/// One contender in a process of its own: milliseconds by the clock and of CPU, MiB of memory.
fn once(contender: &str, work: Work, server: &Dovecot, sizes: &Sizes) -> Result<[f64; 3], String> {
    let port = server.plain_port().to_string();
    let mut client = if contender == SCRIPTED {
        let mut python = Command::new("python3");
        python.args(["-c", SCRIPT]);
        python
    } else {
        let mut this = Command::new(env::current_exe().map_err(|error| error.to_string())?);
        this.args(["dovecot-client", contender]);
        this
    };
    client.args([work.key(), &port, work.user(), Dovecot::PASSWORD]);
    let output = client.stderr(Stdio::inherit()).output().map_err(|error| format!("{contender}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match words[..] {
        [count, wall, cpu, memory] if contender == "reader" || count == work.expected(sizes) as f64 => {
            Ok([wall, cpu, memory])
        }
        _ => Err(format!("{contender} at {}: {text:?} of {}", work.key(), work.expected(sizes))),
    }
}

/// What [`run`] starts: one client, which says what it found and what it used.
///
/// # Errors
///
/// A sentence about arguments that are not understood.
pub fn client(args: &[String]) -> Result<(), String> {
    let [contender, work, port, user, password] = args else { return Err("a client has five arguments".to_owned()) };
    let work = Work::ALL.into_iter().find(|known| known.key() == work).ok_or("there is no such work")?;
    let port = port.parse().map_err(|_| "this is no port")?;
    let (began, cpu) = (Instant::now(), usage::cpu());
    let count = clients::run(contender, work, &clients::Login { port, user, password })?;
    let (wall, cpu) = (began.elapsed(), usage::cpu() - cpu);
    let memory = usage::peak_resident() as f64 / f64::from(1 << 20);
    println!("{count} {} {} {memory}", wall.as_secs_f64() * 1e3, cpu.as_secs_f64() * 1e3);
    Ok(())
}
