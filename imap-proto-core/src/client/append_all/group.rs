use alloc::vec::Vec;
use core::ops::Range;

use super::upload::Upload;
use crate::command::NewMessage;

/// Messages in a row that go in one command.
pub(super) struct Group {
    most: usize,
    /// The place of the first of them in the stream.
    first: usize,
    messages: Vec<NewMessage>,
    octets: u64,
}

impl Group {
    pub(super) fn new(most: usize) -> Self {
        Group { most, first: 0, messages: Vec::new(), octets: 0 }
    }

    /// True where a message cannot spoil it for the others. One whose octets come from a source goes alone too: it may
    /// fail half-way.
    pub(super) fn takes(upload: &Upload) -> bool {
        upload.source.is_none() && upload.message.is_plain()
    }

    /// Adds the message behind the last one.
    pub(super) fn add(&mut self, index: usize, message: NewMessage) {
        if self.is_empty() {
            self.first = index;
        }
        self.octets += message.size();
        self.messages.push(message);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= self.most
    }

    pub(super) fn octets(&self) -> u64 {
        self.octets
    }

    pub(super) fn places(&self) -> Range<usize> {
        self.first..self.first + self.messages.len()
    }

    /// Empties it.
    pub(super) fn take(&mut self) -> Vec<NewMessage> {
        self.octets = 0;
        core::mem::take(&mut self.messages)
    }
}
