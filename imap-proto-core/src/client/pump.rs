use core::task::{Context, Poll};

use super::wire::Wire;
use crate::connection::Connection;
use crate::error::{Closed, Error};

/// Parts that go out in one vectored write.
const MOST_PARTS: usize = 32;
/// What a record of TLS has at most. RFC 8446 §5.1
const RECORD: usize = 1 << 14;

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
            let offered: usize = parts.iter().map(|part| part.len()).sum();
            match wire.poll_write(cx, &parts[..count]) {
                Poll::Pending => return moved,
                Poll::Ready(Ok(0)) => connection.close(Error::Closed(Closed::EndOfStream)),
                Poll::Ready(Ok(n)) => {
                    connection.transmitted(n, wire.now());
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => {
                    // Of several records TLS may have sent all but the last, and then says no more than that it failed: what was
                    // in them may be done.
                    let may_have_left = (offered.saturating_sub(1) / RECORD) * RECORD;
                    if may_have_left > 0 {
                        connection.transmitted(may_have_left, wire.now());
                    }
                    connection.close(Error::Transport(error));
                }
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

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::task::Waker;

    use super::*;
    use crate::client::TransportError;
    use crate::command::{Append, Command, Create};
    use crate::config::{Config, Time};
    use crate::connection::Event;
    use crate::error::{Fate, Misuse};

    /// Nothing can be written to it any more.
    struct Broken;

    impl Wire for Broken {
        fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<Result<usize, TransportError>> {
            Poll::Pending
        }

        fn poll_write(&mut self, _: &mut Context<'_>, _: &[&[u8]]) -> Poll<Result<usize, TransportError>> {
            Poll::Ready(Err(Arc::new(Misuse::Over)))
        }

        fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
            Poll::Pending
        }

        fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
            Poll::Pending
        }

        fn now(&self) -> Time {
            Time::ZERO
        }

        fn poll_sleep_until(&mut self, _: &mut Context<'_>, _: Time) -> Poll<()> {
            Poll::Pending
        }
    }

    #[test]
    fn what_may_have_left_in_a_record_before_the_one_that_failed_is_in_doubt() {
        for (len, first) in [(100, "NotSent"), (20_000, "InDoubt")] {
            let mut connection = Connection::new(Config::default());
            let greeting = b"* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] hi\r\n";
            connection.receive_space()[..greeting.len()].copy_from_slice(greeting);
            connection.received(greeting.len(), Time::ZERO);
            while connection.poll_event().is_some() {}
            let create = Create::new("One").request().expect("a request");
            let append = Append::new("Two", vec![b'x'; len]).request().expect("a request");
            let ids = [create, append].map(|request| connection.submit(request, Time::ZERO).expect("it is open"));

            Pump::default().write(&mut Broken, &mut connection, &mut Context::from_waker(Waker::noop()));
            let mut fates = Vec::new();
            while let Some(event) = connection.poll_event() {
                if let Event::Failed { id, fate, .. } = event {
                    fates.push((id, fate));
                }
            }
            let [(one, found), (two, last)] = &fates[..] else { panic!("{len}: {fates:?}") };
            assert_eq!([*one, *two], ids);
            assert_eq!(alloc::format!("{found:?}"), first, "{len}");
            assert!(matches!(last, Fate::NotSent | Fate::Cancelled), "{len}: {last:?}");
        }
    }
}
