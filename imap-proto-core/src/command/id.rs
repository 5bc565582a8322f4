use alloc::vec::Vec;

use super::{Claim, Command, Completion, Request, State};
use crate::error::Misuse;
use crate::types::{Capability, Identification};
use crate::wire::{Encoder, Response};

/// `ID`: says what the client is, and asks what the server is. RFC 2971
///
/// Needs `ID`. Dropped half-way its answer is read over; it changes nothing.
#[derive(Clone, Debug)]
pub struct Id {
    ours: Option<Identification>,
    theirs: Option<Identification>,
}

impl Id {
    /// Says `ours`, or nothing.
    pub fn new(ours: Option<Identification>) -> Self {
        Id { ours, theirs: None }
    }
}

impl Command for Id {
    /// What the server says of itself; `None` where it says nothing.
    type Output = Option<Identification>;

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("ID ");
        match self.ours.as_ref().filter(|ours| !ours.is_empty()) {
            None => _ = encoder.text("NIL"),
            Some(ours) if !ours.may_be_sent() => return Err(Misuse::Identification),
            Some(ours) => {
                let mut before = "(";
                for (name, value) in ours.iter() {
                    encoder.text(before).string(name.as_bytes()).text(" ");
                    match value {
                        Some(value) => encoder.string(value.as_bytes()),
                        None => encoder.text("NIL"),
                    };
                    before = " ";
                }
                encoder.text(")");
            }
        }
        Ok(Request {
            claim: Claim::named(["ID"]),
            state: State::Any,
            needs: Vec::from([(Capability::Id, "ID")]),
            ..Request::new("ID", encoder)?
        })
    }

    fn fold(&mut self, response: Response<'_>) {
        if let Some(theirs) = response.as_identification() {
            self.theirs = Some(theirs);
        }
    }

    fn finish(self, _: Completion) -> Self::Output {
        self.theirs
    }
}
