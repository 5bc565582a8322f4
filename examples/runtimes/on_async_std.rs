//! The program of `program.rs` on async-std.

#[path = "program.rs"]
mod program;

use imap_async_std::async_std as imap;
use imap_examples::Fallible;

fn main() -> Fallible<()> {
    async_std::task::block_on(program::run())
}
