use super::{Claim, Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, FetchItems, ItemMask, Messages};
use crate::wire::Encoder;

/// `UID FETCH` and `FETCH`. RFC 9051 §6.4.5 and §6.4.9
///
/// Its responses are events of their own and fold into nothing here. Dropped half-way its answer is
/// read and thrown away, as far as the drain budget allows; a section that marks as seen has done so. An item of an
/// extension needs it, and nothing is sent where the server does not offer it.
#[derive(Clone, Debug)]
pub struct Fetch {
    messages: Messages,
    items: FetchItems,
    changed_since: Option<u64>,
}

impl Fetch {
    /// Fetches `items` of `messages`.
    pub fn new(messages: impl Into<Messages>, items: FetchItems) -> Self {
        Fetch { messages: messages.into(), items, changed_since: None }
    }

    /// Leaves out messages that have not changed since: those of this mod-sequence or a lower one. What is told has its
    /// mod-sequence with it; of zero, which no message has and no server takes, nothing is left out. Needs CONDSTORE.
    /// RFC 7162 §3.1.4.1
    #[must_use]
    pub fn changed_since(mut self, mod_seq: u64) -> Self {
        self.changed_since = Some(mod_seq);
        self.items = self.items.mod_seq();
        self
    }
}

impl Command for Fetch {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let (name, order) = match self.messages {
            Messages::Uids(_) | Messages::Saved => ("UID FETCH", Order::Free),
            Messages::Numbers(_) => ("FETCH", Order::Numbers),
        };
        if self.messages.is_empty() {
            return Err(Misuse::EmptySet);
        }
        let mut encoder = Encoder::new(name);
        encoder.arg(&self.messages).arg(&self.items);
        if let Some(mod_seq) = self.changed_since.filter(|mod_seq| *mod_seq > 0) {
            encoder.text(" (CHANGEDSINCE").arg(mod_seq).text(")");
        }
        let asks = |item| self.items.mask().contains(item);
        let asks_mod_seq = self.changed_since.is_some() || asks(ItemMask::MOD_SEQ);
        let asks_gmail =
            [ItemMask::GMAIL_LABELS, ItemMask::GMAIL_MESSAGE_ID, ItemMask::GMAIL_THREAD_ID].into_iter().any(asks);
        let asks_id = asks(ItemMask::EMAIL_ID) || asks(ItemMask::THREAD_ID);
        let request = Request {
            claim: Claim::Fetch { messages: self.messages.clone(), items: self.items.clone() },
            effect: if self.items.marks_seen() { Effect::Change } else { Effect::None },
            order,
            state: State::Selected,
            ..Request::new(name, encoder)?
        };
        let request = request.on(&self.messages).needing_if(asks_mod_seq, Capability::CondStore, "CONDSTORE");
        Ok(request
            .needing_if(self.items.needs_binary(), Capability::Binary, "BINARY")
            .needing_if(asks(ItemMask::SAVE_DATE), Capability::SaveDate, "SAVEDATE")
            .needing_if(asks(ItemMask::PREVIEW), Capability::Preview, "PREVIEW")
            .needing_if(asks_id, Capability::ObjectId, "OBJECTID")
            .needing_if(asks_gmail, Capability::GmailExtensions, "X-GM-EXT-1"))
    }

    fn finish(self, _: Completion) {}
}
