//! A strict in-memory server and a rig for real ones.

pub mod dovecot;
pub mod mailbox;
pub mod memory;
pub mod stepper;
pub mod strict;
