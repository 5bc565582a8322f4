//! The connection as transcripts.

mod cancel;
mod order;
mod script;
mod violations;
