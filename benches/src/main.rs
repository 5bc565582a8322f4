//! `imap-benches peers`: the receive path beside its peers, in one run; `imap-benches tokens`: the token table alone.

use std::fs;
use std::process::ExitCode;

use imap_benches::corpus::Corpus;
use imap_benches::options::{Options, USAGE};
use imap_benches::table::{self, Column};
use imap_benches::{count, measure};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let options = match args.next().as_deref() {
        Some("peers") => Options::parse(args),
        Some("tokens") => Options::tokens(args),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match options.and_then(|options| peers(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; `false` where a contender disagreed with a corpus.
fn peers(options: &Options) -> Result<bool, String> {
    if cfg!(debug_assertions) {
        eprintln!("not a release build: the numbers say nothing");
    }
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        println!("load {}", load.trim());
    }
    let mut columns = Vec::new();
    for kind in &options.kinds {
        let corpus = Corpus::generate(*kind);
        let (name, size) = (kind.name(), corpus.bytes.len());
        println!("{name}: {} responses, {size} octets", corpus.responses);
        columns.push(Column::new(&corpus, measure::corpus(&corpus, options)));
    }
    println!("\n{}", table::text(&columns, options));

    let heaps = if options.counting { count::in_own_process(options) } else { Ok(Vec::new()) };
    let heaps = heaps.unwrap_or_else(|error| {
        eprintln!("no counts: {error}");
        Vec::new()
    });
    if !heaps.is_empty() {
        println!("{}", table::heap(&heaps, &columns));
    }
    if let Some(path) = &options.json {
        let json = table::json(&columns, &heaps, options);
        fs::write(path, json).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(columns.iter().flat_map(|column| &column.timings).all(|timing| timing.seconds.is_some()))
}
