//! `imap-benches peers`: the receive path beside its peers, in one run; `imap-benches tokens`: the token table alone.

use std::fs;
use std::process::ExitCode;

use imap_benches::corpus::Corpus;
use imap_benches::options::{Options, Sizes, Task, USAGE};
use imap_benches::record::{self, Record};
use imap_benches::table::{self, Column};
use imap_benches::{count, measure, roundtrips};

fn main() -> ExitCode {
    if cfg!(debug_assertions) {
        eprintln!("not a release build: times say nothing");
    }
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        println!("load {}", load.trim());
    }
    let args: Vec<_> = std::env::args().skip(1).collect();
    let done = Task::parse(&args).and_then(|task| match task {
        Task::Peers(options) => peers(&options),
        Task::Roundtrips(sizes) => tell(&roundtrips::run(&sizes), &sizes, "round_trips"),
        _ => Err("not yet".to_owned()),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn tell(records: &[Record], sizes: &Sizes, ratio: &str) -> Result<bool, String> {
    println!("\n{}", record::table(records, Some(ratio)));
    record::write_json(records, sizes.json.as_deref())?;
    Ok(true)
}

/// Measures and prints; `false` where a contender disagreed with a corpus.
fn peers(options: &Options) -> Result<bool, String> {
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
