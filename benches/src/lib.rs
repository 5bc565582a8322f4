//! The receive path beside its peers, in one run.
//!
//! `cargo run --release -p imap-benches -- peers` prints the table. A new contender implements
//! [`Contender`](contender::Contender) and is named in [`contenders::peers`] or [`ours::contenders`].

pub mod contender;
pub mod contenders;
pub mod corpus;
pub mod count;
pub mod measure;
pub mod options;
pub mod ours;
pub mod table;

/// All contenders, fresh: the peers, then ours.
pub fn all() -> Vec<Box<dyn contender::Contender>> {
    let mut all = contenders::peers();
    all.extend(ours::contenders());
    all
}
