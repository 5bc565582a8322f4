//! The command line, for the timing and for the counting binary.

use std::path::PathBuf;

use crate::corpus::Kind;

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// The corpora.
    pub kinds: Vec<Kind>,
    /// At most so many octets at a time; `usize::MAX` for the whole corpus at once.
    pub chunk: usize,
    /// Rounds over all contenders.
    pub rounds: usize,
    /// Only contenders with this in their name; several with bars between them.
    pub contender: Option<String>,
    /// Where one JSON object a line goes.
    pub json: Option<PathBuf>,
    /// Whether allocations are counted, in a process of its own.
    pub counting: bool,
}

/// How the command line is written.
pub const USAGE: &str = "\
usage: imap-benches peers|tokens [--corpus-only A,B,C,D,D2,D3,G2,S1,S2] [--contender-only TEXT|TEXT]
                          [--chunk OCTETS|whole] [--rounds N] [--json FILE] [--no-count]";

impl Options {
    /// Reads the arguments behind `peers`.
    ///
    /// # Errors
    ///
    /// A sentence about the argument that is not understood.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options =
            Self { kinds: Kind::ALL.to_vec(), chunk: 16_384, rounds: 7, contender: None, json: None, counting: true };
        while let Some(arg) = args.next() {
            if arg == "--no-count" {
                options.counting = false;
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{arg} is unknown or lacks its value"))?;
            match arg.as_str() {
                "--corpus-only" => options.kinds = kinds(&value)?,
                "--contender-only" => options.contender = Some(value),
                "--chunk" if value == "whole" => options.chunk = usize::MAX,
                "--chunk" => options.chunk = positive(&value)?,
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
        let preset = ["--corpus-only", "A,B,C,D,D2,D3", "--contender-only", &contenders].map(str::to_owned);
        Self::parse(preset.into_iter().chain(args))
    }

    /// The arguments that make the counting binary measure the same.
    pub fn for_counting(&self) -> Vec<String> {
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name()).collect();
        let mut args = vec!["--corpus-only".to_owned(), kinds.join(",")];
        args.extend(["--chunk".to_owned(), self.chunk_name()]);
        if let Some(contender) = &self.contender {
            args.extend(["--contender-only".to_owned(), contender.clone()]);
        }
        args
    }

    /// The chunk as it is written on the command line.
    pub fn chunk_name(&self) -> String {
        if self.chunk == usize::MAX { "whole".to_owned() } else { self.chunk.to_string() }
    }

    /// Whether a contender takes part.
    pub fn wants(&self, contender: &str) -> bool {
        self.contender.as_ref().is_none_or(|parts| parts.split('|').any(|part| contender.contains(part)))
    }
}

fn kinds(list: &str) -> Result<Vec<Kind>, String> {
    list.split(',').map(|name| Kind::named(name).ok_or_else(|| format!("there is no corpus {name}"))).collect()
}

fn positive(value: &str) -> Result<usize, String> {
    value.parse().ok().filter(|number| *number > 0).ok_or_else(|| format!("{value} is no positive number"))
}
