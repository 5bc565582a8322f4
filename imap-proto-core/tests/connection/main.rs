//! The connection as transcripts.

mod attack;
mod cancel;
mod order;
mod script;
mod violations;
