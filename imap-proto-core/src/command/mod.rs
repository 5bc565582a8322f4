//! Commands as values: what each sends, which responses are its own, and how they fold into its result.
//!
//! A new command is one file here and its line in this one. What it needs of the connection it says as
//! plain data in its [`Request`]; nothing else in the crate knows it by name.
//!
//! Quirks are cited by their numbers in `docs/quirks.md`.

mod append;
mod authenticate;
mod capability;
mod close;
#[cfg(any(feature = "compress", test))]
mod compress;
mod copy;
mod enable;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod login;
mod logout;
mod mailboxes;
mod multi_append;
mod namespace;
mod noop;
mod raw;
mod search;
mod select;
mod starttls;
mod status;
mod store;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

#[cfg(feature = "client")]
pub(crate) use append::stored;
pub use append::{Append, Cancelling, Message, NewMessage, Stored};
pub(crate) use authenticate::Authenticate;
pub use capability::CapabilityCommand;
pub use close::{Close, Unselect};
#[cfg(any(feature = "compress", test))]
pub use compress::Compress;
pub use copy::{Copy, Move};
pub use enable::Enable;
pub use expunge::{Expunge, UidExpunge};
pub use fetch::Fetch;
pub use id::Id;
pub use idle::Idle;
pub use list::{List, Lsub};
pub use login::Login;
pub use logout::Logout;
pub use mailboxes::{Check, Create, Delete, Rename, Subscribe, Unsubscribe};
pub use multi_append::MultiAppend;
pub use namespace::NamespaceCommand;
pub use noop::Noop;
pub use raw::{InvalidRaw, Raw, RawAnswer};
pub use search::{Found, Returns, Search, SearchReturning};
pub use select::{Access, Select};
pub(crate) use starttls::StartTls;
pub use status::StatusCommand;
pub use store::{Store, StoreAnswer, StoreCommand};

use crate::connection::Selected;
use crate::error::{Misuse, Refused};
use crate::types::{Capabilities, Capability, Code, FetchItems, InvalidName, MailboxName, Messages};
use crate::wire::{EncodeError, Encoder, Part, Response};

/// A command that can be submitted, with the fold of its answers.
pub trait Command {
    /// What it returns.
    type Output;

    /// What it sends and what it asks of the connection.
    ///
    /// # Errors
    /// [`Misuse`] where it has no wire form. Nothing was sent.
    fn request(&self) -> Result<Request, Misuse>;

    /// Takes in one of its own responses.
    fn fold(&mut self, response: Response<'_>) {
        let _ = response;
    }

    /// Makes the result of an `OK`.
    fn finish(self, ok: Completion) -> Self::Output;
}

/// The name of a mailbox as a caller gave it: it is checked when the command is to be sent.
type Given = Result<MailboxName, InvalidName>;

fn checked(given: &Given) -> Result<&MailboxName, Misuse> {
    given.as_ref().map_err(|invalid| Misuse::Name(*invalid))
}

/// The tagged `OK` of a command, and what the connection knows by then.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Completion {
    /// The response code, where there was one.
    pub code: Option<Code>,
    /// The server's words.
    pub text: String,
    /// The mailbox that is selected now, when the command selects one.
    pub selected: Option<alloc::boxed::Box<Selected>>,
    /// What was switched on, when the command was ENABLE.
    pub enabled: Capabilities,
}

/// How a tagged response ended a command.
pub type Outcome = Result<Completion, alloc::boxed::Box<Refused>>;

/// What is submitted to a [`Connection`](crate::Connection): plain data, no part of which knows its caller.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) name: Cow<'static, str>,
    pub(crate) parts: Vec<Part>,
    pub(crate) claim: Claim,
    pub(crate) effect: Effect,
    pub(crate) order: Order,
    pub(crate) state: State,
    pub(crate) selection: Option<u32>,
    /// True where it names messages by sequence numbers, which mean others once something is expunged.
    pub(crate) numbered: bool,
    /// How long it may take in all; what the connection's configuration says, where it is `None`.
    pub(crate) within: Option<Duration>,
    pub(crate) clock: Clock,
    /// What the server must offer, by name; else nothing is sent.
    pub(crate) needs: Vec<(Capability, &'static str)>,
    /// The same, by its own name: that of IMAP4rev2 will not do.
    pub(crate) said: Option<(Capability, &'static str)>,
    /// What is sent instead where the server does not offer this.
    pub(crate) or_without: Option<Box<OrWithout>>,
    /// What giving it up does inside a message.
    pub(crate) cancelling: Cancelling,
}

impl Request {
    fn new(name: impl Into<Cow<'static, str>>, encoder: Encoder) -> Result<Self, EncodeError> {
        Ok(Request {
            name: name.into(),
            parts: encoder.finish()?,
            claim: Claim::Nothing,
            effect: Effect::None,
            order: Order::Free,
            state: State::Authenticated,
            selection: None,
            numbered: false,
            within: None,
            clock: Clock::Submission,
            needs: Vec::new(),
            said: None,
            or_without: None,
            cancelling: Cancelling::Finish,
        })
    }

    /// The command's name, without arguments.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when the command does nothing but answer: abandoned, it is surely without effect.
    pub fn only_answers(&self) -> bool {
        only_answers(&self.claim, &self.effect)
    }

    /// Sends nothing where the server does not offer `capability`.
    fn needing(mut self, capability: Capability, name: &'static str) -> Self {
        let need = (capability, name);
        if !self.needs.contains(&need) {
            self.needs.push(need);
        }
        self
    }

    /// The same, where it is needed.
    fn needing_if(self, needed: bool, capability: Capability, name: &'static str) -> Self {
        if needed { self.needing(capability, name) } else { self }
    }

    /// Says which messages it is about: `$` needs SEARCHRES.
    fn on(self, messages: &Messages) -> Self {
        let numbered = matches!(messages, Messages::Numbers(numbers) if numbers.may_move());
        let request = Request { numbered, ..self };
        request.needing_if(*messages == Messages::Saved, Capability::SearchRes, "SEARCHRES")
    }

    /// Sends something else where the server does not offer `capability`.
    fn or_without(mut self, capability: Capability, encoder: Encoder) -> Result<Self, EncodeError> {
        self.or_without = Some(Box::new(OrWithout { needed: capability, parts: encoder.finish()? }));
        Ok(self)
    }

    /// How many octets of literals the caller owes.
    #[cfg(feature = "client")]
    pub(crate) fn octets_to_feed(&self) -> u64 {
        let fed = self.parts.iter().map(|part| if let Part::Fed(len) = part { *len } else { 0 });
        fed.fold(0, u64::saturating_add)
    }

    /// True for IDLE, whose answer is what happens.
    #[cfg(feature = "client")]
    pub(crate) fn is_idle(&self) -> bool {
        self.order == Order::Idle
    }

    /// Binds the command to a selection: once another mailbox is selected it fails with
    /// [`Error::Deselected`](crate::Error::Deselected) instead of being sent.
    pub fn bind(mut self, selection: u32) -> Self {
        self.selection = Some(selection);
        self
    }

    /// Gives the command so much time from when it is submitted, in place of [`Config::command`](crate::Config::command): then
    /// it fails with [`Phase::Operation`](crate::Phase::Operation) and is abandoned.
    pub fn within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }
}

