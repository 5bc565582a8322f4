//! Transcripts as they are written in the RFCs.

/// One example: who says what, in order.
pub(crate) struct Transcript {
    /// Where it is from.
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Clone, Debug)]
pub(crate) enum Line {
    Client(String),
    Server(String),
}

/// Reads a file: paragraphs that begin with a `#` line, the title.
pub(crate) fn read(file: &'static str) -> impl Iterator<Item = Transcript> {
    file.split("\n\n").map(|paragraph| {
        let mut lines = paragraph.trim_end().lines();
        let title = lines.next().and_then(|line| line.strip_prefix("# ")).expect("a title");
        Transcript { title: title.to_owned(), lines: lines.map(Line::read).collect() }
    })
}

impl Line {
    fn read(line: &str) -> Self {
        let (side, text) = line.split_at(2);
        let text = text.strip_prefix(' ').unwrap_or_default().to_owned();
        match side {
            "C:" => Line::Client(text),
            "S:" => Line::Server(text),
            _ => panic!("neither C: nor S: {line}"),
        }
    }
}

impl Transcript {
    pub(crate) fn server_lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::Server(text) => Some(&**text),
            Line::Client(_) => None,
        })
    }

    pub(crate) fn server_bytes(&self) -> Vec<u8> {
        self.server_lines().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
    }

    /// How many responses the server's lines are: a literal and what follows it belong to the line before.
    pub(crate) fn responses(&self) -> usize {
        let (mut count, mut octets) = (0, 0usize);
        let mut continues = false;
        for line in self.server_lines() {
            if octets > 0 {
                octets = octets.checked_sub(line.len() + 2).expect("a literal ends with its last line");
                continue;
            }
            count += usize::from(!continues);
            octets = announced(line).unwrap_or(0);
            continues = octets > 0;
        }
        count
    }
}

/// The length of a synchronizing literal that ends the line.
pub(crate) fn announced(line: &str) -> Option<usize> {
    line.strip_suffix('}')?.rsplit_once('{')?.1.parse().ok()
}
