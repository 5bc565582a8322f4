use alloc::boxed::Box;
use alloc::vec::Vec;

use super::CommandId;
use crate::command::Completion;
use crate::error::{Error, Fate, Refused};
use crate::wire::Response;

/// What happened on a connection.
///
/// Borrowed from the receive buffer. For what is kept there is [`Response::to_owned`], and
/// [`Connection::take_response`](crate::Connection::take_response) for what is long.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The server's greeting.
    Greeting(Response<'a>),
    /// Untagged data: of the command that claims it, or of nobody.
    Data {
        /// Whose it is.
        id: Option<CommandId>,
        /// The data.
        response: Response<'a>,
    },
    /// A body that is streamed begins. Its response follows as [`Event::Data`] once it is complete. Once its
    /// command is abandoned nothing more is told of either.
    BodyStart {
        /// Whose it is.
        id: Option<CommandId>,
        /// The response up to the body. The UID may follow later.
        response: Response<'a>,
        /// How many octets the body has.
        len: u64,
    },
    /// Octets of that body.
    Body {
        /// Whose it is.
        id: Option<CommandId>,
        /// The octets.
        octets: &'a [u8],
    },
    /// The body is complete.
    BodyEnd {
        /// Whose it is.
        id: Option<CommandId>,
    },
    /// The octets of a message may be fed now.
    WantsBody {
        /// The command that they belong to.
        id: CommandId,
        /// How many are still owed.
        max: u64,
    },
    /// The server asks something of an authentication: [`Connection::answer`](crate::Connection::answer) it, or
    /// abandon the command, which cancels the exchange. `None` for what is no Base64.
    Challenge {
        /// The AUTHENTICATE.
        id: CommandId,
        /// What it asks.
        challenge: Option<Vec<u8>>,
    },
    /// The server has begun to idle.
    Idling {
        /// The IDLE.
        id: CommandId,
    },
    /// A command was answered.
    Done {
        /// The command.
        id: CommandId,
        /// OK, or NO or BAD.
        outcome: Result<Completion, Box<Refused>>,
    },
    /// A command will never be answered.
    Failed {
        /// The command.
        id: CommandId,
        /// Why.
        error: Error,
        /// Whether it took effect, as far as it is known. Never `Completed`.
        fate: Fate<()>,
    },
    /// A command had the time that it was given: it is given up as if it were [abandoned](crate::Connection::abandon), and the
    /// connection is good. [`Done`](Self::Done) or [`Failed`](Self::Failed) still tells how it ended.
    Overdue {
        /// The command.
        id: CommandId,
        /// [`Error::Timeout`], with the time that it had.
        error: Error,
        /// Whether it took effect, as far as it is known by now. Never `Completed`.
        fate: Fate<()>,
    },
    /// The connection is closed. Nothing follows.
    Closed(Error),
}
