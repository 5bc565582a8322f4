//! What the commands besides `peers` found: one table for reading, one JSON object a line for comparing.

use std::fmt::Write;
use std::fs;

use crate::options::Sizes;

/// One contender at one piece of work.
#[derive(Clone, Debug)]
pub struct Record {
    /// The piece of work.
    pub work: String,
    /// Who did it.
    pub contender: String,
    /// What was found, each by its name and unit.
    pub values: Vec<(&'static str, f64)>,
}

impl Record {
    /// The record of a contender.
    pub fn new(work: impl Into<String>, contender: impl Into<String>, values: Vec<(&'static str, f64)>) -> Self {
        Self { work: work.into(), contender: contender.into(), values }
    }

    /// One of the values.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }
}

/// The contender all ratios are taken against.
pub const OURS: &str = "ours";

/// A table of all records, with how many times ours each `ratio` is.
pub fn table(records: &[Record], ratio: Option<&str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flat_map(|record| &record.values) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let head: String = names.iter().map(|name| format!(" {} |", name.replace('_', " "))).collect();
    let rule = "--:|".repeat(names.len());
    let (ratio_head, ratio_rule) =
        ratio.map_or(Default::default(), |name| (format!(" {} / ours |", name.replace('_', " ")), "--:|"));
    let mut out = format!("| | |{head}{ratio_head}\n|---|---|{rule}{ratio_rule}\n");
    for record in records {
        let _ = write!(out, "| {} | {} |", record.work, record.contender);
        for name in &names {
            let _ = write!(out, " {} |", record.value(name).map_or_else(|| "–".to_owned(), short));
        }
        if let Some(name) = ratio {
            let times = ours(records, &record.work).and_then(|ours| Some(record.value(name)? / ours.value(name)?));
            let _ = write!(out, " {} |", times.map_or_else(|| "–".to_owned(), |times| format!("{times:.2}")));
        }
        out.push('\n');
    }
    out
}

/// Prints the table, and writes one JSON object a line where a file is named.
///
/// # Errors
///
/// What the file system says.
pub fn tell(records: &[Record], sizes: &Sizes, ratio: Option<&str>) -> Result<(), String> {
    println!("\n{}", table(records, ratio));
    let Some(path) = &sizes.json else { return Ok(()) };
    fs::write(path, json(records)).map_err(|error| format!("{}: {error}", path.display()))
}

fn json(records: &[Record]) -> String {
    let mut out = String::new();
    for Record { work, contender, values } in records {
        let values: String = values.iter().map(|(name, value)| format!(",\"{name}\":{value:.6}")).collect();
        let _ = writeln!(out, "{{\"work\":\"{work}\",\"contender\":\"{contender}\"{values}}}");
    }
    out
}

fn ours<'a>(records: &'a [Record], work: &str) -> Option<&'a Record> {
    records.iter().find(|record| record.work == work && record.contender == OURS)
}

fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
