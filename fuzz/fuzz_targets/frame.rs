//! Fuzzes the law that any split of any bytes gives the same frames.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| imap_fuzz::frame(data));

#[cfg(not(fuzzing))]
fn main() {}
