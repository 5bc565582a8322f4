//! The connection as transcripts.

mod attack;
mod cancel;
mod listing;
mod mailboxes;
mod order;
mod script;
mod violations;
