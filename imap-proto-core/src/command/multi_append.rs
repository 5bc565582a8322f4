use alloc::vec::Vec;

use super::append::{Cancelling, NewMessage, Stored, stored};
use super::{Command, Completion, Effect, Given, Request, checked};
use crate::error::Misuse;
use crate::types::{Capability, IntoMailboxName};
use crate::wire::Encoder;

/// `APPEND` of several messages: stores all of them in a mailbox, or none. RFC 3502
///
/// Needs MULTIAPPEND. A message with NUL in it needs BINARY, as with [`Append`](super::Append).
///
/// Dropped half-way:
///
/// * what the core holds is sent to its end and all are stored, unless [`cancelling`](Self::cancelling) says otherwise;
/// * with [`Cancelling::Cut`] the message that is being written is finished, and the server is told to store none of them
///   in place of the next one: the connection stays usable. Inside the last message it is closed, and nothing is stored
///   unless the last octet had left;
/// * where octets of a later message were to be fed, the same, whatever was said. Inside a message that is fed the
///   connection must close.
///
/// ```
/// use imap_proto_core::command::{Cancelling, Command, MultiAppend, NewMessage};
/// use imap_proto_core::types::Flag;
///
/// let first = NewMessage::new("Subject: 1\r\n\r\n").flags([Flag::Seen]);
/// let both = MultiAppend::new("Archive", [first, "Subject: 2\r\n\r\n".into()]).cancelling(Cancelling::Cut);
/// assert_eq!(both.request()?.name(), "APPEND");
/// # Ok::<(), imap_proto_core::Misuse>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultiAppend {
    mailbox: Given,
    messages: Vec<NewMessage>,
    cancelling: Cancelling,
}

impl MultiAppend {
    /// Stores `messages` in `mailbox`, in that order.
    pub fn new(mailbox: impl IntoMailboxName, messages: impl IntoIterator<Item = impl Into<NewMessage>>) -> Self {
        let messages = messages.into_iter().map(Into::into).collect();
        MultiAppend { mailbox: mailbox.into_mailbox_name(), messages, cancelling: Cancelling::default() }
    }

    /// Says what giving it up half-way does; else it is finished.
    pub fn cancelling(mut self, cancelling: Cancelling) -> Self {
        self.cancelling = cancelling;
        self
    }
}

impl Command for MultiAppend {
    /// Where they were stored, one for each message and in their order; empty where the server does not say so of all.
    type Output = Vec<Stored>;

    fn request(&self) -> Result<Request, Misuse> {
        if self.messages.is_empty() {
            return Err(Misuse::NoMessages);
        }
        let mut encoder = Encoder::new("APPEND");
        encoder.mailbox(checked(&self.mailbox)?);
        let mut binary = false;
        for (index, message) in self.messages.iter().enumerate() {
            if index > 0 {
                encoder.next_message();
            }
            binary |= message.encode(&mut encoder)?;
        }
        let request =
            Request { effect: Effect::Store, cancelling: self.cancelling, ..Request::new("APPEND", encoder)? };
        let said = binary.then_some((Capability::Binary, "BINARY"));
        Ok(Request { said, ..request.needing(Capability::MultiAppend, "MULTIAPPEND") })
    }

    fn finish(self, ok: Completion) -> Vec<Stored> {
        stored(&ok, self.messages.len())
    }
}
