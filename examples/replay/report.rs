//! Events as lines.

use std::io::{self, Write};

use crate::json::Object;

/// What is told of a long value in a line for people.
const SHOWN: usize = 120;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Lines,
    Json,
}

/// A response, or what happened between two.
pub(crate) struct Event {
    kind: &'static str,
    /// What was received; the reason where nothing was.
    text: String,
    items: Vec<Item>,
}

/// What is counted: an attribute of a FETCH, or a whole response of another kind.
pub(crate) struct Item {
    name: String,
    state: State,
}

/// Whether there is a type for it, with the value.
pub(crate) enum State {
    Typed(String),
    Unknown(String),
    Malformed,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) responses: u64,
    pub(crate) typed: u64,
    pub(crate) unknown: u64,
    pub(crate) malformed: u64,
    pub(crate) lost: u64,
}

impl Item {
    pub(crate) fn new(name: String, state: State) -> Self {
        Item { name, state }
    }
}

impl State {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            State::Typed(value) => ("typed", value),
            State::Unknown(value) => ("unknown", value),
            State::Malformed => ("malformed", ""),
        }
    }
}

impl Event {
    pub(crate) fn response(kind: &'static str, raw: &[u8], items: Vec<Item>) -> Self {
        Event { kind, text: String::from_utf8_lossy(raw).into_owned(), items }
    }

    /// A literal that does not stay in its response, which follows.
    pub(crate) fn body(len: u64) -> Self {
        Event { kind: "body", text: format!("{len} octets"), items: Vec::new() }
    }

    pub(crate) fn lost(reason: &str) -> Self {
        Event { kind: "lost", text: reason.to_owned(), items: Vec::new() }
    }

    pub(crate) fn unfinished(reason: &str) -> Self {
        Event { kind: "unfinished", text: reason.to_owned(), items: Vec::new() }
    }

    fn is_response(&self) -> bool {
        !matches!(self.kind, "body" | "lost" | "unfinished")
    }

    pub(crate) fn write(&self, form: Form, out: &mut impl Write) -> io::Result<()> {
        match form {
            Form::Lines => self.write_line(out),
            Form::Json => {
                let items = self.items.iter().map(|item| {
                    let (state, value) = item.state.parts();
                    Object::default().text("name", &item.name).text("state", state).text("value", value)
                });
                let object = Object::default().text("event", self.kind).text("text", &self.text);
                writeln!(out, "{}", object.objects("items", items).finish())
            }
        }
    }

    fn write_line(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "{:<10}", self.kind)?;
        if self.items.is_empty() {
            write!(out, " {}", self.text)?;
        }
        for item in &self.items {
            match item.state.parts() {
                ("typed", value) => write!(out, " {} {}", item.name, shown(value))?,
                ("malformed", _) => write!(out, " MALFORMED {} in {}", item.name, shown(&self.text))?,
                (state, value) => write!(out, " {state} {} {}", item.name, shown(value))?,
            }
        }
        writeln!(out)
    }
}

/// On one line, and no more than can be read.
fn shown(value: &str) -> String {
    let mut shown: String =
        value.chars().take(SHOWN).flat_map(|c| if c < ' ' { c.escape_default().collect() } else { vec![c] }).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

impl Counts {
    pub(crate) fn add(&mut self, event: &Event) {
        self.responses += u64::from(event.is_response());
        self.lost += u64::from(event.kind == "lost");
        for item in &event.items {
            match item.state {
                State::Typed(_) => self.typed += 1,
                State::Unknown(_) => self.unknown += 1,
                State::Malformed => self.malformed += 1,
            }
        }
    }

    pub(crate) fn write(&self, form: Form, out: &mut impl Write) -> io::Result<()> {
        let Counts { responses, typed, unknown, malformed, lost } = *self;
        match form {
            Form::Lines => {
                writeln!(out, "{responses} responses; items: {typed} typed, {unknown} unknown, {malformed} malformed")?;
                if lost > 0 {
                    writeln!(out, "the boundary between responses was lost in {lost}")?;
                }
                Ok(())
            }
            Form::Json => {
                let counts =
                    [("responses", responses), ("typed", typed), ("unknown", unknown), ("malformed", malformed)];
                let object = counts.into_iter().fold(Object::default(), |object, (name, n)| object.number(name, n));
                writeln!(out, "{}", object.number("lost", lost).finish())
            }
        }
    }
}
