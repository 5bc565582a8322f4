//! What did my server say? Reads recorded octets of a server, prints one line for each event, and counts.
//!
//! ```text
//! replay FILE…                 a line an event, `-` for standard input
//! replay --json FILE…          the same as JSON lines; the last has the counts
//! replay --chunk 7 FILE…       takes in 7 octets at a time: nothing else changes
//! ```
//!
//! A recording is what the server sent, nothing of the client's, and may begin with any response: no state of a
//! connection is needed. `typed`, `unknown` and `malformed` count items: each attribute of a FETCH is one, any other
//! response is one as a whole. `lost` counts the recordings in which the boundary between responses was lost; the exit
//! status is 1 if there was one, and 2 where a file could not be read.

mod json;
mod recording;
mod report;

use std::io::{self, BufWriter, Read, Write};
use std::process::ExitCode;

use recording::replay;
use report::{Counts, Form};

const USAGE: &str = "usage: replay [--json] [--chunk N] FILE…";

struct Options {
    form: Form,
    /// The most octets at a time.
    chunk: usize,
    files: Vec<String>,
}

fn main() -> ExitCode {
    let options = match Options::from_arguments(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("replay: {message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    match run(&options, &mut out).and_then(|counts| out.flush().map(|()| counts)) {
        Ok(counts) if counts.lost == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        // Whoever reads us has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options, out: &mut impl Write) -> io::Result<Counts> {
    let mut counts = Counts::default();
    for file in &options.files {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{file}: {error}"));
        let mut source: Box<dyn Read> = match &**file {
            "-" => Box::new(io::stdin().lock()),
            path => Box::new(std::fs::File::open(path).map_err(named)?),
        };
        replay(&mut source, options.chunk, |event| {
            counts.add(&event);
            event.write(options.form, out)
        })?;
    }
    counts.write(options.form, out)?;
    Ok(counts)
}

impl Options {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Options { form: Form::Lines, chunk: usize::MAX, files: Vec::new() };
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--json" => options.form = Form::Json,
                "--chunk" => {
                    let chunk = arguments.next().and_then(|number| number.parse().ok()).filter(|chunk| *chunk > 0);
                    options.chunk = chunk.ok_or("--chunk needs a number of octets")?;
                }
                option if option.starts_with("--") => return Err(format!("{option} is unknown")),
                _ => options.files.push(argument),
            }
        }
        if options.files.is_empty() {
            return Err("no file is named".to_owned());
        }
        Ok(options)
    }
}
