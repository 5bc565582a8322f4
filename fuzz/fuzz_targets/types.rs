//! Fuzzes the law that what is read in the small languages is written so that it is read as the same.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| imap_fuzz::types(data));

#[cfg(not(fuzzing))]
fn main() {}
