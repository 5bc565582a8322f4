//! Counts what each contender asks of the heap; `imap-benches peers` starts it.

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;
use imap_benches::count::{self, Allocator};
use imap_benches::options::{Options, USAGE};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: Cap<&'static StatsAlloc<System>> = Cap::new(&INSTRUMENTED_SYSTEM, usize::MAX);

struct Counting;

impl Allocator for Counting {
    fn events(&self) -> (usize, usize) {
        let stats = INSTRUMENTED_SYSTEM.stats();
        (stats.allocations, stats.reallocations)
    }

    fn live(&self) -> usize {
        HEAP.allocated()
    }

    fn most(&self) -> usize {
        HEAP.max_allocated()
    }
}

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)) {
        Ok(options) => {
            count::print(&options, &Counting);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}
