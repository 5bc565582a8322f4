use alloc::vec::Vec;

use super::{Command, Completion, Effect, Order, Request, State};
use crate::error::Misuse;
use crate::types::Capability;
use crate::wire::Encoder;

/// `COMPRESS DEFLATE`: all that follows is compressed, in both directions. RFC 4978 §3
///
/// Needs `COMPRESS=DEFLATE`, and a login: a password is not to be compressed together with what others wrote. It goes alone, and
/// nothing is sent before its answer. A connection is compressed once: after that it is
/// [`Misuse::AlreadyCompressed`], as after a `NO` with `COMPRESSIONACTIVE`, by which the server says that another layer does so.
/// Any other `NO` or `BAD` leaves the connection as it was.
///
/// Dropped before its first byte it is not sent. Dropped half-way it is finished, and the connection is compressed from the
/// server's `OK` on whether or not anyone waits for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compress;

impl Command for Compress {
    type Output = ();

    fn request(&self) -> Result<Request, Misuse> {
        let mut encoder = Encoder::new("COMPRESS");
        encoder.arg("DEFLATE");
        Ok(Request {
            effect: Effect::Compress,
            order: Order::Barrier,
            state: State::Authenticated,
            needs: Vec::from([(Capability::CompressDeflate, "COMPRESS=DEFLATE")]),
            ..Request::new("COMPRESS", encoder)?
        })
    }

    fn finish(self, _: Completion) {}
}
