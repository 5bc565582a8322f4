//! Streams of responses in the shape Dovecot 2.3 gives them, the same octets in every run.

mod hard;
mod header;
mod message;
mod recorded;
mod rng;
mod shape;

use std::fs;
use std::io;
use std::path::Path;

use message::{Message, words};
pub(crate) use rng::Rng;

/// What a corpus is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `* n FETCH (UID n ENVELOPE (...))`
    A,
    /// `* n FETCH (UID n ENVELOPE (...) BODYSTRUCTURE (...))`
    B,
    /// `* n FETCH (UID n FLAGS (...) MODSEQ (m))`
    C,
    /// `* n FETCH (UID n BODY[HEADER] {n}`, about 1.5 KB each
    D,
    /// `* n FETCH (UID n BODY[HEADER.FIELDS (FROM TO SUBJECT DATE)] {n}`
    D2,
    /// `* n FETCH (UID n BODY[] {n}`, about 7.5 KB each
    D3,
    /// `* LIST (\HasNoChildren) "/" name`
    G2,
    /// One `* SEARCH` with 200,000 UIDs
    S1,
    /// One `* SEARCH` with 1,000,000 UIDs
    S2,
    /// One `* SEARCH` of 2 MB
    Search,
    /// One ENVELOPE of 2 MB
    Envelope,
    /// One ENVELOPE with 20,000 literals, about 1 MB
    Literals,
    /// One literal of 25 MB
    Body,
    /// What a file holds
    Recorded,
}

/// Octets from a server, and how many responses they are.
pub struct Corpus {
    /// What the responses are.
    pub kind: Kind,
    /// The octets, whole responses only, no tagged line at the end.
    pub bytes: Vec<u8>,
    /// The number of responses in `bytes`.
    pub responses: u64,
}

impl Kind {
    /// All corpora, in the order of the table.
    pub const ALL: [Self; 13] = [
        Self::A,
        Self::B,
        Self::C,
        Self::D,
        Self::D2,
        Self::D3,
        Self::G2,
        Self::S1,
        Self::S2,
        Self::Search,
        Self::Envelope,
        Self::Literals,
        Self::Body,
    ];

    /// The name that `--corpus-only` knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::D2 => "D2",
            Self::D3 => "D3",
            Self::G2 => "G2",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::Search => "SEARCH-2M",
            Self::Envelope => "ENVELOPE-2M",
            Self::Literals => "LITERALS-20K",
            Self::Body => "BODY-25M",
            Self::Recorded => "recorded",
        }
    }

    /// Finds a corpus by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// True for a single response, of which there is no steady state.
    pub fn is_single(self) -> bool {
        matches!(self, Self::S1 | Self::S2 | Self::Search | Self::Envelope | Self::Literals | Self::Body)
    }

    /// How many responses the generated corpus has.
    fn responses(self) -> u64 {
        match self {
            Self::D3 => 2_000,
            kind if kind.is_single() => 1,
            _ => 20_000,
        }
    }
}

impl Corpus {
    /// Reads what was recorded of a server, of which only the data is kept.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn recorded(path: &Path) -> io::Result<Self> {
        let (bytes, responses) = recorded::untagged(&fs::read(path)?);
        Ok(Self { kind: Kind::Recorded, bytes, responses })
    }

    /// Generates the corpus; of what is recorded there is nothing to generate.
    pub fn generate(kind: Kind) -> Self {
        let responses = kind.responses();
        let mut rng = Rng::new(0x1_4a9);
        let mut bytes = Vec::new();
        match kind {
            Kind::S1 => search(&mut bytes, &mut rng, 200_000),
            Kind::S2 => search(&mut bytes, &mut rng, 1_000_000),
            Kind::Search => hard::search_of(&mut bytes, &mut rng, 2_000_000),
            Kind::Envelope => hard::envelope_of(&mut bytes, &mut rng, 2_000_000),
            Kind::Literals => hard::literals_of(&mut bytes, &mut rng, 20_000),
            Kind::Body => hard::body_of(&mut bytes, 25_000_000),
            Kind::G2 => (0..responses).for_each(|n| list(&mut bytes, &mut rng, n)),
            _ => {
                let mut uid = 0;
                for seq in 1..=responses {
                    uid += if rng.chance(900) { 1 } else { rng.between(2, 9) };
                    bytes.extend_from_slice(format!("* {seq} FETCH (UID {uid} ").as_bytes());
                    fetch_item(&mut bytes, &mut rng, kind, seq);
                    bytes.extend_from_slice(b")\r\n");
                }
            }
        }
        Self { kind, bytes, responses }
    }
}

