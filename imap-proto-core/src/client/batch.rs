use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::Mailbox;
use super::queue::{Call, Item, Reader, Submission, Ticket};
use crate::command::Command;
use crate::error::Error;

/// The commands of one stream on one mailbox, with one way back for all of them.
///
/// Dropping it gives up what is under way, without waiting.
#[derive(Debug)]
pub(super) struct Batch {
    mailbox: Mailbox,
    reader: Reader,
    under_way: Vec<Ticket>,
}

impl Batch {
    pub(super) fn new(mailbox: &Mailbox) -> Self {
        Batch { mailbox: mailbox.clone(), reader: Reader::new(), under_way: Vec::new() }
    }

    pub(super) fn submit(&mut self, command: &impl Command) -> Result<Ticket, Error> {
        let calls = self.mailbox.client.calls();
        let ticket = calls.ticket();
        let request = command.request()?.bind(self.mailbox.selection());
        let submission = Submission { ticket, request, reply: self.reader.reply().clone() };
        calls.push(Call::Submit(Box::new(submission)))?;
        self.under_way.push(ticket);
        Ok(ticket)
    }

    /// The next item of any of them; `None` when none is under way.
    pub(super) fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<(Ticket, Item)>> {
        if self.under_way.is_empty() {
            return Poll::Ready(None);
        }
        self.reader.poll_pop(self.mailbox.client.calls(), cx).map(|(ticket, item)| {
            if matches!(item, Item::Done(_) | Item::Failed(..)) {
                self.under_way.retain(|other| *other != ticket);
            }
            Some((ticket, item))
        })
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        self.reader.close();
        for ticket in self.under_way.drain(..) {
            // Where the driver is gone there is nothing left to abandon.
            let _ = self.mailbox.client.calls().push(Call::Abandon { ticket });
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
