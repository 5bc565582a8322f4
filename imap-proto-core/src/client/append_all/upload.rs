use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

use crate::client::Source;
use crate::command::{Message, NewMessage};
use crate::error::SourceFailure;

/// A message on its way to the server: its flags, its date, and where its octets come from.
pub struct Upload {
    pub(super) message: NewMessage,
    pub(super) source: Option<Source>,
}

impl Upload {
    /// One of `len` octets that come from `source` as they are wanted. It must not wait for a call on the same connection:
    /// nothing else is sent inside the message, and after [`Config::source`](crate::Config::source) the connection ends with
    /// [`Phase::Octets`](crate::Phase::Octets).
    pub fn from_source(len: u64, source: Source) -> Self {
        Upload { message: NewMessage::new(Message::Fed(len)), source: Some(source) }
    }

    /// Changes the message: its flags, its date.
    ///
    /// ```
    /// use imap_proto_core::{client::Upload, types::Flag};
    ///
    /// let upload = Upload::from("Subject: hello\r\n\r\nworld\r\n").with(|message| message.flags([Flag::Seen]));
    /// ```
    pub fn with(self, change: impl FnOnce(NewMessage) -> NewMessage) -> Self {
        Upload { message: change(self.message), ..self }
    }
}

impl<M: Into<NewMessage>> From<M> for Upload {
    fn from(message: M) -> Self {
        Upload { message: message.into(), source: None }
    }
}

impl core::fmt::Debug for Upload {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Upload").field("octets", &self.message.size()).finish_non_exhaustive()
    }
}

/// What the stream of an [`append_all`](crate::client::Client::append_all) may have as its items: messages, or results of
/// reading them.
pub trait IntoUpload {
    /// The message, or why it could not be read.
    ///
    /// # Errors
    /// The error that the item is.
    fn into_upload(self) -> Result<Upload, Box<dyn core::error::Error + Send + Sync>>;
}

macro_rules! uploads {
    ($($message:ty),*) => {$(
        impl IntoUpload for $message {
            fn into_upload(self) -> Result<Upload, Box<dyn core::error::Error + Send + Sync>> {
                Ok(self.into())
            }
        }
    )*};
}

uploads!(Upload, NewMessage, Bytes, Vec<u8>, String, &str, &[u8]);

impl<U: Into<Upload>, E: Into<Box<dyn core::error::Error + Send + Sync>>> IntoUpload for Result<U, E> {
    fn into_upload(self) -> Result<Upload, Box<dyn core::error::Error + Send + Sync>> {
        self.map(Into::into).map_err(Into::into)
    }
}

/// The messages as they come, whatever they were made of.
pub(super) type Uploads = Pin<Box<dyn Stream<Item = Result<Upload, SourceFailure>> + Send>>;

pub(super) fn uploads<S>(messages: S) -> Uploads
where
    S: Stream<Item: IntoUpload> + Send + 'static,
{
    Box::pin(Made { messages: Box::pin(messages) })
}

struct Made<S> {
    messages: Pin<Box<S>>,
}

impl<S: Stream<Item: IntoUpload>> Stream for Made<S> {
    type Item = Result<Upload, SourceFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let made = |item: S::Item| item.into_upload().map_err(|error| SourceFailure::Read(error.to_string()));
        self.messages.as_mut().poll_next(cx).map(|item| item.map(made))
    }
}
