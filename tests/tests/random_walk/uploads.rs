use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use imap_tokio::command::{Append, Message, NewMessage, Stored};
use imap_tokio::{AppendReport, Appended, Error, Operation, Upload, read_from};

use super::change::Told;
use super::message::Expected;
use super::reader::Hesitant;
use super::walk::{End, Failure, Polls};
use super::{Random, Walk};

/// What stores new messages.
impl Walk {
    pub(super) async fn append(&mut self, polls: Polls) -> Result<End, Failure> {
        let (target, message) = self.invent();
        let append = Append::new(self.model.name(target), Message::Octets(message.octets.clone()));
        let append = append.flags(message.flags.clone()).date(message.date());
        let operation = self.client.append(append);
        self.upload(polls, target, &message, operation).await
    }

    pub(super) async fn append_from(&mut self, polls: Polls) -> Result<End, Failure> {
        let (target, message) = self.invent();
        let source = read_from(Hesitant::new(message.octets.clone(), self.random.fork()));
        let len = message.octets.len() as u64;
        let upload = self.client.append_from(self.model.name(target), len, source, |append| {
            append.flags(message.flags.clone()).date(message.date())
        });
        let end = self.upload(polls, target, &message, upload).await?;
        self.reader_dropped |= matches!(end, End::Dropped);
        Ok(end)
    }

    fn invent(&mut self) -> (usize, Arc<Expected>) {
        let target = self.random.below(self.model.count());
        (target, self.model.invent(self.number, target))
    }

    async fn upload(
        &mut self,
        mut polls: Polls,
        target: usize,
        message: &Expected,
        upload: Operation<Option<Stored>>,
    ) -> Result<End, Failure> {
        let (told, end) = self.drive(&mut polls, upload).await;
        let told = match told {
            Told::Done(None) => Err("no APPENDUID".to_owned())?,
            told => told.map(|stored| stored.expect("it is no other")),
        };
        self.model.appended(target, message.id, told)?;
        end
    }

    /// Several messages in one call, which runs to its end, is stopped, or is dropped.
    pub(super) async fn append_all(&mut self, mut polls: Polls) -> Result<End, Failure> {
        let target = self.random.below(self.model.count());
        let messages: Vec<Arc<Expected>> =
            (0..1 + self.random.below(8)).map(|_| self.model.invent(self.number, target)).collect();
        let stream = Messages::new(messages.clone(), self.random.fork());
        let taken = stream.taken.clone();
        let ahead = [0, 20_000, 512 << 10][self.random.below(3)];
        let mut all = self.client.append_all(self.model.name(target), stream).ahead(ahead);
        if self.random.one_in(3) {
            all = all.on_progress(|_| {});
        }
        let mut ledger = self.random.one_in(2).then(|| all.ledger());
        let stopper = all.stopper();
        let end = match polls.of(Pin::new(&mut all)).await {
            Some(report) => {
                self.learn(target, &messages, &report)?;
                // Whoever has a ledger has the same.
                if let Some(ledger) = &mut ledger {
                    self.learn_again(&report, &ledger.report().await)?;
                }
                return match report.ended {
                    Some(error) => Err(error.into()),
                    None if report.is_complete() && report.messages.len() == messages.len() => Ok(End::Complete),
                    None => Err(format!("append_all ended with {report:?}").into()),
                };
            }
            None => match self.random.below(3) {
                0 => Some(all.stop().await),
                1 => {
                    // From elsewhere, while it goes on.
                    let stopping = std::thread::spawn(move || stopper.stop());
                    let report = all.await;
                    stopping.join().expect("it does not panic");
                    Some(report)
                }
                _ => {
                    self.reader_dropped = true;
                    drop(all);
                    match ledger {
                        Some(mut ledger) => Some(ledger.report().await),
                        None => None,
                    }
                }
            },
        };
        match end {
            Some(report) => {
                self.learn(target, &messages, &report)?;
                if let Some(error) = report.ended.filter(Error::is_fatal) {
                    return Err(error.into());
                }
            }
            // What was not taken from the stream never left.
            None => {
                for message in &messages[taken.load(Ordering::Acquire)..] {
                    self.model.appended(target, message.id, Told::Nothing)?;
                }
            }
        }
        Ok(End::Dropped)
    }

    fn learn(&mut self, target: usize, messages: &[Arc<Expected>], report: &AppendReport) -> Result<(), Failure> {
        for (index, message) in messages.iter().enumerate() {
            let (what, told) = match report.messages.get(index) {
                Some(Appended::Stored(Some(stored))) => ("stored", Told::Done(*stored)),
                Some(Appended::InDoubt) => ("in doubt", Told::InDoubt),
                Some(Appended::Cancelled) => ("cancelled", Told::Nothing),
                Some(Appended::NotStarted) => ("not started", Told::Nothing),
                None => ("not taken", Told::Nothing),
                Some(other) => Err(format!("{} ended as {other:?}", message.id))?,
            };
            self.model.appended(target, message.id, told)?;
            *self.tally.reports.entry(what).or_default() += 1;
        }
        Ok(())
    }

    fn learn_again(&self, report: &AppendReport, again: &AppendReport) -> Result<(), Failure> {
        if format!("{report:?}") == format!("{again:?}") { Ok(()) } else { Err(format!("{again:?} was {report:?}"))? }
    }
}

/// A stream of messages that often has nothing yet: some held, some to be read.
struct Messages {
    left: std::vec::IntoIter<Arc<Expected>>,
    random: Random,
    taken: Arc<AtomicUsize>,
}

impl Messages {
    fn new(messages: Vec<Arc<Expected>>, random: Random) -> Self {
        Messages { left: messages.into_iter(), random, taken: Arc::default() }
    }
}

impl Stream for Messages {
    type Item = Upload;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Upload>> {
        if self.random.one_in(3) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(message) = self.left.next() else { return Poll::Ready(None) };
        self.taken.fetch_add(1, Ordering::Release);
        let upload = if self.random.one_in(3) {
            let source = read_from(Hesitant::new(message.octets.clone(), self.random.fork()));
            Upload::from_source(message.octets.len() as u64, source)
        } else {
            Upload::from(NewMessage::new(Message::Octets(message.octets.clone())))
        };
        let (flags, date) = (message.flags.clone(), message.date());
        Poll::Ready(Some(upload.with(|new| new.flags(flags).date(date))))
    }
}
