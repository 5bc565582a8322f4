use alloc::borrow::Cow;

use super::Error;
use crate::command::InvalidRaw;
use crate::sasl::InvalidCredentials;
use crate::types::{Capability, Flag, InvalidFlag, InvalidItem, InvalidName, InvalidQuery, InvalidSection};
use crate::wire::EncodeError;

/// A call that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// An argument has no wire form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A name, password or token that the mechanism cannot carry.
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
    /// A mailbox name that cannot be.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A section that cannot be.
    #[error(transparent)]
    Section(#[from] InvalidSection),
    /// A keyword that cannot be.
    #[error(transparent)]
    Keyword(#[from] InvalidFlag),
    /// The command is not allowed now: not logged in, or no mailbox selected.
    #[error("{command} is not allowed in this state: logged in or not, a mailbox selected or not")]
    State {
        /// The command.
        command: Cow<'static, str>,
    },
    /// One IDLE is running already.
    #[error("the connection is idling already")]
    AlreadyIdling,
    /// The connection is compressed already, by COMPRESS or below it.
    #[error("the connection is compressed already")]
    AlreadyCompressed,
    /// The set of messages is empty.
    #[error("an empty set of messages")]
    EmptySet,
    /// Messages by sequence number, where only UIDs will do.
    #[error("sequence numbers where UIDs are needed")]
    OnlyUids,
    /// No flag is named, where at least one must be.
    #[error("no flag to add or remove")]
    NoFlags,
    /// A raw command that cannot be.
    #[error(transparent)]
    Raw(#[from] InvalidRaw),
    /// An item of a FETCH that can't be sent as it is.
    #[error(transparent)]
    Item(#[from] InvalidItem),
    /// A key of a SEARCH that can't be sent as it is.
    #[error(transparent)]
    Query(#[from] InvalidQuery),
    /// More octets were fed than announced.
    #[error("more octets than announced")]
    TooManyOctets,
    /// A message whose octets are to be fed, and nobody to feed them: see `Client::append_from` and
    /// `Operation::feed_from`.
    #[error("nobody feeds the octets of the message")]
    NoSource,
    /// A login that is to be checked, and no credentials to log in with.
    #[error("no credentials to log in with")]
    NoCredentials,
    /// The operation has told its result already.
    #[error("the operation is over")]
    Over,
    /// A flag that no client may set: `\Recent`, `\*`, or one that is no atom.
    #[error("the flag {0} cannot be stored")]
    Flag(Flag),
    /// A capability that is no atom, as ENABLE has to name it.
    #[error("a capability that is no atom")]
    Capability(Capability),
    /// RECURSIVEMATCH without an option that it could apply to. RFC 9051 §6.3.9.1
    #[error("a recursive match of nothing in particular")]
    LoneRecursiveMatch,
    /// A command that asks for something, and nothing to ask for.
    #[error("nothing is asked for")]
    NothingAsked,
    /// More fields, or longer ones, than ID may have. RFC 2971 §3.3
    #[error("an identification that is too long")]
    Identification,
    /// A MULTIAPPEND without a message.
    #[error("no message to store")]
    NoMessages,
    /// A message without octets, which servers take for a cancellation (RFC 3502).
    #[error("an empty message")]
    EmptyMessage,
}

macro_rules! misuse_from {
    ($($cause:ty => $variant:ident),*) => {$(
        impl From<$cause> for Error {
            fn from(cause: $cause) -> Self {
                Error::Misuse(Misuse::$variant(cause))
            }
        }
    )*};
}

misuse_from!(EncodeError => Encode, InvalidName => Name, InvalidSection => Section, InvalidFlag => Keyword,
             InvalidRaw => Raw, InvalidItem => Item, InvalidQuery => Query);
