//! The command line, for the timing and for the counting binary.

use std::io;
use std::path::PathBuf;

use crate::corpus::{Corpus, Kind};

/// How the command line is written.
pub const USAGE: &str = "\
usage: imap-benches peers|tokens [--corpus-only A,B,…] [--corpus FILE] [--contender-only TEXT|TEXT]
                          [--chunk OCTETS|whole,…] [--rounds N] [--json FILE] [--no-count]
       imap-benches roundtrips [--commands N] [--mailboxes N] [--messages N]
       imap-benches scale      [--connections N] [--dovecot N] [--seconds N]
       imap-benches sending    [--messages N] [--megabytes N]
       imap-benches dovecot    [--messages N] [--folders N] [--megabytes N] [--rounds N]
       imap-benches compress   [--messages N] [--rounds N]
                          each with [--contender-only TEXT|TEXT] [--json FILE]";

/// What is to be done.
#[derive(Clone, Debug)]
pub enum Task {
    /// Receives corpora, beside the peers.
    Peers(Options),
    /// Counts round trips over a slow link.
    Roundtrips(Sizes),
    /// Holds many connections idle.
    Scale(Sizes),
    /// Sends much.
    Sending(Sizes),
    /// Runs clients against a real server, one after another.
    Dovecot(Sizes),
    /// Fetches from a real server, compressed and not.
    Compress(Sizes),
    /// Is one of these clients.
    DovecotClient(Vec<String>),
}

impl Task {
    /// Reads the command line without the program's name.
    ///
    /// # Errors
    ///
    /// A sentence about the argument that is not understood.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let (name, args) = args.split_first().ok_or("there is nothing to do")?;
        let args = args.iter().cloned();
        match name.as_str() {
            "peers" => Options::parse(args).map(Self::Peers),
            "tokens" => Options::tokens(args).map(Self::Peers),
            "roundtrips" => Sizes { messages: 100, ..Sizes::default() }.parse(args).map(Self::Roundtrips),
            "scale" => Sizes::default().parse(args).map(Self::Scale),
            "sending" => Sizes { megabytes: 1024, ..Sizes::default() }.parse(args).map(Self::Sending),
            "dovecot-client" => Ok(Self::DovecotClient(args.collect())),
            "compress" => Sizes::default().parse(args).map(Self::Compress),
            "dovecot" => Sizes::default().parse(args).map(Self::Dovecot),
            _ => Err(format!("there is no {name}")),
        }
    }
}

/// How much of everything, where it is not corpora that are measured.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Messages in a mailbox.
    pub messages: usize,
    /// Mailboxes to be listed.
    pub folders: usize,
    /// Mailboxes to be synchronised.
    pub mailboxes: usize,
    /// Commands at once.
    pub commands: usize,
    /// Connections to the server in this process.
    pub connections: usize,
    /// Connections to Dovecot; none where it is 0.
    pub dovecot: usize,
    /// How long idle connections are watched.
    pub seconds: u64,
    /// The size of a large message.
    pub megabytes: usize,
    /// How often each contender has its turn.
    pub rounds: usize,
    /// Only contenders with this in their name; several with bars between them.
    pub contender: Option<String>,
    /// Where one JSON object a line goes.
    pub json: Option<PathBuf>,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            messages: 20_000,
            folders: 2_000,
            mailboxes: 20,
            commands: 1_000,
            connections: 10_000,
            dovecot: 2_000,
            seconds: 5,
            megabytes: 25,
            rounds: 5,
            contender: None,
            json: None,
        }
    }
}

impl Sizes {
    fn parse(mut self, mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        while let Some(arg) = args.next() {
            let value = args.next().ok_or_else(|| format!("{arg} is unknown or lacks its value"))?;
            match arg.as_str() {
                "--messages" => self.messages = positive(&value)?,
                "--folders" => self.folders = positive(&value)?,
                "--mailboxes" => self.mailboxes = positive(&value)?,
                "--commands" => self.commands = positive(&value)?,
                "--connections" => self.connections = positive(&value)?,
                "--dovecot" if value == "0" => self.dovecot = 0,
                "--dovecot" => self.dovecot = positive(&value)?,
                "--seconds" => self.seconds = positive(&value)? as u64,
                "--megabytes" => self.megabytes = positive(&value)?,
                "--rounds" => self.rounds = positive(&value)?,
                "--contender-only" => self.contender = Some(value),
                "--json" => self.json = Some(value.into()),
                _ => return Err(format!("{arg} is unknown")),
            }
        }
        Ok(self)
    }

