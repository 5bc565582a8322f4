//! The IMAP protocol as a pure state machine: bytes in and events out, commands in and bytes out.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "client")]
pub mod client;
pub mod command;
mod config;
pub mod connection;
mod error;
pub mod sasl;
pub mod types;
pub mod wire;

pub use config::{Config, LiteralPolicy, Time};
pub use connection::{
    CancelEffect, CommandId, Connection, Credentials, Event, Handshake, Health, Security, Selected, SessionState, View,
    Want,
};
pub use error::{Closed, Error, Fate, Limit, Misuse, Phase, Refused, SourceFailure, Violation};
