use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

use super::Mailbox;
use super::batch::{Batch, end_unless_item};
use super::operation::ended;
use super::queue::{Item, Ticket};
use crate::command::{Command, Fetch, Search};
use crate::error::{Error, Limit};
use crate::types::{DateTime, FetchItems, Flag, Messages, Query, SeqNum, Uid, UidSet, UidValidity};
use crate::wire::OwnedResponse;
use crate::wire::grammar;

/// Messages in one window of items that are small for each message.
const WINDOW: u64 = 256;
/// Messages in one window where a section of each is fetched.
const WINDOW_OF_SECTIONS: u64 = 32;
/// Windows under way at once: one to read from, one on its way.
const WINDOWS: usize = 2;
/// The most that is held of the bodies of one response.
const MOST_BODY: u64 = 64 << 20;

/// A stream of messages, fetched in windows.
///
/// One item is one FETCH response. A server may send more than one for a message, as it does when flags
/// change meanwhile. The last item is the error, if there was one: a stream that just ends has told all.
///
/// An open set of UIDs is closed by a search first, so that the windows are even. Sequence numbers are fetched by one
/// command.
#[must_use = "nothing is fetched unless the stream is polled"]
#[derive(Debug)]
pub struct FetchStream {
    /// `None` once the stream is over.
    batch: Option<Batch>,
    uid_validity: Option<UidValidity>,
    items: FetchItems,
    /// What is not asked for yet.
    left: UidSet,
    /// What is asked for at once, in place of that.
    others: Option<Messages>,
    changed_since: Option<u64>,
    searching: Option<(Ticket, Search)>,
    windows: VecDeque<Window>,
    /// Messages in one window.
    window: u64,
    bodies: Bodies,
    begun: bool,
}

#[derive(Debug)]
struct Window {
    ticket: Ticket,
    size: u64,
    read: u64,
}

/// The streamed bodies of the response under way.
#[derive(Debug, Default)]
struct Bodies {
    complete: Vec<Bytes>,
    current: Vec<u8>,
    /// How long that one will be, as the server says.
    announced: u64,
    /// Octets of all of them.
    held: u64,
    overflow: bool,
}

/// One FETCH response that is kept.
#[derive(Clone, Debug)]
pub struct FetchedMessage {
    response: OwnedResponse,
    bodies: Vec<Bytes>,
    uid: Uid,
    uid_validity: Option<UidValidity>,
}

impl FetchedMessage {
    /// Its UID.
    pub fn uid(&self) -> Uid {
        self.uid
    }

    /// Its sequence number when the server told of it.
    pub fn seq(&self) -> SeqNum {
        SeqNum::from(self.get().seq())
    }

    /// What the UID is valid with.
    pub fn uid_validity(&self) -> Option<UidValidity> {
        self.uid_validity
    }

    /// The typed view on all that came for it.
    pub fn get(&self) -> grammar::Fetch<'_> {
        self.response.get().as_fetch().unwrap_or(grammar::Fetch::empty())
    }

    /// Its flags; `None` where they did not come with it.
    pub fn flags(&self) -> Option<Vec<Flag>> {
        let flags = self.get().flags()?;
        Some(flags.iter().map(|flag| Flag::from_wire(&flag.to_bytes())).collect())
    }

    /// When the server got it; `None` where that did not come, or is no date.
    pub fn internal_date(&self) -> Option<DateTime> {
        DateTime::from_wire(&self.get().internal_date()?.to_bytes())
    }

    /// The response as it came.
    pub fn response(&self) -> &OwnedResponse {
        &self.response
    }

    /// The octets of a section by its wire name (`""`, `HEADER`, `1.2`), `None` where it did not come or was NIL.
    pub fn section(&self, name: &str) -> Option<alloc::borrow::Cow<'_, [u8]>> {
        use alloc::borrow::Cow;
        match self.get().section(name.as_bytes())?.body() {
            grammar::Body::Octets(text) => Some(text.to_bytes()),
            grammar::Body::Detached { index, .. } => {
                // Skipped literals have no octets; those before it shift the count.
                let before = self.response.get().detached().iter().take(index).filter(|d| !d.skipped).count();
                self.bodies.get(before).map(|octets| Cow::Borrowed(&octets[..]))
            }
            _ => None,
        }
    }
}

