//! The connection as transcripts.

mod abandoned;
mod attack;
mod cancel;
#[cfg(feature = "compress")]
mod compress;
mod listing;
mod mailboxes;
mod messages;
mod multi_append;
mod order;
mod quirks;
mod saved;
mod script;
mod unsupported;
mod violations;
