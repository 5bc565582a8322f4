//! Values from tokens, one family a file, the ABNF above each; and the small languages inside strings.

pub(crate) mod capability;
pub(crate) mod code;
pub(crate) mod date;
pub(crate) mod section;
pub(crate) mod set;

pub use code::parse_status_text;