impl FetchStream {
    pub(super) fn new(mailbox: &Mailbox, messages: Messages, items: FetchItems) -> Self {
        let (left, others) = match messages {
            Messages::Uids(uids) => (uids, None),
            others => (UidSet::new(), Some(others)),
        };
        FetchStream {
            batch: Some(Batch::on(mailbox)),
            uid_validity: mailbox.uid_validity(),
            window: if items.sections().is_empty() { WINDOW } else { WINDOW_OF_SECTIONS },
            items,
            left,
            others,
            changed_since: None,
            searching: None,
            windows: VecDeque::new(),
            bodies: Bodies::default(),
            begun: false,
        }
    }

    /// Messages asked for by one command, at least 1; 256 if it is not said, and 32 where a section of each is fetched.
    ///
    /// Two windows are on their way at once. What other calls wait for and what a dropped stream leaves to be read over
    /// is a window each; a small one costs round trips. What is asked for already stays as it is.
    pub fn window(mut self, messages: u32) -> Self {
        self.window = u64::from(messages.max(1));
        self
    }

    /// Leaves out messages that have not changed since: those of this mod-sequence or a lower one. What is told has its
    /// mod-sequence with it. To be said before the stream is polled. RFC 7162 §3.1.4.1
    ///
    /// Without CONDSTORE the stream ends with [`Error::Unsupported`]. What is gone is not told: compare with a search.
    pub fn changed_since(mut self, mod_seq: u64) -> Self {
        self.changed_since = Some(mod_seq);
        self
    }

    /// The next message, or `None` when all were told.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stopped.
    ///
    /// # Errors
    /// Once, with what ended the stream early.
    pub async fn try_next(&mut self) -> Result<Option<FetchedMessage>, Error> {
        core::future::poll_fn(|cx| self.poll_message(cx)).await.transpose()
    }

