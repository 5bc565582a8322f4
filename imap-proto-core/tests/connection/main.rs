//! The connection as transcripts.

mod attack;
mod cancel;
mod listing;
mod mailboxes;
mod messages;
mod order;
mod quirks;
mod saved;
mod script;
mod unsupported;
mod violations;
