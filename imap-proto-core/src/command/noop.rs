use super::{Command, Completion, Request, State};
use crate::error::Misuse;
use crate::wire::Encoder;

/// `NOOP`: lets the server say what is new. RFC 9051 §6.1.2
///
/// Dropped half-way it is finished; it changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Noop;

impl Command for Noop {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request { state: State::Any, ..Request::new("NOOP", Encoder::new("NOOP"))? })
    }

    fn finish(self, _: Completion) {}
}