    /// Whether a contender takes part.
    pub fn wants(&self, contender: &str) -> bool {
        is_named(self.contender.as_deref(), contender)
    }
}

/// Which corpora are received by whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// The corpora.
    pub kinds: Vec<Kind>,
    /// What was recorded of a server, in place of these.
    pub recorded: Option<PathBuf>,
    /// At most so many octets at a time, `usize::MAX` for the whole corpus at once; a table for each.
    pub chunks: Vec<usize>,
    /// Rounds over all contenders.
    pub rounds: usize,
    /// Only contenders with this in their name; several with bars between them.
    pub contender: Option<String>,
    /// Where one JSON object a line goes.
    pub json: Option<PathBuf>,
    /// Whether allocations are counted, in a process of its own.
    pub counting: bool,
}

impl Options {
    /// Reads the arguments behind `peers`.
    ///
    /// # Errors
    ///
    /// A sentence about the argument that is not understood.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            kinds: Kind::ALL.to_vec(),
            recorded: None,
            chunks: vec![usize::MAX, 16_384, 1_400],
            rounds: 5,
            contender: None,
            json: None,
            counting: true,
        };
        while let Some(arg) = args.next() {
            if arg == "--no-count" {
                options.counting = false;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{arg} is unknown or lacks its value"))?;
            match arg.as_str() {
                "--corpus-only" => options.kinds = kinds(&value)?,
                "--corpus" => options.recorded = Some(value.into()),
                "--contender-only" => options.contender = Some(value),
                "--chunk" => options.chunks = value.split(',').map(chunk).collect::<Result<_, _>>()?,
                "--rounds" => options.rounds = positive(&value)?,
                "--json" => options.json = Some(value.into()),
                _ => return Err(format!("{arg} is unknown")),
            }
        }
        Ok(options)
    }

    /// What `tokens` measures where nothing else is said: the token table beside the parsers, on FETCH lines.
    ///
    /// # Errors
    ///
    /// A sentence about the argument that is not understood.
    pub fn tokens(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let contenders = format!("framing only|imap-proto|imap-codec raw|{}", crate::ours::TOKENS);
        let preset =
            ["--chunk", "16384", "--corpus-only", "A,B,C,D,D2,D3", "--contender-only", &contenders].map(str::to_owned);
        Self::parse(preset.into_iter().chain(args))
    }

    /// The corpora, one after another: some are large.
    pub fn corpora(&self) -> impl Iterator<Item = io::Result<Corpus>> + '_ {
        let recorded = self.recorded.iter().map(|path| Corpus::recorded(path));
        let generated = self.kinds.iter().filter(|_| self.recorded.is_none());
        recorded.chain(generated.map(|kind| Ok(Corpus::generate(*kind))))
    }

    /// The arguments that make the counting binary measure the same.
    pub fn for_counting(&self) -> Vec<String> {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        let chunks: Vec<_> = self.chunks.iter().map(|chunk| chunk_name(*chunk)).collect();
        let mut args = ["peers", "--corpus-only"].map(str::to_owned).to_vec();
        args.extend([kinds.join(","), "--chunk".to_owned(), chunks.join(",")]);
        if let Some(path) = &self.recorded {
            args.extend(["--corpus".to_owned(), path.display().to_string()]);
        }
        if let Some(contender) = &self.contender {
            args.extend(["--contender-only".to_owned(), contender.clone()]);
        }
        args
    }

    /// Whether a contender takes part.
    pub fn wants(&self, contender: &str) -> bool {
        is_named(self.contender.as_deref(), contender)
    }
}

/// A chunk as it is written on the command line.
pub fn chunk_name(chunk: usize) -> String {
    if chunk == usize::MAX { "whole".to_owned() } else { chunk.to_string() }
}

fn chunk(name: &str) -> Result<usize, String> {
    if name == "whole" { Ok(usize::MAX) } else { positive(name) }
}

fn is_named(parts: Option<&str>, contender: &str) -> bool {
    parts.is_none_or(|parts| parts.split('|').any(|part| contender.contains(part)))
}

fn kinds(list: &str) -> Result<Vec<Kind>, String> {
    list.split(',').map(|name| Kind::named(name).ok_or_else(|| format!("there is no corpus {name}"))).collect()
}

fn positive(value: &str) -> Result<usize, String> {
    value.parse().ok().filter(|number| *number > 0).ok_or_else(|| format!("{value} is no positive number"))
}
