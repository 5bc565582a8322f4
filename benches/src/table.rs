//! What is printed: a table for reading, one JSON object a line for comparing.

use std::fmt::Write;

use crate::corpus::Corpus;
use crate::count::Heap;
use crate::measure::Timing;
use crate::options::{Options, chunk_name};
use crate::ours;

/// Against what the ratios are taken while there is no contender of our own.
const FALLBACK: &str = "imap-proto";

/// One corpus and all contenders.
pub struct Column {
    /// The name of the corpus.
    pub corpus: &'static str,
    /// Its size.
    pub bytes: usize,
    /// The number of its responses.
    pub responses: u64,
    /// At most so many octets at a time.
    pub chunk: usize,
    /// What the contenders took.
    pub timings: Vec<Timing>,
}

impl Column {
    /// The column of a corpus.
    pub fn new(corpus: &Corpus, chunk: usize, timings: Vec<Timing>) -> Self {
        let Corpus { kind, bytes, responses } = corpus;
        Self { corpus: kind.name(), bytes: bytes.len(), responses: *responses, chunk, timings }
    }

    fn seconds(&self, contender: &str) -> Option<f64> {
        self.timings.iter().find(|timing| timing.contender == contender)?.seconds
    }

    fn mb_per_s(&self, contender: &str) -> Option<f64> {
        Some(self.bytes as f64 / 1e6 / self.seconds(contender)?)
    }
}

/// The tables: MB/s, then how many times faster the reference is than each contender.
pub fn text(columns: &[&Column], options: &Options) -> String {
    let Some(first) = columns.first() else {
        return String::new();
    };
    let names = names(columns);
    let reference = [ours::REFERENCE, ours::TOKENS, FALLBACK].into_iter().find(|name| names.contains(name));

    let mut out = format!("MB/s, chunk {}, median of {} rounds\n\n", chunk_name(first.chunk), options.rounds);
    grid(&mut out, columns, &names, |column, name| column.mb_per_s(name).map(|rate| format!("{rate:.0}")));
    if let Some(reference) = reference {
        let _ = write!(out, "\n{reference} is so many times as fast\n\n");
        grid(&mut out, columns, &names, |column, name| {
            Some(format!("{:.2}", column.seconds(name)? / column.seconds(reference)?))
        });
    }
    out
}

/// The tables of what [`count`](crate::count) found.
pub fn heap(heaps: &[Heap], columns: &[&Column]) -> String {
    let names = names(columns);
    let mut out = "\nallocations for each response\n\n".to_owned();
    grid(&mut out, columns, &names, |column, name| {
        let heap = find(heaps, column, name)?;
        (!heap.allocations.is_nan()).then(|| format!("{:.2}", heap.allocations))
    });
    out.push_str("\npeak heap, KiB\n\n");
    grid(&mut out, columns, &names, |column, name| Some(format!("{}", find(heaps, column, name)?.peak.div_ceil(1024))));
    out
}

/// One JSON object a line.
pub fn json(columns: &[Column], heaps: &[Heap]) -> String {
    let mut out = String::new();
    for column in columns {
        let chunk = if column.chunk == usize::MAX { 0 } else { column.chunk };
        for Timing { contender, seconds } in &column.timings {
            let heap = find(heaps, column, contender);
            let rate = number(column.mb_per_s(contender));
            let nanos = number(seconds.map(|seconds| seconds * 1e9 / column.responses as f64));
            let allocations = number(heap.map(|heap| heap.allocations));
            let peak = heap.map_or("null".to_owned(), |heap| heap.peak.to_string());
            let _ = writeln!(
                out,
                "{{\"corpus\":\"{}\",\"contender\":\"{contender}\",\"chunk\":{chunk},\"mb_per_s\":{rate},\
                 \"ns_per_response\":{nanos},\"allocations_per_response\":{allocations},\
                 \"peak_heap_bytes\":{peak}}}",
                column.corpus,
            );
        }
    }
    out
}

fn find<'a>(heaps: &'a [Heap], column: &Column, contender: &str) -> Option<&'a Heap> {
    let is_it = |heap: &&Heap| heap.corpus == column.corpus && heap.chunk == column.chunk;
    heaps.iter().filter(is_it).find(|heap| heap.contender == contender)
}

fn number(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or("null".to_owned(), |value| format!("{value:.3}"))
}

/// All contenders; some were left out of some corpora.
fn names(columns: &[&Column]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for timing in columns.iter().flat_map(|column| &column.timings) {
        if !names.contains(&timing.contender) {
            names.push(timing.contender);
        }
    }
    names
}

fn grid(out: &mut String, columns: &[&Column], names: &[&'static str], cell: impl Fn(&Column, &str) -> Option<String>) {
    let head: String = columns.iter().map(|column| format!(" {} |", column.corpus)).collect();
    let rule: String = columns.iter().map(|_| "--:|").collect();
    let _ = write!(out, "| |{head}\n|---|{rule}\n");
    for name in names {
        let cells: String = columns
            .iter()
            .map(|column| format!(" {} |", cell(column, name).unwrap_or_else(|| "–".to_owned())))
            .collect();
        let _ = writeln!(out, "| {name} |{cells}");
    }
}
