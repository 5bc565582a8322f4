use core::task::{Context, Poll};

use super::wire::Wire;
use crate::connection::Connection;
use crate::error::{Closed, Error};

/// Parts that go out in one vectored write.
const MOST_PARTS: usize = 32;

/// Moves bytes between a connection and its wire. Shared by the handshake and the driver.
#[derive(Debug, Default)]
pub(super) struct Pump {
    unflushed: bool,
}

impl Pump {
    /// Writes what may leave. True when anything moved.
    pub(super) fn write<W: Wire>(&mut self, wire: &mut W, connection: &mut Connection, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !connection.is_quiet() {
            let mut parts: [&[u8]; MOST_PARTS] = [&[]; MOST_PARTS];
            let mut count = 0;
            for (slot, part) in parts.iter_mut().zip(connection.transmit()) {
                *slot = part;
                count += 1;
            }
            if count == 0 {
                // It waits to be compressed with what follows.
                moved = true;
                continue;
            }
            match wire.poll_write(cx, &parts[..count]) {
                Poll::Pending => return moved,
                Poll::Ready(Ok(0)) => connection.close(Error::Closed(Closed::EndOfStream)),
                Poll::Ready(Ok(n)) => {
                    connection.transmitted(n, wire.now());
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => connection.close(Error::Transport(error)),
            }
            moved = true;
        }
        if self.unflushed {
            match wire.poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => {
                    self.unflushed = false;
                    connection.close(Error::Transport(error));
                }
            }
        }
        moved
    }

    /// Reads once. True when anything moved.
    pub(super) fn read<W: Wire>(&mut self, wire: &mut W, connection: &mut Connection, cx: &mut Context<'_>) -> bool {
        let space = connection.receive_space();
        if space.is_empty() {
            return false;
        }
        match wire.poll_read(cx, space) {
            Poll::Pending => return false,
            Poll::Ready(Ok(n)) => connection.received(n, wire.now()),
            Poll::Ready(Err(error)) => connection.close(Error::Transport(error)),
        }
        true
    }
}
