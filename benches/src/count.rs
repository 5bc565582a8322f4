//! Allocations, counted in a process of their own: a counting allocator costs those most who allocate most,
//! and so has no place beside a clock.

use std::env;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::corpus::Corpus;
use crate::measure;
use crate::options::Options;

/// What one contender asked of the heap for one corpus.
#[derive(Clone, Debug)]
pub struct Heap {
    /// The corpus.
    pub corpus: String,
    /// The contender.
    pub contender: String,
    /// At most so many octets at a time.
    pub chunk: usize,
    /// Allocations and reallocations for each response, in a run after the first.
    pub allocations: f64,
    /// The most octets that were live at a time, in a first run; the corpus itself apart.
    pub peak: usize,
}

/// What the global allocator of the counting binary tells.
pub trait Allocator {
    /// Allocations and reallocations up to now.
    fn events(&self) -> usize;
    /// Octets that are live.
    fn live(&self) -> usize;
    /// The most octets that were ever live.
    fn most(&self) -> usize;
}

const BINARY: &str = "imap-benches-count";

/// Runs the counting binary beside this one, built anew where Cargo started us, and returns its lines.
///
/// # Errors
///
/// A sentence about what went wrong; the times are good without the counts.
pub fn in_own_process(options: &Options) -> Result<Vec<Heap>, String> {
    let output = binary()?
        .args(options.for_counting())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{BINARY}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{BINARY} failed"));
    }
    let text = String::from_utf8(output.stdout).map_err(|error| error.to_string())?;
    text.lines().map(|line| Heap::from_line(line).ok_or_else(|| format!("not a count: {line}"))).collect()
}

/// Leaves all to the counting binary, which prints what it finds; `false` where it fails.
///
/// # Errors
///
/// A sentence about what went wrong.
pub fn instead(args: &[String]) -> Result<bool, String> {
    let status = binary()?.args(args).status().map_err(|error| format!("{BINARY}: {error}"))?;
    Ok(status.success())
}

fn binary() -> Result<Command, String> {
    if let Some(cargo) = env::var_os("CARGO") {
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "-p", "imap-benches", "--bin", BINARY]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let status = build.status().map_err(|error| format!("cargo does not start: {error}"))?;
        if !status.success() {
            return Err(format!("{BINARY} does not build"));
        }
    }
    let path = sibling().ok_or("this binary does not know where it is")?;
    Ok(Command::new(path))
}

fn sibling() -> Option<PathBuf> {
    let path = env::current_exe().ok()?;
    Some(path.with_file_name(format!("{BINARY}{}", env::consts::EXE_SUFFIX)))
}

/// Counts for all that the options name, and prints a line for each.
///
/// # Errors
///
/// What the file system says of what was recorded.
pub fn print(options: &Options, allocator: &dyn Allocator) -> Result<(), String> {
    for corpus in options.corpora() {
        let corpus = corpus.map_err(|error| error.to_string())?;
        let mut slow = Vec::new();
        for chunk in &options.chunks {
            for at in 0..measure::contenders(options).len() {
                if slow.contains(&at) {
                    continue;
                }
                let began = Instant::now();
                // A contender that cannot read what was recorded has no counts.
                let counted = catch_unwind(AssertUnwindSafe(|| count(&corpus, *chunk, options, at, allocator)));
                if let Ok(counted) = counted {
                    println!("{}", counted.to_line());
                }
                if began.elapsed() > measure::PATIENCE {
                    slow.push(at);
                }
            }
        }
    }
    Ok(())
}

fn count(corpus: &Corpus, chunk: usize, options: &Options, at: usize, allocator: &dyn Allocator) -> Heap {
    let mut contender = measure::contenders(options).swap_remove(at);
    // The highest mark only rises. Memory that is reserved and never touched lifts what is live up to the
    // mark, so that this run has one of its own.
    let ballast = Vec::<u8>::with_capacity(allocator.most() - allocator.live());
    let before = allocator.most();
    contender.run(black_box(&corpus.bytes), chunk);
    let peak = allocator.most() - before;
    drop(black_box(ballast));

    let before = allocator.events();
    // One response has no steady state, and the quadratic peers no time for a second run.
    let again = !corpus.kind.is_single();
    if again {
        contender.run(black_box(&corpus.bytes), chunk);
    }
    let allocations = allocator.events() - before;
    Heap {
        corpus: corpus.kind.name().to_owned(),
        contender: contender.name().to_owned(),
        chunk,
        allocations: if again { allocations as f64 / corpus.responses as f64 } else { f64::NAN },
        peak,
    }
}

impl Heap {
    fn to_line(&self) -> String {
        let Self { corpus, contender, chunk, allocations, peak } = self;
        format!("{corpus}\t{contender}\t{chunk}\t{allocations}\t{peak}")
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            corpus: fields.next()?.to_owned(),
            contender: fields.next()?.to_owned(),
            chunk: fields.next()?.parse().ok()?,
            allocations: fields.next()?.parse().ok()?,
            peak: fields.next()?.parse().ok()?,
        })
    }
}
