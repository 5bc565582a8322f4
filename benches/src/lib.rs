//! The library beside its peers.
//!
//! `peers` receives, `roundtrips` waits, `scale` idles, `sending` sends, `dovecot` runs whole clients, `compress` does
//! so over COMPRESS.
//! `docs/performance.md` has what they found.
//!
//! `cargo run --release -p imap-benches -- peers` prints the table. A new contender implements
//! [`Contender`](contender::Contender) and is named in [`contenders::peers`] or [`ours::contenders`].
//!
//! `--json FILE` writes an object a line: `corpus`, `contender`, `chunk` (0 for the whole corpus at once),
//! `mb_per_s`, `ns_per_response`, `allocations_per_response` (growth counted) and `peak_heap_bytes`; `null` where
//! there is no number. Only ratios from one run mean anything.
//!
//! Three things to know when reading the table: framing in place skips literals and so never touches most of
//! D and D3, which no path does that has to receive them; io-imap keeps all responses of a command until the
//! tagged one, so its peak is the size of the corpus; async-imap is measured below its commands, which is
//! the best it can do.

pub mod compress;
pub mod contender;
pub mod contenders;
pub mod corpus;
pub mod count;
pub mod dovecot;
pub mod measure;
pub mod options;
pub mod ours;
pub mod record;
pub mod roundtrips;
pub mod scale;
pub mod sending;
pub mod slow_link;
pub mod table;
pub mod usage;

/// All contenders, fresh: the peers, then ours.
pub fn all() -> Vec<Box<dyn contender::Contender>> {
    let mut all = contenders::peers();
    all.extend(ours::contenders());
    all
}
