use alloc::string::ToString;

use super::{Claim, Command, Completion, Given, Request, checked};
use crate::error::Misuse;
use crate::types::{IntoMailboxName, Status, StatusItems};
use crate::wire::{Encoder, Response};

/// `STATUS`: asks how a mailbox is, without selecting it. RFC 9051 §6.3.11
///
/// Those of different mailboxes are pipelined. Not to be used on the selected mailbox, whose state the connection knows.
/// Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct StatusCommand {
    mailbox: Given,
    items: StatusItems,
    told: Status,
}

impl StatusCommand {
    /// Asks for `items` of `mailbox`.
    pub fn new(mailbox: impl IntoMailboxName, items: StatusItems) -> Self {
        StatusCommand { mailbox: mailbox.into_mailbox_name(), items, told: Status::default() }
    }
}

impl Command for StatusCommand {
    type Output = Status;

    fn request(&self) -> Result<Request, Misuse> {
        if self.items.is_empty() {
            return Err(Misuse::NothingAsked);
        }
        let mailbox = checked(&self.mailbox)?;
        let mut encoder = Encoder::new("STATUS");
        encoder.mailbox(mailbox).text(" (").offered(self.items.bits().into(), |bits, capabilities| {
            StatusItems::from_bits(bits as u16).offered(capabilities).to_string()
        });
        encoder.text(")");
        Ok(Request { claim: Claim::Status(mailbox.clone()), ..Request::new("STATUS", encoder)? })
    }

    fn fold(&mut self, response: Response<'_>) {
        if let Some((_, told)) = response.as_status() {
            self.told = told;
        }
    }

    fn finish(self, _: Completion) -> Status {
        self.told
    }
}
