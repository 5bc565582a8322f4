use super::{Claim, Command, Completion, Request, State};
use crate::error::Misuse;
use crate::types::Capabilities;
use crate::wire::{Encoder, Kind, Response};

/// `CAPABILITY`: asks what the server can do. RFC 9051 §6.1.1
///
/// The answer reaches the connection's view whether or not anyone waits for it.
#[derive(Clone, Debug, Default)]
pub struct CapabilityCommand {
    listed: Capabilities,
}

impl Command for CapabilityCommand {
    type Output = Capabilities;

    fn request(&self) -> Result<Request, Misuse> {
        Ok(Request {
            claim: Claim::Capability,
            state: State::Any,
            ..Request::new("CAPABILITY", Encoder::new("CAPABILITY"))?
        })
    }

    fn fold(&mut self, response: Response<'_>) {
        if response.kind() == Kind::Capability {
            self.listed = Capabilities::from_wire(response.text().as_raw());
        }
    }

    fn finish(self, _: Completion) -> Capabilities {
        self.listed
    }
}
