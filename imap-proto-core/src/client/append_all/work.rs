use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::task::{Context, Poll};

use super::report::{AppendProgress, AppendReport, Appended};
use super::upload::{Upload, Uploads};
use crate::client::Client;
use crate::client::batch::Batch;
use crate::client::feed::Feed;
use crate::client::queue::{Item, Ticket};
use crate::command::{Append, Completion, stored};
use crate::error::{Error, Fate, Misuse, Refused};
use crate::types::{Code, MailboxName};

/// Commands under way, however small they are.
const MOST_UNDER_WAY: usize = 1024;

/// The messages of one call: taken, sent, answered.
pub(super) struct Work {
    batch: Batch,
    mailbox: Result<MailboxName, Error>,
    /// None once nothing more is taken.
    uploads: Option<Uploads>,
    begun: bool,
    stopped_for: Option<Error>,
    under_way: VecDeque<UnderWay>,
    /// Octets of what is under way.
    octets: u64,
    report: AppendReport,
    progress: AppendProgress,
    pub(super) settings: Settings,
}

pub(super) struct Settings {
    /// Octets that may be under way.
    pub(super) ahead: u64,
    pub(super) tell: Option<Box<dyn FnMut(AppendProgress) + Send>>,
}

/// One command.
struct UnderWay {
    ticket: Ticket,
    /// The place of its message in the stream.
    index: usize,
    size: u64,
    /// Octets of it that were counted as progress.
    counted: u64,
    feed: Option<Feed>,
}

impl Work {
    pub(super) fn new(client: &Client, mailbox: Result<MailboxName, Error>, uploads: Uploads) -> Self {
        Work {
            batch: Batch::new(client),
            mailbox,
            uploads: Some(uploads),
            begun: false,
            stopped_for: None,
            under_way: VecDeque::new(),
            octets: 0,
            report: AppendReport::default(),
            progress: AppendProgress::default(),
            settings: Settings { ahead: 512 << 10, tell: None },
        }
    }

    /// Takes nothing more, and takes back what has not begun.
    pub(super) fn stop(&mut self) {
        self.stop_for(Error::Cancelled);
    }

    fn stop_for(&mut self, error: Error) {
        if self.stopped_for.is_some() {
            return;
        }
        if self.uploads.take().is_some() {
            self.report.ended = Some(error.clone());
        }
        self.stopped_for = Some(error);
        self.batch.withdraw();
    }

    /// The same, and gives up what has begun: a source is gone with its owner.
    pub(super) fn abandon(&mut self) {
        self.stop();
        self.batch.abandon();
        self.under_way.iter_mut().for_each(|under_way| under_way.feed = None);
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<AppendReport> {
        if !self.begun {
            self.begun = true;
            if let Err(error) = self.mailbox.clone().and_then(|_| self.batch.listen()) {
                self.uploads = None;
                self.report.ended = Some(error);
            }
        }
        loop {
            while let Poll::Ready(Some((ticket, item))) = self.batch.poll_next(cx) {
                self.take(ticket, item);
            }
            self.poll_feeds(cx);
            if self.uploads.is_none() && self.under_way.is_empty() {
                return Poll::Ready(core::mem::take(&mut self.report));
            }
            if !self.poll_more(cx) {
                return Poll::Pending;
            }
        }
    }

    fn poll_feeds(&mut self, cx: &mut Context<'_>) {
        let client = self.batch.client();
        let mut given = 0;
        for under_way in &mut self.under_way {
            if let Some(feed) = &mut under_way.feed {
                let octets = feed.poll(client, under_way.ticket, cx);
                under_way.counted += octets;
                given += octets;
            }
        }
        if given > 0 {
            self.progress.octets += given;
            self.tell();
        }
    }

    /// Sends what the stream has, as far as there is room. False when nothing more can be done now.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> bool {
        let has_room = self.octets < self.settings.ahead && self.under_way.len() < MOST_UNDER_WAY;
        let Some(uploads) = self.uploads.as_mut().filter(|_| has_room) else { return false };
        match uploads.as_mut().poll_next(cx) {
            Poll::Pending => return false,
            Poll::Ready(None) => self.uploads = None,
            Poll::Ready(Some(upload)) => {
                self.progress.taken += 1;
                self.report.messages.push(Appended::NotStarted);
                let index = self.report.messages.len() - 1;
                let failure = |failure| Error::Source { failure, closed: false };
                match upload.map_err(failure).and_then(|upload| self.submit(index, upload)) {
                    Ok(()) => {}
                    Err(error) => self.not_sent(index, error),
                }
            }
        }
        true
    }

