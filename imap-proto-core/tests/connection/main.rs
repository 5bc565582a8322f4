//! The connection as transcripts.

mod cancel;
mod script;
mod violations;
