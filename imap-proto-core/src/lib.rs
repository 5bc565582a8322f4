//! The IMAP protocol as a pure state machine.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod types;
pub mod wire;
