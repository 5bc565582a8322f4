use super::{Claim, Command, Completion, Order, Request, State};
use crate::error::Misuse;
use crate::types::{FetchItems, Messages};
use crate::wire::Encoder;

/// `UID FETCH` and `FETCH`. RFC 9051 §6.4.5 and §6.4.9
///
/// Its responses are events of their own and fold into nothing here. Dropped half-way its answer is
/// read and thrown away, as far as the drain budget allows.
#[derive(Clone, Debug)]
pub struct Fetch {
    messages: Messages,
    items: FetchItems,
}

impl Fetch {
    /// Fetches `items` of `messages`.
    pub fn new(messages: impl Into<Messages>, items: FetchItems) -> Self {
        Fetch { messages: messages.into(), items }
    }
}

impl Command for Fetch {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let (name, order) = match self.messages {
            Messages::Uids(_) => ("UID FETCH", Order::Free),
            Messages::Numbers(_) => ("FETCH", Order::Numbers),
        };
        if self.messages.is_empty() {
            return Err(Misuse::EmptySet);
        }
        let mut encoder = Encoder::new(name);
        encoder.arg(&self.messages).arg(&self.items);
        Ok(Request {
            claim: Claim::Fetch { messages: self.messages.clone(), items: self.items.clone() },
            order,
            state: State::Selected,
            ..Request::new(name, encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
