//! The IMAP protocol as a pure state machine.
#![no_std]

extern crate alloc;

pub mod types;
pub mod wire;
