use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::Secret;
use crate::wire::Encoder;

/// `LOGIN`: authenticates with a name and a password. RFC 9051 §6.2.3
///
/// It cannot be taken back once sent: dropped half-way it is finished, and an `OK` counts.
#[derive(Clone, Debug)]
pub struct Login {
    user: alloc::string::String,
    password: Secret,
}

impl Login {
    /// A login as `user`.
    pub fn new(user: impl Into<alloc::string::String>, password: Secret) -> Self {
        Login { user: user.into(), password }
    }
}

impl Command for Login {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("LOGIN ");
        encoder.string(self.user.as_bytes()).text(" ").secret(self.password.expose());
        Ok(Request {
            effect: Effect::Authenticate { is_mutual: false },
            order: Order::Barrier,
            state: State::NotAuthenticated,
            ..Request::new("LOGIN", encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
