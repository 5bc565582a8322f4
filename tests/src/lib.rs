//! A strict in-memory server and rigs for real ones.

pub mod agreeing;
mod deflate;
pub mod mailbox;
pub mod memory;
pub mod servers;
pub mod stepper;
pub mod strict;
pub mod words;

pub use servers::{courier, cyrus, dovecot};
