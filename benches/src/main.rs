//! The receive path beside its peers.
fn main() {}
