//! The seeds, and pseudo-random inputs beside them, without a fuzzer.

use std::fs;
use std::time::{Duration, Instant};

use crate::alphabet::Numbers;

/// Inputs of each target, unless the time is over before.
const MOST: usize = 25_000;
const SECONDS: usize = 3;

#[test]
fn seeds_and_random_bytes_obey_the_law_of_frames() {
    replay("frame", crate::frame);
}

#[test]
fn seeds_and_random_bytes_obey_the_laws_of_the_connection() {
    replay("connection", crate::connection);
}

#[test]
fn seeds_and_random_tokens_obey_the_laws_of_the_grammar() {
    replay("grammar", crate::grammar);
}

#[test]
fn seeds_and_random_words_obey_the_laws_of_the_small_languages() {
    replay("types", crate::types);
}

fn replay(name: &str, target: fn(&[u8])) {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for entry in fs::read_dir(format!("{}/seeds/{name}", env!("CARGO_MANIFEST_DIR"))).expect("seeds") {
        let path = entry.expect("a seed").path();
        let seed = fs::read(&path).expect("a seed");
        println!("{}", path.display());
        target(&seed);
        seeds.push(seed);
    }
    assert!(!seeds.is_empty());
    seeds.sort();
    let began = Instant::now();
    let mut numbers = Numbers::new(name.as_bytes());
    let most = setting("IMAP_FUZZ_INPUTS").unwrap_or(MOST);
    let time = Duration::from_secs(setting("IMAP_FUZZ_SECONDS").unwrap_or(SECONDS) as u64);
    for done in 0..most {
        if began.elapsed() > time {
            println!("{name}: {done} of {most} inputs in time");
            return;
        }
        let input = mutate(&seeds, &mut numbers);
        assert!(std::panic::catch_unwind(|| target(&input)).is_ok(), "{}", input.escape_ascii());
    }
    println!("{name}: {most} inputs in {} s", began.elapsed().as_secs());
}

fn setting(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Half of the inputs are made of seeds, half of nothing.
fn mutate(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    if numbers.below(2) == 0 {
        input.truncate(1);
        input.extend((0..numbers.below(80)).map(|_| byte(numbers)));
    }
    for _ in 0..numbers.below(6) {
        let at = numbers.below(input.len());
        match numbers.below(4) {
            0 => drop(input.splice(at..at, [byte(numbers)])),
            1 => drop(input.splice(at..(at + 1 + numbers.below(4)).min(input.len()), [])),
            2 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                let until = (from + numbers.below(40)).min(other.len());
                input.splice(at..at, other[from..until].iter().copied());
            }
            _ if input.is_empty() => {}
            _ => input[at] = byte(numbers),
        }
    }
    input
}

/// Mostly words, some ASCII, and the ops of a session.
fn byte(numbers: &mut Numbers) -> u8 {
    match numbers.below(8) {
        0..4 => 0x80 + numbers.below(0x80) as u8,
        4 => b' ' + numbers.below(0x5f) as u8,
        _ => numbers.below(0x20) as u8,
    }
}