fn fetch_item(out: &mut Vec<u8>, rng: &mut Rng, kind: Kind, seq: u64) {
    if kind == Kind::C {
        let flags = rng.pick(&[
            "\\Seen $HasNoAttachment",
            "\\Seen $HasNoAttachment",
            "\\Seen $HasAttachment",
            "$HasNoAttachment",
            "\\Answered \\Seen $HasNoAttachment",
            "\\Flagged \\Seen $HasNoAttachment NonJunk",
            "\\Seen \\Recent $HasAttachment $Forwarded",
            "",
        ]);
        let modseq = 1_000 + seq / 3;
        out.extend_from_slice(format!("FLAGS ({flags}) MODSEQ ({modseq})").as_bytes());
        return;
    }
    let message = Message::generate(rng, seq);
    match kind {
        Kind::D => literal(out, "BODY[HEADER]", &header::whole(rng, &message)),
        Kind::D2 => literal(out, "BODY[HEADER.FIELDS (FROM TO SUBJECT DATE)]", &header::fields(&message)),
        Kind::D3 => {
            let mut text = header::whole(rng, &message);
            let size = rng.between(5_000, 10_000) as usize;
            while text.len() < size {
                text.push_str(&words(rng, 11));
                text.push_str("\r\n");
            }
            literal(out, "BODY[]", &text);
        }
        _ => {
            out.extend_from_slice(b"ENVELOPE ");
            shape::envelope(out, &message);
            if kind == Kind::B {
                out.extend_from_slice(b" BODYSTRUCTURE ");
                shape::body_structure(out, &message.body);
            }
        }
    }
}

fn literal(out: &mut Vec<u8>, item: &str, text: &str) {
    out.extend_from_slice(format!("{item} {{{}}}\r\n{text}", text.len()).as_bytes());
}

fn list(out: &mut Vec<u8>, rng: &mut Rng, n: u64) {
    let attribute = if rng.chance(100) { "\\HasChildren" } else { "\\HasNoChildren" };
    let parent = rng.pick(&["Archive", "Projects", "Lists/rust", "Entw&APw-rfe", "Shared/team", "2023", "Customers"]);
    let name = match rng.between(0, 9) {
        0 | 1 => format!("\"{parent}/{} {n}\"", words(rng, 2)),
        2 => format!("{n}"),
        _ => format!("{parent}/{}/{}-{n}", rng.between(1999, 2024), words(rng, 1)),
    };
    out.extend_from_slice(format!("* LIST ({attribute}) \"/\" {name}\r\n").as_bytes());
}

fn search(out: &mut Vec<u8>, rng: &mut Rng, count: u64) {
    out.extend_from_slice(b"* SEARCH");
    let mut uid = 0;
    for _ in 0..count {
        uid += rng.between(1, 3);
        out.extend_from_slice(format!(" {uid}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_is_the_same_every_time() {
        for kind in [Kind::A, Kind::G2] {
            assert_eq!(Corpus::generate(kind).bytes, Corpus::generate(kind).bytes);
        }
    }

    #[test]
    fn about_half_of_the_envelopes_hold_a_literal() {
        let bytes = Corpus::generate(Kind::A).bytes;
        let text = String::from_utf8(bytes).unwrap();
        let with = text.split("* ").filter(|line| line.contains("}\r\n")).count();
        assert!((9_000..10_500).contains(&with), "{with}");
    }
}
