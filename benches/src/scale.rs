//! `imap-benches scale`: ten thousand connections in IDLE, in one process and on one thread.
//!
//! Memory is what is live on the heap, each side apart: a raw client that holds nothing shows what the server and the
//! stream need, and what is more with ours is ours: core, driver, its task, and a task that listens.

mod client;
mod memory;
mod real;

use std::time::Duration;

use imap_testserver::{Greeting, TestServer};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use crate::count::Allocator;
use crate::options::Sizes;
use crate::record::{OURS, Record};
use crate::usage;

pub use memory::each as memory_each;

/// Holds them all; those to Dovecot too, where it is installed and that many are wanted.
pub fn run(sizes: &Sizes, heap: &dyn Allocator) -> Vec<Record> {
    let mut records = memory::all(sizes.connections, heap);
    records.push(told(sizes));
    records.extend(real::told(sizes));
    records
}

/// All of them see one change, then nothing happens for a while.
fn told(sizes: &Sizes) -> Record {
    let server = server();
    let work = format!("{} in IDLE, in-process server", sizes.connections);
    runtime().block_on(async {
        let began = Instant::now();
        let mut crowd = client::Crowd::default();
        for _ in 0..sizes.connections {
            crowd.join(client::over(server.connect()).await).await;
        }
        crowd.all_idle().await;
        let setting_up = began.elapsed();
        let began = Instant::now();
        server.mailbox("INBOX").deliver("Subject: news\r\n\r\nyes\r\n");
        crowd.all_told(1).await;
        finish(work, setting_up, began.elapsed(), sizes.seconds).await
    })
}

/// Waits so long, and says what that cost.
async fn finish(work: String, setting_up: Duration, told: Duration, seconds: u64) -> Record {
    // What was begun is done first.
    sleep(Duration::from_millis(500)).await;
    let before = usage::cpu();
    sleep(Duration::from_secs(seconds)).await;
    let idle = (usage::cpu() - before).as_secs_f64() / seconds as f64;
    let values = vec![
        ("seconds_to_set_up", setting_up.as_secs_f64()),
        ("seconds_until_all_told", told.as_secs_f64()),
        ("cpu_ms_per_idle_second", idle * 1000.0),
    ];
    Record::new(work, OURS, values)
}

fn server() -> TestServer {
    TestServer::builder().greeting(Greeting::PreAuth("alice".to_owned())).start()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}
