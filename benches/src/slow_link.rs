//! A stream in memory on which all takes its time, and as much fits as is written.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// What a question and its answer take together.
pub const ROUND_TRIP: Duration = Duration::from_millis(50);

/// Octets that a writer may be ahead of the link.
const WINDOW: usize = 1 << 20;

/// Puts half a round trip between the server behind `far` and whoever uses the stream that is returned.
///
/// With the clock of tokio paused no time passes in truth, and the clock then says how long all would have taken.
pub fn slow(far: DuplexStream) -> DuplexStream {
    let (near, middle) = duplex(WINDOW);
    let (from_near, to_near) = split(middle);
    let (from_far, to_far) = split(far);
    tokio::spawn(carry(from_near, to_far));
    tokio::spawn(carry(from_far, to_near));
    near
}

async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let take = async move {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match from.read(&mut buffer).await? {
                0 => return io::Result::Ok(()),
                n => drop(sender.send((Instant::now() + ROUND_TRIP / 2, buffer[..n].to_vec()))),
            }
        }
    };
    let give = async move {
        while let Some((due, octets)) = receiver.recv().await {
            sleep_until(due).await;
            to.write_all(&octets).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(take, give).map(drop)
}