    fn submit(&mut self, index: usize, upload: Upload) -> Result<(), Error> {
        let size = upload.message.size();
        let feed = upload.source.map(Feed::new);
        let append = Append::new(self.mailbox.clone()?, upload.message);
        if append.is_fed() && feed.is_none() {
            return Err(Error::Misuse(Misuse::NoSource));
        }
        let ticket = self.batch.submit(&append)?;
        self.octets += size;
        self.under_way.push_back(UnderWay { ticket, index, size, counted: 0, feed });
        Ok(())
    }

    fn take(&mut self, ticket: Ticket, item: Item) {
        let Some(at) = self.under_way.iter().position(|under_way| under_way.ticket == ticket) else {
            if let Item::Failed(error, _) = item {
                self.lost(error);
            }
            return;
        };
        match item {
            Item::WantsBody(max) => {
                if let Some(feed) = self.under_way.get_mut(at).and_then(|under_way| under_way.feed.as_mut()) {
                    feed.want(max);
                }
            }
            Item::Done(outcome) => self.answered(at, outcome),
            Item::Failed(error, fate) => self.unanswered(at, error, fate),
            _ => {}
        }
    }

    fn answered(&mut self, at: usize, outcome: Result<Completion, Box<Refused>>) {
        match outcome {
            Ok(completion) => self.over(at, Appended::Stored(stored(&completion))),
            Err(refused) => {
                // All that follow would be refused for the same.
                if matches!(refused.code, Some(Code::TryCreate)) {
                    self.stop_for(Error::Refused(refused.clone()));
                }
                self.over(at, Appended::Refused(refused));
            }
        }
    }

    fn unanswered(&mut self, at: usize, error: Error, fate: Fate<()>) {
        let Some(under_way) = self.under_way.get_mut(at) else { return };
        let index = under_way.index;
        let error = match &mut under_way.feed {
            Some(feed) => feed.blame(error),
            None => error,
        };
        match fate {
            Fate::NotSent => {
                self.over(at, Appended::NotStarted);
                return self.not_sent(index, error);
            }
            Fate::Refused(refused) => self.over(at, Appended::Refused(refused)),
            Fate::Cancelled if matches!(error, Error::Source { .. }) => self.over(at, Appended::Failed(error.clone())),
            Fate::Cancelled => self.over(at, Appended::Cancelled),
            Fate::Completed(()) | Fate::InDoubt | Fate::Told => self.over(at, Appended::InDoubt),
        }
        self.lost(error);
    }

    /// A message of which no octet was sent.
    fn not_sent(&mut self, index: usize, error: Error) {
        if matches!(error, Error::Cancelled) {
            // It was taken back.
            self.report.ended = self.report.ended.take().or_else(|| self.stopped_for.clone());
        } else if error.is_fatal() {
            self.lost(error);
        } else if let Some(message) = self.report.messages.get_mut(index) {
            *message = Appended::Failed(error);
            self.progress.failed += 1;
            self.tell();
        }
    }

    /// The connection has ended, where `error` says so: what was to follow is not sent.
    fn lost(&mut self, error: Error) {
        if !error.is_fatal() {
            return;
        }
        self.uploads = None;
        if matches!(error, Error::Source { .. }) {
            self.report.ended = Some(error);
        } else {
            self.report.ended.get_or_insert(error);
        }
    }

    /// The command at this place is over.
    fn over(&mut self, at: usize, how: Appended) {
        let Some(under_way) = self.under_way.remove(at) else { return };
        self.octets -= under_way.size;
        match &how {
            Appended::Stored(_) => self.progress.stored += 1,
            Appended::NotStarted => {}
            _ => self.progress.failed += 1,
        }
        if !matches!(how, Appended::NotStarted) {
            self.progress.octets += under_way.size - under_way.counted;
            self.tell();
        }
        if let Some(message) = self.report.messages.get_mut(under_way.index) {
            *message = how;
        }
    }

    fn tell(&mut self) {
        if let Some(tell) = &mut self.settings.tell {
            tell(self.progress);
        }
    }
}
