use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::wire::Encoder;

/// `STARTTLS`. RFC 9051 §6.2.1
///
/// Only the handshake sends it: nothing received in clear text may outlive it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartTls;

impl Command for StartTls {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request {
            effect: Effect::StartTls,
            order: Order::Barrier,
            state: State::NotAuthenticated,
            ..Request::new("STARTTLS", Encoder::new("STARTTLS"))?
        })
    }

    fn finish(self, _: Completion) {}
}
