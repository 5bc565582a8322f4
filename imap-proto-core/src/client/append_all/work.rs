use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::future::Future;
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::group::Group;
use super::report::{AppendProgress, AppendReport, Appended};
use super::upload::{Upload, Uploads};
use crate::client::Client;
use crate::client::batch::Batch;
use crate::client::feed::Feed;
use crate::client::queue::{Item, Ticket};
use crate::command::{Append, Cancelling, Clock, Command, Completion, Message, MultiAppend, stored};
use crate::connection::View;
use crate::error::{Error, Fate, Misuse, Phase, Refused};
use crate::types::{Capability, Code, MailboxName};

/// Commands under way, however small they are.
const MOST_UNDER_WAY: usize = 1024;

/// The messages of one call: taken, sent, answered.
pub(super) struct Work {
    batch: Batch,
    mailbox: Result<MailboxName, Error>,
    /// None once nothing more is taken.
    uploads: Option<Uploads>,
    begun: bool,
    /// What the server can do, where it has to be known first.
    view: Option<ViewFuture>,
    /// What is to go in one command, where the server takes several messages in one.
    group: Option<Group>,
    stopped_for: Option<Error>,
    under_way: VecDeque<UnderWay>,
    /// Octets of what is under way. Any length may be announced, and by more than one.
    octets: u128,
    report: AppendReport,
    progress: AppendProgress,
    pub(super) settings: Settings,
}

type ViewFuture = Pin<Box<dyn Future<Output = Result<View, Error>> + Send>>;

pub(super) struct Settings {
    /// Octets that may be under way.
    pub(super) ahead: u64,
    /// Messages that go in one command.
    pub(super) together: usize,
    pub(super) cancelling: Cancelling,
    pub(super) tell: Option<Box<dyn FnMut(AppendProgress) + Send>>,
}

/// One command.
struct UnderWay {
    ticket: Ticket,
    /// The places of its messages in the stream.
    places: Range<usize>,
    size: u64,
    /// Octets of it that were counted as progress.
    counted: u64,
    feed: Option<Feed>,
    /// What was known of it when it had had its time: its answer may still come.
    overdue: Option<(Error, Fate<()>)>,
}

impl Work {
    pub(super) fn new(client: &Client, mailbox: Result<MailboxName, Error>, uploads: Uploads) -> Self {
        Work {
            batch: Batch::new(client, Clock::Turn),
            mailbox,
            uploads: Some(uploads),
            begun: false,
            view: None,
            group: None,
            stopped_for: None,
            under_way: VecDeque::new(),
            octets: 0,
            report: AppendReport::default(),
            progress: AppendProgress::default(),
            settings: Settings { ahead: 512 << 10, together: 1, cancelling: Cancelling::Finish, tell: None },
        }
    }

    /// Takes nothing more, and takes back what has not begun.
    pub(super) fn stop(&mut self) {
        if self.stop_for(Error::Cancelled) && self.settings.cancelling == Cancelling::Cut {
            self.batch.abandon();
        }
    }

