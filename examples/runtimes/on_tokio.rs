//! The program of `program.rs` on tokio.

#[path = "program.rs"]
mod program;

use imap_examples::Fallible;
use imap_tokio as imap;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Fallible<()> {
    program::run().await
}
