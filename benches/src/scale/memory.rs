use imap_tests::agreeing::Agreeing;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{client, runtime, server};
use crate::count::Allocator;
use crate::record::{OURS, Record};

/// Octets of heap for each connection.
#[derive(Clone, Copy, Debug)]
pub struct Each {
    /// What is ours, over a stream of which nothing is counted.
    pub ours: f64,
    /// What is ours by the difference to the raw client's, over the server in memory.
    pub ours_beside_server: f64,
    /// The server's session, its task, and the buffers between.
    pub server: f64,
}

/// Measures so many of each.
pub fn each(connections: usize, heap: &dyn Allocator) -> Each {
    let live = |with: Box<dyn Fn() -> Held>| held(connections, heap, &*with);
    let agreeing = live(Box::new(|| Held::Raw(Box::new(Agreeing::new(0)))));
    let over_agreeing = live(Box::new(|| Held::Ours(Box::new(Agreeing::new(0)))));
    let server = server();
    let (one, other) = (server.clone(), server);
    let beside_raw = live(Box::new(move || Held::Raw(Box::new(one.connect()))));
    let beside_ours = live(Box::new(move || Held::Ours(Box::new(other.connect()))));
    Each { ours: over_agreeing - agreeing, ours_beside_server: beside_ours - beside_raw, server: beside_raw }
}

pub(super) fn all(connections: usize, heap: &dyn Allocator) -> Vec<Record> {
    let Each { ours, ours_beside_server, server } = each(connections, heap);
    let record =
        |who: &str, octets: f64| Record::new(format!("{connections} in IDLE"), who, vec![("octets_each", octets)]);
    vec![
        record(OURS, ours),
        record("ours, beside the server", ours_beside_server),
        record("the server and the pipe", server),
    ]
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A stream, and who is to hold it.
enum Held {
    Raw(Box<dyn Stream>),
    Ours(Box<dyn Stream>),
}

/// What is live for each, once all are in IDLE and settled.
fn held(connections: usize, heap: &dyn Allocator, connect: &dyn Fn() -> Held) -> f64 {
    runtime().block_on(async {
        let mut crowd = client::Crowd::default();
        let mut streams = Vec::with_capacity(connections);
        let before = heap.live();
        for _ in 0..connections {
            match connect() {
                Held::Raw(stream) => streams.push(client::raw(stream).await),
                Held::Ours(stream) => crowd.join(client::over(stream).await).await,
            }
        }
        crowd.all_idle().await;
        (heap.live() as f64 - before as f64) / connections as f64
    })
}