    /// False where it was stopped before.
    fn stop_for(&mut self, error: Error) -> bool {
        if self.stopped_for.is_some() {
            return false;
        }
        if self.uploads.take().is_some() || self.group.as_ref().is_some_and(|group| !group.is_empty()) {
            self.report.ended = Some(error.clone());
        }
        self.stopped_for = Some(error);
        self.group = None;
        self.batch.withdraw();
        true
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
            } else if self.settings.together > 1 {
                let client = self.batch.client().clone();
                self.view = Some(Box::pin(async move { client.view().await }));
            }
        }
        if let Some(view) = &mut self.view {
            let view = ready!(view.as_mut().poll(cx));
            self.view = None;
            // One that has ended says so to the first message.
            if view.is_ok_and(|view| view.capabilities().offers(&Capability::MultiAppend)) {
                self.group = Some(Group::new(self.settings.together));
            }
        }
        loop {
            while let Poll::Ready(Some((ticket, item))) = self.batch.poll_next(cx) {
                self.take(ticket, item);
            }
            self.poll_feeds(cx);
            self.end_overdue();
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
            self.progress.octets = self.progress.octets.saturating_add(given);
            self.tell();
        }
    }

    /// Sends what the stream has, as far as there is room. False when nothing more can be done now.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> bool {
        let waiting = self.group.as_ref().map_or(0, Group::octets);
        let has_room = self.octets + u128::from(waiting) < u128::from(self.settings.ahead)
            && self.under_way.len() < MOST_UNDER_WAY;
        let next = match self.uploads.as_mut() {
            Some(uploads) if has_room => uploads.as_mut().poll_next(cx),
            _ => Poll::Pending,
        };
        match next {
            Poll::Pending => {
                self.send_group();
                return false;
            }
            Poll::Ready(None) => {
                self.send_group();
                self.uploads = None;
            }
            Poll::Ready(Some(upload)) => {
                self.progress.taken += 1;
                self.report.messages.push(Appended::NotStarted);
                let index = self.report.messages.len() - 1;
                let sent = match upload {
                    Ok(upload) => self.send(index, upload),
                    Err(failure) => {
                        self.send_group();
                        Err(Error::Source { failure, closed: false })
                    }
                };
                if let Err(error) = sent {
                    self.not_sent(index, error);
                }
            }
        }
        true
    }

    fn send(&mut self, index: usize, upload: Upload) -> Result<(), Error> {
        if let Some(group) = self.group.as_mut().filter(|_| Group::takes(&upload)) {
            group.add(index, upload.message);
            if group.is_full() {
                self.send_group();
            }
            return Ok(());
        }
        // It is to keep its place.
        self.send_group();
        let size = upload.message.size();
        let feed = upload.source.map(|source| Feed::new(source, size));
        if matches!(upload.message.octets, Message::Fed(_)) && feed.is_none() {
            return Err(Error::Misuse(Misuse::NoSource));
        }
        let append = Append::new(self.mailbox.clone()?, upload.message).cancelling(self.settings.cancelling);
        self.submit(&append, index..index + 1, size, feed)
    }

    fn send_group(&mut self) {
        let Some(group) = self.group.as_mut().filter(|group| !group.is_empty()) else { return };
        let (places, size, messages) = (group.places(), group.octets(), group.take());
        let sent = self.mailbox.clone().and_then(|mailbox| {
            let several = MultiAppend::new(mailbox, messages).cancelling(self.settings.cancelling);
            self.submit(&several, places.clone(), size, None)
        });
        if let Err(error) = sent {
            places.for_each(|index| self.not_sent(index, error.clone()));
        }
    }

    fn submit(
        &mut self,
        command: &impl Command,
        places: Range<usize>,
        size: u64,
        feed: Option<Feed>,
    ) -> Result<(), Error> {
        let ticket = self.batch.submit(command)?;
        self.octets += u128::from(size);
        self.under_way.push_back(UnderWay { ticket, places, size, counted: 0, feed, overdue: None });
        Ok(())
    }

    fn take(&mut self, ticket: Ticket, item: Item) {
        let Some(at) = self.under_way.iter().position(|under_way| under_way.ticket == ticket) else {
            if let (Ticket::NONE, Item::Failed(error, _)) = (ticket, item) {
                // What was under way has been told before: nothing of it was lost.
                self.end();
                self.report.ended.get_or_insert(error);
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
            Item::Overdue(error, fate) => {
                if let Some(under_way) = self.under_way.get_mut(at) {
                    under_way.overdue = Some((error.clone(), fate));
                }
                self.stop_for(error);
            }
            _ => {}
        }
    }

    /// Waits no more once nothing is under way but what had its time.
    fn end_overdue(&mut self) {
        if self.uploads.is_some() || self.under_way.iter().any(|under_way| under_way.overdue.is_none()) {
            return;
        }
        while let Some((error, fate)) = self.under_way.front_mut().and_then(|under_way| under_way.overdue.take()) {
            self.ended_for(error);
            self.over(0, || if matches!(fate, Fate::Cancelled) { Appended::Cancelled } else { Appended::InDoubt });
        }
    }

    fn answered(&mut self, at: usize, outcome: Result<Completion, Box<Refused>>) {
        match outcome {
            Ok(completion) => {
                let count = self.under_way.get(at).map_or(0, |under_way| under_way.places.len());
                let mut places = stored(&completion, count).into_iter();
                self.over(at, || Appended::Stored(places.next()));
            }
            Err(refused) => {
                // All that follow would be refused for the same.
                if matches!(refused.code, Some(Code::TryCreate)) {
                    self.stop_for(Error::Refused(refused.clone()));
                }
                self.over(at, || Appended::Refused(refused.clone()));
            }
        }
    }

    fn unanswered(&mut self, at: usize, error: Error, fate: Fate<()>) {
        let Some(under_way) = self.under_way.get_mut(at) else { return };
        let places = under_way.places.clone();
        let error = match &mut under_way.feed {
            Some(feed) => feed.blame(error),
            None => error,
        };
        match fate {
            Fate::NotSent => {
                self.over(at, || Appended::NotStarted);
                return places.for_each(|index| self.not_sent(index, error.clone()));
            }
            Fate::Refused(refused) => self.over(at, || Appended::Refused(refused.clone())),
            Fate::Cancelled if matches!(error, Error::Source { .. }) => {
                self.over(at, || Appended::Failed(error.clone()));
            }
            Fate::Cancelled => self.over(at, || Appended::Cancelled),
            Fate::Completed(()) | Fate::InDoubt | Fate::Told => self.over(at, || Appended::InDoubt),
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

    /// What was under way is lost with the connection, where `error` says so. That goes before having been stopped.
    fn lost(&mut self, error: Error) {
        if !error.is_fatal() {
            return;
        }
        self.end();
        self.ended_for(error);
    }

    /// What cost a message its answer goes before having been stopped.
    fn ended_for(&mut self, error: Error) {
        let is_less = |ended: &Error| match ended {
            Error::Cancelled => true,
            Error::Timeout { phase: Phase::Operation, .. } => error.is_fatal(),
            _ => matches!(error, Error::Source { .. }),
        };
        if self.report.ended.as_ref().is_none_or(is_less) {
            self.report.ended = Some(error);
        }
    }

    /// The connection has ended: what was to follow is not sent.
    fn end(&mut self) {
        self.uploads = None;
        self.group = None;
    }

    /// The command at this place is over; `how` is asked for each of its messages.
    fn over(&mut self, at: usize, mut how: impl FnMut() -> Appended) {
        let Some(under_way) = self.under_way.remove(at) else { return };
        self.octets -= u128::from(under_way.size);
        let mut was_begun = false;
        for index in under_way.places {
            let how = how();
            was_begun |= !matches!(how, Appended::NotStarted);
            match &how {
                Appended::Stored(_) => self.progress.stored += 1,
                Appended::NotStarted => {}
                _ => self.progress.failed += 1,
            }
            if let Some(message) = self.report.messages.get_mut(index) {
                *message = how;
            }
        }
        if was_begun {
            let rest = under_way.size.saturating_sub(under_way.counted);
            self.progress.octets = self.progress.octets.saturating_add(rest);
            self.tell();
        }
    }

    fn tell(&mut self) {
        if let Some(tell) = &mut self.settings.tell {
            tell(self.progress);
        }
    }
}
