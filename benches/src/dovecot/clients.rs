//! One file a client; all log in, do one piece of work and count what came of it.

mod async_imap;
mod io_imap;
mod ours;
mod reader;

use tokio::runtime::Builder;

use super::Work;
use crate::record::OURS;

/// Where the server is, and as whom to log in.
pub(super) struct Login<'a> {
    pub(super) port: u16,
    pub(super) user: &'a str,
    pub(super) password: &'a str,
}

/// All of them, the script included.
pub(super) const NAMES: [&str; 6] = [OURS, BY_NUMBER, "async-imap", "io-imap", super::SCRIPTED, "reader"];

pub(super) const BY_NUMBER: &str = "ours, by number";

pub(super) fn run(contender: &str, work: Work, login: &Login<'_>) -> Result<u64, String> {
    let runtime = || Builder::new_current_thread().enable_all().build().expect("a runtime");
    match contender {
        OURS => Ok(runtime().block_on(ours::run(work, login, ours::Naming::ByUid))),
        BY_NUMBER => Ok(runtime().block_on(ours::run(work, login, ours::Naming::ByNumber))),
        "async-imap" => Ok(runtime().block_on(async_imap::run(work, login))),
        "io-imap" => Ok(io_imap::run(work, login)),
        "reader" => Ok(reader::run(work, login).expect("a stream that works")),
        _ => Err(format!("there is no {contender}")),
    }
}
