//! A server that is nothing but a stream: it agrees to every command at once, and holds almost nothing, so that what is
//! measured beside it is the client.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const GREETING: &[u8] = b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE LITERAL+ UIDPLUS CONDSTORE] ready\r\n";

/// The client's end: what is written is taken in as it comes, what is read are the answers.
///
/// It knows where commands and their literals end and no more. Its memory is one line and the answers not read.
#[derive(Debug)]
pub struct Agreeing(Arc<Mutex<State>>);

/// What is known from outside.
#[derive(Clone, Debug)]
pub struct Counts(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    messages: usize,
    line: Vec<u8>,
    /// Octets of a literal that are still to come.
    literal: u64,
    answers: Vec<u8>,
    read: usize,
    reader: Option<Waker>,
    octets: u64,
    /// The tag of the command that began with a literal, or of IDLE.
    open: Option<String>,
    commands: u64,
}

impl Agreeing {
    /// A mailbox with so many messages, whose UIDs are those from 1.
    pub fn new(messages: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            messages,
            line: Vec::new(),
            literal: 0,
            answers: GREETING.to_vec(),
            read: 0,
            reader: None,
            octets: 0,
            open: None,
            commands: 0,
        })))
    }

    /// What is to be known when the stream is gone.
    pub fn counts(&self) -> Counts {
        Counts(self.0.clone())
    }
}

impl Counts {
    /// Octets that the client has sent.
    pub fn octets(&self) -> u64 {
        lock(&self.0).octets
    }

    /// Commands that were answered.
    pub fn commands(&self) -> u64 {
        lock(&self.0).commands
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn take(&mut self, mut octets: &[u8]) {
        self.octets += octets.len() as u64;
        while !octets.is_empty() {
            let skipped = self.literal.min(octets.len() as u64);
            self.literal -= skipped;
            octets = &octets[skipped as usize..];
            match octets.iter().position(|octet| *octet == b'\n') {
                Some(end) => {
                    let (line, rest) = octets.split_at(end + 1);
                    self.line.extend_from_slice(line);
                    octets = rest;
                    self.answer();
                }
                None => {
                    self.line.extend_from_slice(octets);
                    break;
                }
            }
        }
        if let Some(reader) = self.reader.take_if(|_| self.read < self.answers.len()) {
            reader.wake();
        }
    }

    fn answer(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        let (tag, command) = match self.open.take() {
            Some(tag) => (tag, "continued"),
            None => text.split_once(' ').map_or_else(Default::default, |(tag, rest)| (tag.to_owned(), rest)),
        };
        if let Some(length) = text.strip_suffix("+}").and_then(|text| text.rsplit_once('{')) {
            self.literal = length.1.parse().unwrap_or(0);
            self.open = Some(tag);
            return;
        }
        if command == "IDLE" {
            self.answers.extend_from_slice(b"+ idling\r\n");
            self.open = Some(tag);
            return;
        }
        if command.starts_with("SELECT") {
            let (count, next) = (self.messages, self.messages + 1);
            let told = format!(
                "* FLAGS (\\Seen)\r\n* {count} EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT {next}] ok\r\n"
            );
            self.answers.extend_from_slice(told.as_bytes());
        }
        if let Some(store) = command.strip_prefix("UID STORE ").filter(|store| !store.contains(".SILENT")) {
            let uid = store.split(' ').next().unwrap_or_default();
            self.answers.extend_from_slice(format!("* {uid} FETCH (UID {uid} FLAGS (\\Seen))\r\n").as_bytes());
        }
        self.commands += 1;
        self.answers.extend_from_slice(format!("{tag} OK done\r\n").as_bytes());
    }
}

impl AsyncRead for Agreeing {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = lock(&self.0);
        if state.read == state.answers.len() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = into.remaining().min(state.answers.len() - state.read);
        into.put_slice(&state.answers[state.read..state.read + count]);
        state.read += count;
        if state.read == state.answers.len() {
            (state.answers, state.read) = (Vec::new(), 0);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Agreeing {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        lock(&self.0).take(octets);
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
