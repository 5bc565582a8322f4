//! `imap-benches peers`: the receive path beside its peers, in one run; `imap-benches tokens`: the token table alone.

use std::fs;
use std::process::ExitCode;

use imap_benches::measure::{PATIENCE, Timing};
use imap_benches::options::{Options, Task, USAGE};
use imap_benches::table::{self, Column};
use imap_benches::{compress, count, dovecot, measure, record, roundtrips};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|name| name != "dovecot-client") {
        say_where();
    }
    let done = Task::parse(&args).and_then(|task| match task {
        Task::Peers(options) => peers(&options),
        Task::Roundtrips(sizes) => record::tell(&roundtrips::run(&sizes), &sizes, Some("round_trips")).map(|()| true),
        Task::Scale(_) | Task::Sending(_) => count::instead(&args),
        Task::Dovecot(sizes) => {
            let records = dovecot::run(&sizes)?;
            record::tell(&records, &sizes, Some("cpu_ms")).map(|()| true)
        }
        Task::Compress(sizes) => {
            let records = compress::run(&sizes)?;
            record::tell(&records, &sizes, Some("wall_ms")).map(|()| true)
        }
        Task::DovecotClient(args) => dovecot::client(&args).map(|()| true),
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

/// What makes numbers worth less.
fn say_where() {
    if cfg!(debug_assertions) {
        eprintln!("not a release build: times say nothing");
    }
    if let Ok(load) = fs::read_to_string("/proc/loadavg") {
        println!("load {}", load.trim());
    }
}

/// Measures and prints; `false` where a contender disagreed with a corpus.
fn peers(options: &Options) -> Result<bool, String> {
    let mut columns = Vec::new();
    for corpus in options.corpora() {
        let corpus = corpus.map_err(|error| error.to_string())?;
        let (name, size) = (corpus.kind.name(), corpus.bytes.len());
        println!("{name}: {} responses, {size} octets", corpus.responses);
        let mut slow = Vec::new();
        for chunk in &options.chunks {
            let timings = measure::corpus(&corpus, *chunk, options, &slow);
            let is_slow = |timing: &&Timing| timing.seconds.is_some_and(|taken| taken > PATIENCE.as_secs_f64());
            slow.extend(timings.iter().filter(is_slow).map(|timing| timing.contender));
            columns.push(Column::new(&corpus, *chunk, timings));
        }
    }
    let heaps = if options.counting { count::in_own_process(options) } else { Ok(Vec::new()) };
    let heaps = heaps.unwrap_or_else(|error| {
        eprintln!("no counts: {error}");
        Vec::new()
    });
    for chunk in &options.chunks {
        let columns: Vec<_> = columns.iter().filter(|column| column.chunk == *chunk).collect();
        println!("\n{}", table::text(&columns, options));
        if !heaps.is_empty() {
            println!("{}", table::heap(&heaps, &columns));
        }
    }
    if let Some(path) = &options.json {
        fs::write(path, table::json(&columns, &heaps)).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let is_read_by_all = |column: &Column| column.timings.iter().all(|timing| timing.seconds.is_some());
    Ok(options.recorded.is_some() || columns.iter().all(is_read_by_all))
}
