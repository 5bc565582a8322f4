use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::command::Stored;
use crate::error::{Error, Refused};

/// What became of one message of an [`append_all`](crate::client::Client::append_all).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Appended {
    /// It is stored. The server says where if it knows UIDPLUS.
    Stored(Option<Stored>),
    /// The server refused it, with these words. It is not stored.
    Refused(Box<Refused>),
    /// All of its octets may have arrived, and no answer came: it is stored or not.
    InDoubt,
    /// It was begun, and is surely not stored.
    Cancelled,
    /// No octet of it was sent.
    NotStarted,
    /// It is not stored, for a fault of its own: it could not be read, or has no wire form.
    Failed(Error),
}

/// What became of the messages of an [`append_all`](crate::client::Client::append_all).
///
/// Its indices are the places in the stream, so that the next upload can begin where this one ended:
///
/// ```
/// # use imap_proto_core::client::AppendReport;
/// # fn left(report: &AppendReport, files: Vec<String>) -> Vec<String> {
/// let again = report.not_stored().chain(report.messages.len()..files.len());
/// again.map(|index| files[index].clone()).collect()
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct AppendReport {
    /// Each message that was taken from the stream, in its order. Those behind them were left in it.
    pub messages: Vec<Appended>,
    /// Why it ended before the end of the stream was reached and all was answered: [`Error::Cancelled`] where it was
    /// stopped, [`Error::Timeout`] where a message took too long, [`Error::Refused`] where there is no such mailbox, else what ended the connection; that too where it was stopped
    /// before, and not all was answered. A stream that came to its end
    /// before the first refusal leaves it empty: then the messages alone tell that there is no such mailbox.
    pub ended: Option<Error>,
}

impl AppendReport {
    /// True when the stream came to its end and all of its messages are stored.
    pub fn is_complete(&self) -> bool {
        self.ended.is_none() && self.messages.iter().all(|message| matches!(message, Appended::Stored(_)))
    }

    /// The messages that are stored, by their place in the stream.
    pub fn stored(&self) -> impl Iterator<Item = (usize, Option<Stored>)> {
        self.chosen(|message| match message {
            Appended::Stored(stored) => Some(*stored),
            _ => None,
        })
    }

    /// The messages that the server refused.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &Refused)> {
        self.chosen(|message| match message {
            Appended::Refused(refused) => Some(&**refused),
            _ => None,
        })
    }

    /// The messages that have a fault of their own.
    pub fn failed(&self) -> impl Iterator<Item = (usize, &Error)> {
        self.chosen(|message| match message {
            Appended::Failed(error) => Some(error),
            _ => None,
        })
    }

    /// The messages that may be stored or not. To append them again could store them twice.
    pub fn in_doubt(&self) -> impl Iterator<Item = usize> {
        self.chosen(|message| matches!(message, Appended::InDoubt).then_some(())).map(|(index, ())| index)
    }

    /// The messages that are surely not stored and have no fault that is known: they can be appended again. So can
    /// those that were left in the stream.
    pub fn not_stored(&self) -> impl Iterator<Item = usize> {
        self.chosen(|message| matches!(message, Appended::NotStarted | Appended::Cancelled).then_some(()))
            .map(|(index, ())| index)
    }

    fn chosen<'a, T>(&'a self, choose: impl Fn(&'a Appended) -> Option<T> + 'a) -> impl Iterator<Item = (usize, T)> {
        let messages = self.messages.iter().enumerate();
        messages.filter_map(move |(index, message)| choose(message).map(|chosen| (index, chosen)))
    }
}

/// How far an [`append_all`](crate::client::Client::append_all) is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppendProgress {
    /// Messages that were taken from the stream.
    pub taken: usize,
    /// Messages that are stored.
    pub stored: usize,
    /// Messages that are over and not known to be stored: refused, failed, not started, or in doubt.
    pub failed: usize,
    /// Octets of the messages that are over, and of that which comes from a source those that it gave.
    pub octets: u64,
}
