use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::wire::Encoder;

/// `LOGOUT`: ends the connection in good order. RFC 9051 §6.1.3
///
/// Dropped half-way the connection is ending all the same. A server that closes without an answer
/// has logged us out too.
#[derive(Clone, Copy, Debug)]
pub struct Logout;

impl Command for Logout {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request {
            effect: Effect::Logout,
            order: Order::Barrier,
            state: State::Any,
            ..Request::new("LOGOUT", Encoder::new("LOGOUT"))?
        })
    }

    fn finish(self, _: Completion) {}
}
