//! Fuzzes the law that every typed view on any tokens ends and says the same of a copy.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| imap_fuzz::grammar(data));

#[cfg(not(fuzzing))]
fn main() {}
