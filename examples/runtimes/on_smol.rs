//! The program of `program.rs` on smol.

#[path = "program.rs"]
mod program;

use imap_async_std::smol as imap;
use imap_examples::Fallible;

fn main() -> Fallible<()> {
    smol::block_on(program::run())
}
