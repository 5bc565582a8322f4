//! The connection as transcripts.

mod attack;
mod cancel;
mod mailboxes;
mod order;
mod quirks;
mod script;
mod violations;
