use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use futures_core::Stream;

use super::queue::{Call, Item, Reader, Submission, Ticket, Told};
use super::{Client, Mailbox};
use crate::command::{Command, Idle, Request};
use crate::error::Error;
use crate::wire::OwnedResponse;
use crate::wire::grammar::Unsolicited;

/// A stream of what the server tells unasked.
///
/// It ends with the error that ended it: the connection's, or the refusal of IDLE. Dropping it is how to
/// stop: a running IDLE is ended in the background.
///
/// ```
/// # use imap_proto_core::{Error, client::{Mailbox, Notice}, wire::grammar::Unsolicited};
/// # async fn run(inbox: &Mailbox) -> Result<(), Error> {
/// let mut watch = inbox.watch();
/// while let Some(notice) = watch.try_next().await? {
///     match notice.unsolicited() {
///         Some(Unsolicited::Exists(count)) => println!("{count} messages now"),
///         Some(Unsolicited::Expunge(seq)) => println!("number {seq} is gone"),
///         Some(Unsolicited::Vanished { uids, .. }) => println!("{uids} are gone"),
///         Some(Unsolicited::Flags(message)) => println!("{} has {:?}", message.seq, message.flags),
///         _ => {}
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is watched unless the stream is polled"]
#[derive(Debug)]
pub struct Watch {
    client: Client,
    reader: Reader,
    ticket: Ticket,
    /// Until it has begun.
    idle: Option<Box<Request>>,
    begun: bool,
    over: bool,
}

/// Something a server said unasked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The server has begun to idle: from here on it tells at once. Said again each time that IDLE is taken up, which is after
    /// every other call on the connection: whoever asks for what is new does so at the first of them, and not at each.
    Idling,
    /// A response that no command asked for: EXISTS, EXPUNGE, FETCH with flags, a status, or anything else.
    /// [`Notice::unsolicited`] reads it.
    Response(OwnedResponse),
    /// So many responses were left out because they were not read in time. The state of the mailbox in
    /// [`Client::view`] is right all the same.
    Lagged(u64),
}

impl Notice {
    /// What the server told, as a value; `None` where it is no response.
    pub fn unsolicited(&self) -> Option<Unsolicited> {
        match self {
            Notice::Response(response) => Some(response.get().unsolicited()),
            Notice::Idling | Notice::Lagged(_) => None,
        }
    }
}

impl Watch {
    pub(super) fn idling(mailbox: &Mailbox) -> Self {
        let request = Idle.request().ok().map(|request| Box::new(request.bind(mailbox.selection())));
        let mut watch = Watch::listening(&mailbox.client);
        watch.idle = request;
        watch
    }

    pub(super) fn listening(client: &Client) -> Self {
        Watch {
            ticket: client.calls().ticket(),
            client: client.clone(),
            reader: Reader::new(),
            idle: None,
            begun: false,
            over: false,
        }
    }

    /// The next notice, or `None` after the error that ended the stream.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    /// Once, with what ended the watching.
    pub async fn try_next(&mut self) -> Result<Option<Notice>, Error> {
        core::future::poll_fn(|cx| self.poll_notice(cx)).await.transpose()
    }

    fn poll_notice(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Notice, Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if !self.begun
            && let Err(error) = self.begin()
        {
            self.over = true;
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            let (_, item) = ready!(self.reader.poll_pop(self.client.calls(), cx));
            let notice = match item {
                Item::Data(response) => Ok(Notice::Response(response)),
                Item::Idling => Ok(Notice::Idling),
                Item::Lagged(missed) => Ok(Notice::Lagged(missed)),
                Item::Failed(error, _) => Err(error),
                Item::Done(Err(refused)) => Err(Error::Refused(refused)),
                // An IDLE that the server answered OK at once, without a `+`.
                Item::Done(Ok(_)) => Err(Error::Unsupported("IDLE")),
                _ => continue,
            };
            self.over = notice.is_err();
            return Poll::Ready(Some(notice));
        }
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.begun = true;
        let calls = self.client.calls();
        calls.push(Call::Subscribe { reply: self.reader.reply().clone(), to: Told::Everything })?;
        match self.idle.take() {
            Some(request) => {
                let submission =
                    Submission { ticket: self.ticket, request: *request, reply: self.reader.reply().clone() };
                calls.push(Call::Submit(Box::new(submission)))
            }
            None => Ok(()),
        }
    }
}

impl Stream for Watch {
    type Item = Result<Notice, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_notice(cx)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.begun && !self.over {
            self.reader.close();
            // Where the driver is gone nothing is watched any more.
            let _ = self.client.calls().push(Call::Abandon { ticket: self.ticket });
        }
    }
}
