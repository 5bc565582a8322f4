//! Links the core, the asynchronous face included, into a program without the standard library.
//!
//! The panic handler here and the one of `std` exclude each other: should any dependency bring `std` in,
//! this does not compile.
#![no_std]

use core::panic::PanicInfo;

use imap_proto_core::command::{Command, Noop};
use imap_proto_core::{Config, Connection, Time};

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Runs a connection as far as its first command.
pub fn bytes_of_a_noop() -> usize {
    let mut connection = Connection::new(Config::default());
    let submitted = Noop.request().map(|request| connection.submit(request, Time::ZERO));
    if submitted.is_err() { 0 } else { connection.transmit().map(<[u8]>::len).sum() }
}
