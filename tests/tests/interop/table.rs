//! What is shown in the end: for each operation and server, what became of it.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What became of an operation on a server that let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// The server did it.
    Done,
    /// The server lacks the extension, and it was done in the documented other way.
    Fallback,
    /// The server lacks the extension: the typed error said so, and nothing was sent.
    Unsupported,
}

impl Cell {
    fn word(self) -> &'static str {
        match self {
            Cell::Done => "done",
            Cell::Fallback => "fallback",
            Cell::Unsupported => "unsupported",
        }
    }
}

/// One server and one way to it.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) cells: BTreeMap<&'static str, Cell>,
    /// What went wrong, by operation.
    pub(crate) failures: Vec<String>,
}

/// Writes the table and tells which cells are empty.
pub(crate) fn render(rows: &[&'static str], columns: &[Column]) -> (String, Vec<String>) {
    const LEFT: usize = 34;
    const WIDTH: usize = 22;
    let (mut text, mut empty) = (format!("{:LEFT$}", "operation"), Vec::new());
    for column in columns {
        let _ = write!(text, "{:WIDTH$}", column.title);
    }
    for row in rows {
        let _ = write!(text, "\n{row:LEFT$}");
        for column in columns {
            let cell = column.cells.get(row);
            let _ = write!(text, "{:WIDTH$}", cell.map_or("-", |cell| cell.word()));
            if cell.is_none() {
                empty.push(format!("{row} on {}", column.title));
            }
        }
    }
    text = text.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    (text, empty)
}
