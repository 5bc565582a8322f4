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
use crate::command::Fetch;
use crate::error::{Error, Limit};
use crate::types::{FetchItems, Section, Uid, UidSet};
use crate::wire::grammar;

/// The first piece: what most messages fit into.
const FIRST_PIECE: u64 = 256 << 10;
/// The others.
const PIECE: u64 = 1 << 20;
/// Pieces on their way at once.
const PIECES: usize = 2;

/// One section of a message as a stream of octets, in chunks of what was received at a time.
///
/// It is fetched in pieces, so that dropping the download of 5 GB leaves 2 MiB to be read over. A message
/// that is gone, and a section that it does not have, give a stream without octets; [`existed`](Self::existed) tells.
/// One that goes while it is read ends with [`Error::Gone`], never as if it were whole. The last item is the error, if there
/// was one.
#[must_use = "nothing is fetched unless the stream is polled"]
#[derive(Debug)]
pub struct BodyStream {
    /// `None` once the stream is over.
    batch: Option<Batch>,
    uid: Uid,
    section: Section,
    next_offset: u64,
    pieces: VecDeque<Piece>,
    /// Octets of the first piece, and of the others.
    sizes: (u64, u64),
    end: End,
    existed: bool,
    begun: bool,
    /// What came and was not read, where it is read.
    left: Bytes,
    /// What ended the reading, to be told again.
    failed: Option<Error>,
}

/// What is known of the end of the section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All pieces were as long as they could be.
    Unseen,
    /// A piece did not come at all: it lies behind the end, or the message is gone. The octet before it is asked for, as the last
    /// of the pieces, to tell which.
    Doubted,
    /// A piece came short, or none of it came and the octet before it did.
    Reached,
}

#[derive(Debug)]
struct Piece {
    ticket: Ticket,
    offset: u64,
    len: u64,
    received: u64,
    /// What came of it and was not told: a server may answer a later piece first.
    octets: VecDeque<Bytes>,
    /// True once it gave the section, be it empty.
    given: bool,
    /// True once nothing more comes of it.
    over: bool,
}

impl Piece {
    fn new(ticket: Ticket, offset: u64, len: u64) -> Self {
        Piece { ticket, offset, len, received: 0, octets: VecDeque::new(), given: false, over: false }
    }

    /// # Errors
    /// For more than was asked for: the next piece would repeat it.
    fn add(&mut self, octets: Bytes) -> Result<(), Error> {
        self.received += octets.len() as u64;
        if self.received > self.len {
            return Err(Error::Limit(Limit::Body { limit: self.len }));
        }
        if !octets.is_empty() {
            self.octets.push_back(octets);
        }
        Ok(())
    }

    /// The response that has the section is complete, and a streamed body has come before it.
    fn answer(&mut self, body: grammar::Body<'_>) -> Result<(), Error> {
        self.over = true;
        self.given |= !matches!(body, grammar::Body::Nil);
        if let grammar::Body::Octets(text) = body {
            self.add(text.to_bytes().into_owned().into())?;
        }
        Ok(())
    }
}

impl BodyStream {
    pub(super) fn new(mailbox: &Mailbox, uid: Uid, section: Section) -> Self {
        BodyStream {
            batch: Some(Batch::on(mailbox)),
            uid,
            section,
            next_offset: 0,
            pieces: VecDeque::new(),
            sizes: (FIRST_PIECE, PIECE),
            end: End::Unseen,
            existed: false,
            begun: false,
            left: Bytes::new(),
            failed: None,
        }
    }

    /// Octets asked for by one command, at least 1; 1 MiB if it is not said, and 256 KiB for the first.
    ///
    /// Two pieces are on their way at once. What other calls wait for and what a dropped download leaves to be read
    /// over is a piece each; a small one costs round trips. What is asked for already stays as it is.
    pub fn piece(mut self, octets: u32) -> Self {
        let size = u64::from(octets.max(1));
        self.sizes = (size, size);
        self
    }

    /// The next octets, or `None` at the end.
    ///
    /// Dropping the future loses nothing: the next call goes on where this one stopped.
    ///
    /// # Errors
    /// Once, with what ended the download early.
    pub async fn try_next(&mut self) -> Result<Option<Bytes>, Error> {
        core::future::poll_fn(|cx| self.poll_octets(cx)).await.transpose()
    }

    /// Takes what is left, `limit` octets of it at the most; `None` where the server gave no such section.
    ///
    /// Nothing is reserved by what the server announces. The limit counts what is gathered here; where nothing was asked for
    /// before, no more than one octet beyond it is asked for.
    ///
    /// Dropped half-way, or above the limit, what was gathered is lost, and what was asked for is read over: two pieces at the
    /// most.
    ///
    /// # Errors
    /// [`Limit::Body`] with `limit`, where there is more; the connection is good. Else what ended the download early.
    ///
    /// ```
    /// # use imap_proto_core::{Error, Limit, client::Mailbox, types::{Section, Uid}};
    /// # async fn run(inbox: &Mailbox, uid: Uid) -> Result<(), Error> {
    /// match inbox.body(uid, Section::text()).collect(1 << 20).await {
    ///     Ok(Some(text)) => println!("{} octets", text.len()),
    ///     Ok(None) => println!("it is gone"),
    ///     Err(Error::Limit(Limit::Body { limit })) => println!("more than {limit} octets"),
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn collect(mut self, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        // One octet more shows that there is more.
        let enough = limit.saturating_add(1);
        self.sizes = (self.sizes.0.min(enough), self.sizes.1.min(enough));
        let mut whole = Vec::new();
        while let Some(octets) = self.try_next().await? {
            if whole.len() as u64 + octets.len() as u64 > limit {
                return Err(Error::Limit(Limit::Body { limit }));
            }
            whole.extend_from_slice(&octets);
        }
        Ok(self.existed.then_some(whole))
    }

