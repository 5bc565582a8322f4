use alloc::string::String;

use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::Secret;
use crate::wire::Encoder;

/// The mechanisms in which a server proves nothing, so that its OK is all there is to believe.
const ONE_SIDED: [&str; 7] = ["ANONYMOUS", "CRAM-MD5", "EXTERNAL", "LOGIN", "OAUTHBEARER", "PLAIN", "XOAUTH2"];

/// `AUTHENTICATE`. RFC 9051 §6.2.2
///
/// Only the handshake sends it: it has the mechanism that answers what the server asks.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate {
    mechanism: String,
    initial: Option<Secret>,
}

impl Authenticate {
    /// With the initial response in the command itself, where there is one and the server takes it (RFC 4959).
    pub(crate) fn new(mechanism: &str, initial: Option<Secret>) -> Self {
        Authenticate { mechanism: mechanism.into(), initial }
    }
}

impl Command for Authenticate {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("AUTHENTICATE ");
        encoder.text(&self.mechanism);
        match &self.initial {
            // An empty one has a sign of its own.
            Some(initial) if initial.is_empty() => {
                encoder.text(" =");
            }
            Some(initial) => {
                encoder.text(" ").secret_text(crate::sasl::encode(initial.expose()));
            }
            None => {}
        }
        Ok(Request {
            effect: Effect::Authenticate { is_mutual: !ONE_SIDED.contains(&self.mechanism.as_str()) },
            order: Order::Exchange,
            state: State::NotAuthenticated,
            ..Request::new("AUTHENTICATE", encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
