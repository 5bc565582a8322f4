//! What `imap-benches` does where the heap is counted; it starts this.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;
use imap_benches::count::{self, Allocator};
use imap_benches::options::{Task, USAGE};
use imap_benches::{record, scale, sending};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: Cap<&'static StatsAlloc<System>> = Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX);

struct Counting;

impl Allocator for Counting {
    fn events(&self) -> usize {
        let stats = INSTRUMENTED_SYSTEM.stats();
        stats.allocations + stats.reallocations
    }

    fn live(&self) -> usize {
        HEAP.allocated()
    }

    fn most(&self) -> usize {
        HEAP.max_allocated()
    }
}

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let done = Task::parse(&args).and_then(|task| match task {
        Task::Peers(options) => count::print(&options, &Counting),
        Task::Scale(sizes) => record::tell(&scale::run(&sizes, &Counting), &sizes, None),
        Task::Sending(sizes) => record::tell(&sending::run(&sizes, &Counting), &sizes, None),
        _ => Err("nothing is counted of this".to_owned()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}
