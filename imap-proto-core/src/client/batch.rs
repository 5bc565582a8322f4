use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::queue::{Call, Item, Reader, Submission, Ticket, Told};
use super::{Client, Mailbox};
use crate::command::{Clock, Command, Request};
use crate::error::Error;

/// The commands of one call that takes several, with one way back for all of them.
///
/// Dropping it gives up what is under way, without waiting.
#[derive(Debug)]
pub(super) struct Batch {
    client: Client,
    /// What all of them are bound to.
    selection: Option<u32>,
    clock: Clock,
    reader: Reader,
    under_way: Vec<Ticket>,
    /// True once it is told of the end of the connection.
    listens: bool,
}

impl Batch {
    pub(super) fn new(client: &Client, clock: Clock) -> Self {
        Batch {
            client: client.clone(),
            selection: None,
            clock,
            reader: Reader::new(),
            under_way: Vec::new(),
            listens: false,
        }
    }

    /// One whose commands are about the messages of a mailbox.
    pub(super) fn on(mailbox: &Mailbox) -> Self {
        let mut batch = Batch::new(&mailbox.client, Clock::Submission);
        batch.selection = Some(mailbox.selection());
        batch
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn submit(&mut self, command: &impl Command) -> Result<Ticket, Error> {
        let calls = self.client.calls();
        let ticket = calls.ticket();
        let request = Request { selection: self.selection, clock: self.clock, ..command.request()? };
        let submission = Submission { ticket, request, reply: self.reader.reply().clone() };
        calls.push(Call::Submit(Box::new(submission)))?;
        self.under_way.push(ticket);
        Ok(ticket)
    }

    /// Is told of the end of the connection as well, under no ticket.
    ///
    /// # Errors
    /// When it has ended.
    pub(super) fn listen(&mut self) -> Result<(), Error> {
        self.listens = true;
        self.client.calls().push(Call::Subscribe { reply: self.reader.reply().clone(), to: Told::TheEnd })
    }

    /// The next item of any of them; `None` when none is under way and nothing else is to be told.
    pub(super) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<(Ticket, Item)>> {
        if self.under_way.is_empty() && !self.listens {
            return Poll::Ready(None);
        }
        self.reader.poll_pop(self.client.calls(), cx).map(|(ticket, item)| {
            if matches!(item, Item::Done(_) | Item::Failed(..)) {
                self.under_way.retain(|other| *other != ticket);
            }
            Some((ticket, item))
        })
    }

    /// Gives up what is under way. How each of them ended is still told.
    pub(super) fn abandon(&self) {
        self.call_for_each(|ticket| Call::Abandon { ticket });
    }

    /// Gives up those of which no octet has left. How each of them ended is still told.
    pub(super) fn withdraw(&self) {
        self.call_for_each(|ticket| Call::Withdraw { ticket });
    }

    fn call_for_each(&self, call: impl Fn(Ticket) -> Call) {
        for ticket in &self.under_way {
            // Where the driver is gone there is nothing left to give up.
            let _ = self.client.calls().push(call(*ticket));
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.under_way.is_empty() {
            self.reader.close();
            self.abandon();
        }
    }
}

/// Ends a stream with its last item or its first error: what is under way is given up.
pub(super) fn end_unless_item<T>(
    batch: &mut Option<Batch>,
    result: Result<Option<T>, Error>,
) -> Option<Result<T, Error>> {
    if !matches!(result, Ok(Some(_))) {
        *batch = None;
    }
    result.transpose()
}
