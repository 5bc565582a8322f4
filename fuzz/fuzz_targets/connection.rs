//! Fuzzes the law that whatever the server says, the client keeps to the protocol.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| imap_fuzz::connection(data));

#[cfg(not(fuzzing))]
fn main() {}
