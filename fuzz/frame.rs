use std::fmt::Write;

use imap_proto_core::wire::{Decoder, Limits, Step};

use crate::alphabet::{Numbers, spell};

/// Any bytes: no panic, the same steps for every split, and frames that are the input, in order.
///
/// # Panics
/// When one of these is not so.
pub fn frame(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let limits = limits(*choice);
    let input = spell(rest, 16 << 10);
    let whole = run(&input, limits, |left| left);
    let mut numbers = Numbers::new(data);
    assert_eq!(whole, run(&input, limits, |_| 1), "byte by byte");
    for _ in 0..2 {
        assert_eq!(whole, run(&input, limits, |left| 1 + numbers.below(left.min(40))), "in pieces");
    }
}

fn limits(choice: u8) -> Limits {
    let mut limits = Limits::authenticated();
    limits.response = [64, 400, 4096, 32 << 20][usize::from(choice & 3)];
    (limits.literal, limits.inline) = [(1 << 20, 16 << 10), (8, 2), (0, 0), (5, 5)][usize::from(choice >> 2 & 3)];
    (limits.tokens, limits.depth) = [(1 << 20, 256), (5, 2), (40, 0), (1 << 20, 3)][usize::from(choice >> 4 & 3)];
    limits
}

/// The steps as text, and the input consumed by whole frames.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    steps: String,
    consumed: usize,
}

fn run(input: &[u8], limits: Limits, mut piece: impl FnMut(usize) -> usize) -> Run {
    let mut decoder = Decoder::new(limits);
    let mut run = Run::default();
    let mut bodies = Vec::new();
    let mut owed = 0u64;
    let mut fed = 0;
    loop {
        match decoder.advance() {
            Err(error) => {
                let _ = write!(run.steps, "{error}");
                return run;
            }
            Ok(Some(Step::Response)) => {
                check_frame(&decoder, input, &mut run.consumed, &bodies);
                bodies.clear();
                note_response(&decoder, &mut run.steps);
            }
            Ok(Some(Step::BodyStart { len })) => {
                note_response(&decoder, &mut run.steps);
                let _ = writeln!(run.steps, "body of {len}");
                bodies.push(Vec::new());
                owed = len;
            }
            Ok(Some(Step::Body)) => {
                let octets = decoder.octets();
                assert!(!octets.is_empty());
                owed -= octets.len() as u64;
                bodies.last_mut().expect("a body has begun").extend_from_slice(octets);
            }
            Ok(Some(Step::BodyEnd)) => {
                assert_eq!(owed, 0);
                let octets = bodies.last().expect("a body has begun");
                let _ = writeln!(run.steps, "body {}", octets.escape_ascii());
            }
            Ok(None) => {
                assert!(decoder.buffered() <= limits.response, "more is kept than the limit allows");
                assert!(decoder.scanned() <= 2 * fed as u64, "bytes were scanned again");
                let left = input.len() - fed;
                if left == 0 {
                    return run;
                }
                let space = decoder.space();
                assert!(!space.is_empty() && space.len() <= 32 << 10);
                let n = piece(left).min(left).min(space.len());
                space[..n].copy_from_slice(&input[fed..fed + n]);
                decoder.received(n);
                fed += n;
            }
        }
    }
}

/// The frame, with its detached literals put back, is the next of the input.
fn check_frame(decoder: &Decoder, input: &[u8], at: &mut usize, bodies: &[Vec<u8>]) {
    while let Some(lf) = input[*at..].iter().position(|b| *b == b'\n') {
        let line = &input[*at..*at + lf];
        if !line.strip_suffix(b"\r").unwrap_or(line).iter().all(|b| *b == 0) {
            break;
        }
        *at += lf + 1;
    }
    *at += input[*at..].iter().take_while(|b| **b == 0).count();
    let response = decoder.response();
    let mut frame = response.raw();
    let mut before = 0;
    let mut bodies = bodies.iter();
    for literal in response.detached() {
        let (kept, rest) = frame.split_at(literal.offset() - before);
        before = literal.offset();
        frame = rest;
        assert!(input[*at..].starts_with(kept));
        *at += kept.len();
        let octets = &input[*at..*at + literal.len as usize];
        if !literal.skipped {
            assert_eq!(octets, bodies.next().expect("a streamed literal has a body"));
        }
        *at += octets.len();
    }
    assert!(input[*at..].starts_with(frame));
    *at += frame.len();
    *at += usize::from(input[*at..].starts_with(b"\r\n"));
    assert_eq!(input[*at], b'\n');
    *at += 1;
}

fn note_response(decoder: &Decoder, steps: &mut String) {
    let response = decoder.response();
    let _ = writeln!(
        steps,
        "{:?} {} {:?} {:?}",
        response.kind(),
        response.raw().escape_ascii(),
        response.damage(),
        response.detached(),
    );
    let mut lists = vec![response.values()];
    while let Some(mut values) = lists.pop() {
        if let Some(value) = values.next() {
            let _ = write!(steps, "{:?} ", value.kind());
            let _ = (value.text().map(|text| text.to_str().len()), value.number(), value.detached());
            lists.push(values);
            lists.extend(value.list());
        }
    }
    if response.raw().len() < 600 {
        let _ = write!(steps, "{:?}", response.values());
        for attribute in response.as_fetch().into_iter().flat_map(|fetch| fetch.attributes()) {
            let _ = writeln!(steps, "{attribute:?}");
        }
    }
    let kept = response.to_owned();
    assert_eq!(kept.get().raw(), response.raw());
}