/// From when on the time of a command is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// From when it is submitted.
    Submission,
    /// From when a byte of it has left and the one before it on the wire is answered. Where that one had its time instead, the
    /// time begins there, for all behind it at once.
    #[cfg_attr(not(feature = "client"), expect(dead_code, reason = "only messages of a stream are counted so"))]
    Turn,
}

/// What is sent where the server does not offer something.
#[derive(Clone, Debug)]
pub(crate) struct OrWithout {
    pub(crate) needed: Capability,
    pub(crate) parts: Vec<Part>,
}

/// Which untagged data is a command's own.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    Nothing,
    Capability,
    Search {
        /// True where what it finds depends on flags.
        by_flags: bool,
    },
    /// The state of the mailbox that is being selected.
    Mailbox,
    /// FETCH data for these messages with at least one of these items.
    Fetch {
        messages: Messages,
        items: FetchItems,
    },
    /// FETCH data of these messages with at least one of these items, as STORE is answered: by number, it has no UID.
    Store {
        messages: Messages,
        items: FetchItems,
    },
    /// Untagged data of these names, in capitals.
    Named(Vec<Cow<'static, str>>),
    /// `STATUS` of this mailbox.
    Status(MailboxName),
    /// `COPYUID` in an untagged `OK`, which is how MOVE is answered. RFC 6851 §4.3
    Copied,
}

impl Claim {
    /// Untagged data of one of these names, in capitals.
    pub(crate) fn named(names: impl IntoIterator<Item = &'static str>) -> Self {
        Claim::Named(names.into_iter().map(Cow::Borrowed).collect())
    }
}

/// True where the claimed data is the whole point of a command, which changes nothing else.
pub(crate) fn only_answers(claim: &Claim, effect: &Effect) -> bool {
    matches!(effect, Effect::None) && !matches!(claim, Claim::Nothing)
}

/// What an `OK` changes, whether or not anyone waits for it.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    None,
    Authenticate {
        /// The server has to prove itself too, to whoever waits for the end of it.
        is_mutual: bool,
    },
    Select {
        mailbox: MailboxName,
    },
    /// The selected mailbox is left: with the first byte, whatever the answer.
    Deselect,
    /// Extensions are switched on: as asked, unless the server says which.
    Enable(Vec<Capability>),
    /// The server has said which.
    Enabled(Capabilities),
    /// Something on the server changes; in doubt once all of it has left.
    Change,
    /// A message is stored; in doubt from its last octet on.
    Store,
    Logout,
    StartTls,
    /// All bytes after the `OK` are compressed, in both directions.
    #[cfg(any(feature = "compress", test))]
    Compress,
}

/// What may be on its way at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Free,
    /// Alone: waits for all others, and all others wait for it.
    Barrier,
    /// A barrier whose every `+` is a challenge that its caller answers.
    Exchange,
    /// Has message sequence numbers in it: waits for whatever may expunge.
    Numbers,
    /// Changes which mailboxes there are: waits for what has to do with the same names, which waits for it.
    Names,
    /// Changes what is subscribed to: the same, but for what is about the mailbox itself.
    Subscriptions,
    /// Has message sequence numbers in it, and itself may be answered with EXPUNGE.
    Renumbering,
    Idle,
}

impl Order {
    /// True for what goes alone.
    pub(crate) fn is_barrier(self) -> bool {
        matches!(self, Order::Barrier | Order::Exchange)
    }

    /// True for what changes the answer of a listing.
    pub(crate) fn changes_names(self) -> bool {
        matches!(self, Order::Names | Order::Subscriptions)
    }
}

/// Where a command is allowed (RFC 9051 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Any,
    NotAuthenticated,
    Authenticated,
    /// Authenticated, and no mailbox was ever selected.
    NeverSelected,
    Selected,
}