    /// True once the server gave the section, be it empty.
    pub fn existed(&self) -> bool {
        self.existed
    }

    /// Reads into `into` as much as is there; zero octets mean the end, or that there is no room.
    ///
    /// It is what the readers of adapters are made of. An error is told by every read from then on: what was cut short never
    /// looks complete.
    ///
    /// # Errors
    /// With what ended the download early.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<Result<usize, Error>> {
        while self.left.is_empty() && !into.is_empty() {
            if let Some(error) = &self.failed {
                return Poll::Ready(Err(error.clone()));
            }
            match ready!(self.poll_octets(cx)) {
                None => return Poll::Ready(Ok(0)),
                Some(Ok(octets)) => self.left = octets,
                Some(Err(error)) => self.failed = Some(error),
            }
        }
        let count = self.left.len().min(into.len());
        into[..count].copy_from_slice(&self.left.split_to(count));
        Poll::Ready(Ok(count))
    }

    fn poll_octets(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if !self.left.is_empty() {
            return Poll::Ready(Some(Ok(core::mem::take(&mut self.left))));
        }
        if self.batch.is_none() {
            return Poll::Ready(None);
        }
        let result = ready!(self.poll_items(cx));
        Poll::Ready(end_unless_item(&mut self.batch, result))
    }

    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        if !core::mem::replace(&mut self.begun, true) {
            self.ask(0, self.sizes.0)?;
        }
        loop {
            while let Some(first) = self.pieces.front_mut() {
                let octets = first.octets.pop_front();
                // Behind the end there is nothing to tell, and of a piece that settles a doubt its being there.
                if let Some(octets) = octets.filter(|_| self.end == End::Unseen) {
                    return Poll::Ready(Ok(Some(octets)));
                }
                if !first.over {
                    break;
                }
                self.first_ended()?;
            }
            let Some(batch) = &mut self.batch else { return Poll::Ready(Ok(None)) };
            let Some((ticket, item)) = ready!(batch.poll_next(cx)) else { return Poll::Ready(Ok(None)) };
            let piece = self.pieces.iter_mut().find(|piece| piece.ticket == ticket);
            match (item, piece) {
                (Item::Failed(error, _) | Item::Overdue(error, _), _) => return Poll::Ready(Err(error)),
                (Item::Done(outcome), piece) => {
                    ended(outcome)?;
                    piece.into_iter().for_each(|piece| piece.over = true);
                }
                // What is said again of a piece is left out.
                (Item::Body(octets), Some(piece)) if !piece.over => piece.add(octets)?,
                (Item::Data(response), Some(piece)) if !piece.over => {
                    let section = response.get().as_fetch().and_then(|fetch| fetch.sections().next());
                    if let Some(section) = section {
                        piece.answer(section.body())?;
                    }
                }
                _ => {}
            }
        }
    }

    /// All of the first piece came and was told. Its tagged response may follow later: Dovecot was seen to send
    /// the data of two commands before it ended the first.
    fn first_ended(&mut self) -> Result<(), Error> {
        let Some(piece) = self.pieces.pop_front() else { return Ok(()) };
        let settles = self.end == End::Doubted && self.pieces.is_empty();
        match self.end {
            // Behind the end of a message that is there comes an empty string (RFC 9051 §6.4.5). NIL, or no word of it, may mean
            // the same, or that it is there no more, as with Dovecot.
            End::Unseen if !piece.given && self.existed => {
                self.ask(piece.offset.saturating_sub(1), 1)?;
                self.end = End::Doubted;
            }
            End::Unseen => {
                self.existed |= piece.given;
                if piece.received < piece.len {
                    self.end = End::Reached;
                }
            }
            End::Doubted if settles && piece.received > 0 => self.end = End::Reached,
            End::Doubted if !settles && piece.received == 0 => {}
            End::Reached if piece.received == 0 => {}
            End::Doubted | End::Reached => return Err(Error::Gone),
        }
        while self.end == End::Unseen && self.pieces.len() < PIECES {
            self.ask(self.next_offset, self.sizes.1)?;
        }
        Ok(())
    }

    fn ask(&mut self, offset: u64, len: u64) -> Result<(), Error> {
        let Some(batch) = &mut self.batch else { return Ok(()) };
        let items = FetchItems::ids().partial(self.section.clone(), offset, len);
        let ticket = batch.submit(&Fetch::new(UidSet::from(self.uid), items))?;
        self.next_offset = self.next_offset.max(offset.saturating_add(len));
        self.pieces.push_back(Piece::new(ticket, offset, len));
        Ok(())
    }
}

impl Stream for BodyStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_octets(cx)
    }
}
