//! The connection as transcripts.

mod attack;
mod cancel;
mod messages;
mod order;
mod script;
mod violations;