    /// Collects all that is left.
    ///
    /// # Errors
    /// The first one; what came before it is lost with it.
    pub async fn collect(mut self) -> Result<Vec<FetchedMessage>, Error> {
        let mut all = Vec::new();
        while let Some(message) = self.try_next().await? {
            all.push(message);
        }
        Ok(all)
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<FetchedMessage, Error>>> {
        if self.batch.is_none() {
            return Poll::Ready(None);
        }
        let result = ready!(self.poll_items(cx));
        Poll::Ready(end_unless_item(&mut self.batch, result))
    }

    fn begin(&mut self) -> Result<(), Error> {
        let saved = self.others == Some(Messages::Saved);
        if let Some(numbers) = self.others.take_if(|_| !saved) {
            return self.ask(numbers, 0);
        }
        // The last message needs no search, and Courier's finds nothing by `*`.
        let is_closed = !self.left.is_open() || self.left == UidSet::last_message();
        if !saved && is_closed && self.changed_since.is_none() {
            return self.open_windows();
        }
        let mut query = if saved { Query::saved_result() } else { Query::uid(self.left.clone()) };
        if let Some(mod_seq) = self.changed_since {
            // A MODSEQ key finds that one as well. RFC 7162 §3.1.5
            query = query.and(Query::mod_seq(mod_seq.saturating_add(1)));
        }
        let command = Search::new(query);
        if let Some(batch) = &mut self.batch {
            self.searching = Some((batch.submit(&command)?, command));
        }
        Ok(())
    }

    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<FetchedMessage>, Error>> {
        if !core::mem::replace(&mut self.begun, true) {
            self.begin()?;
        }
        while let Some(batch) = &mut self.batch {
            let Some((ticket, item)) = ready!(batch.poll_next(cx)) else { break };
            match item {
                Item::Failed(error, _) | Item::Overdue(error, _) => return Poll::Ready(Err(error)),
                Item::Done(outcome) => self.ended(ticket, outcome)?,
                Item::Data(response) => {
                    if let Some((_, search)) = &mut self.searching {
                        search.fold(response.get());
                    } else if let Some(message) = self.message(ticket, response)? {
                        return Poll::Ready(Ok(Some(message)));
                    }
                }
                Item::BodyStart(len) => self.bodies.begin(len),
                Item::Body(octets) => self.bodies.add(&octets),
                Item::BodyEnd => self.bodies.end(),
                _ => {}
            }
        }
        Poll::Ready(Ok(None))
    }

    fn ended(&mut self, ticket: Ticket, outcome: crate::command::Outcome) -> Result<(), Error> {
        if let Some((_, search)) = self.searching.take_if(|(own, _)| *own == ticket) {
            let completion = outcome.map_err(Error::Refused)?;
            self.left = search.finish(completion);
        } else {
            self.windows.retain(|window| window.ticket != ticket);
            ended(outcome)?;
        }
        self.open_windows()
    }

    fn message(&mut self, ticket: Ticket, response: OwnedResponse) -> Result<Option<FetchedMessage>, Error> {
        let bodies = self.bodies.take()?;
        if let Some(window) = self.windows.iter_mut().find(|window| window.ticket == ticket) {
            window.read += 1;
        }
        self.open_windows()?;
        let uid = response.get().as_fetch().and_then(|fetch| fetch.uid()).map(Uid::from);
        let uid_validity = self.uid_validity;
        Ok(uid.map(|uid| FetchedMessage { response, bodies, uid, uid_validity }))
    }

    /// Asks for the next window when half of the one being read is consumed.
    fn open_windows(&mut self) -> Result<(), Error> {
        let half_read = |window: &Window| window.read * 2 >= window.size;
        while !self.left.is_empty() && self.windows.len() < WINDOWS && self.windows.front().is_none_or(half_read) {
            let mut uids = self.left.split_front(self.window);
            if uids.is_empty() {
                // A server answered the search with an open set.
                uids = core::mem::take(&mut self.left);
            }
            let size = uids.len();
            self.ask(Messages::Uids(uids), size)?;
        }
        Ok(())
    }

    fn ask(&mut self, messages: Messages, size: u64) -> Result<(), Error> {
        let Some(batch) = &mut self.batch else { return Ok(()) };
        let mut fetch = Fetch::new(messages, self.items.clone());
        if let Some(mod_seq) = self.changed_since {
            fetch = fetch.changed_since(mod_seq);
        }
        let ticket = batch.submit(&fetch)?;
        self.windows.push_back(Window { ticket, size, read: 0 });
        Ok(())
    }
}

impl Bodies {
    fn begin(&mut self, len: u64) {
        self.announced = len;
    }

    fn add(&mut self, octets: &[u8]) {
        self.held = self.held.saturating_add(octets.len() as u64);
        if self.held > MOST_BODY {
            self.overflow = true;
        } else {
            self.make_room(octets.len());
            self.current.extend_from_slice(octets);
        }
    }

    /// Room for twice of what came, and for no more than was announced: it is not believed before it comes.
    fn make_room(&mut self, more: usize) {
        let came = self.current.len() + more;
        if came > self.current.capacity() {
            let announced = usize::try_from(self.announced).unwrap_or(usize::MAX);
            let room = came.saturating_mul(2).min(announced).max(came);
            self.current.reserve_exact(room - self.current.len());
        }
    }

    fn end(&mut self) {
        self.complete.push(core::mem::take(&mut self.current).into());
    }

    fn take(&mut self) -> Result<Vec<Bytes>, Error> {
        self.held = 0;
        if core::mem::take(&mut self.overflow) {
            return Err(Error::Limit(Limit::Body { limit: MOST_BODY }));
        }
        Ok(core::mem::take(&mut self.complete))
    }
}

impl Stream for FetchStream {
    type Item = Result<FetchedMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_message(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_of_all_bodies_of_a_response_is_bounded() {
        let mut bodies = Bodies::default();
        let half = alloc::vec![0; MOST_BODY as usize / 2];
        for _ in 0..3 {
            bodies.add(&half);
            bodies.end();
        }
        assert!(bodies.complete.iter().map(Bytes::len).sum::<usize>() as u64 <= MOST_BODY);
        assert!(matches!(bodies.take(), Err(Error::Limit(Limit::Body { limit: MOST_BODY }))));
        bodies.add(b"next");
        bodies.end();
        assert!(bodies.take().is_ok());
    }
}
