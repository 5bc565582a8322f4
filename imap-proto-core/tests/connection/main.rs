//! The connection as transcripts.

mod abandoned;
mod any_bytes;
mod attack;
mod cancel;
#[cfg(feature = "compress")]
mod compress;
mod listing;
mod login;
mod mailboxes;
mod messages;
mod multi_append;
mod negotiation;
mod odd_moments;
mod order;
mod quirks;
mod saved;
mod script;
mod unsupported;
mod violations;
