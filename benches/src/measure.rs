//! Time, measured round-robin: a disturbance hits all contenders alike, and the median drops it.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::contender::{Contender, Counted, Depth};
use crate::corpus::{Corpus, Kind};
use crate::options::Options;

/// A run shorter than this is repeated until the sample is as long.
const SAMPLE: Duration = Duration::from_millis(20);
/// A contender is not asked again once it has taken this long for one corpus: some are quadratic.
const BUDGET: Duration = Duration::from_secs(12);

/// Who takes longer than this for a corpus is not fed it in smaller chunks: of some each is a start from the beginning.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// What one contender made of one corpus.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The contender.
    pub contender: &'static str,
    /// The median, or `None` where the contender does not agree with the corpus.
    pub seconds: Option<f64>,
}

/// Lets all contenders receive the corpus, round by round.
///
/// Those in `slow` are left out. A contender whose count of responses or values differs is reported on standard error, and not timed.
pub fn corpus(corpus: &Corpus, chunk: usize, options: &Options, slow: &[&str]) -> Vec<Timing> {
    let mut entries = entries(corpus, chunk, options, slow);
    for round in 0..options.rounds {
        let first = round % entries.len().max(1);
        for n in 0..entries.len() {
            let at = (first + n) % entries.len();
            entries[at].sample(corpus, chunk);
        }
    }
    entries.into_iter().map(Entry::timing).collect()
}

/// The contenders that take part.
pub fn contenders(options: &Options) -> Vec<Box<dyn Contender>> {
    crate::all().into_iter().filter(|contender| options.wants(contender.name())).collect()
}

struct Entry {
    contender: Box<dyn Contender>,
    agrees: bool,
    repeat: u32,
    spent: Duration,
    samples: Vec<f64>,
}

impl Entry {
    fn sample(&mut self, corpus: &Corpus, chunk: usize) {
        if !self.agrees || (self.spent > BUDGET && !self.samples.is_empty()) {
            return;
        }
        let start = Instant::now();
        for _ in 0..self.repeat {
            black_box(self.contender.run(black_box(&corpus.bytes), chunk));
        }
        let taken = start.elapsed();
        self.spent += taken;
        self.samples.push(taken.as_secs_f64() / f64::from(self.repeat));
    }

    fn timing(mut self) -> Timing {
        self.samples.sort_by(f64::total_cmp);
        let seconds = self.samples.get(self.samples.len() / 2).copied();
        Timing { contender: self.contender.name(), seconds }
    }
}

/// Warms each contender up, and checks what it counts.
fn entries(corpus: &Corpus, chunk: usize, options: &Options, slow: &[&str]) -> Vec<Entry> {
    let mut touched = None;
    let entry = |mut contender: Box<dyn Contender>| {
        let start = Instant::now();
        // Not every contender reads whatever was recorded; it says on standard error what it cannot.
        let counted = catch_unwind(AssertUnwindSafe(|| contender.run(&corpus.bytes, chunk)));
        let taken = start.elapsed();
        let agrees = counted.is_ok_and(|counted| agrees(contender.as_ref(), counted, corpus, &mut touched));
        let repeat = (SAMPLE.as_nanos() / taken.as_nanos().max(1)).clamp(1, 10_000) as u32;
        // A run of seconds needs no warming: it is the sample, when it has used up the budget.
        let samples = if taken > BUDGET / 4 && agrees { vec![taken.as_secs_f64()] } else { Vec::new() };
        Entry { contender, agrees, repeat, spent: taken, samples }
    };
    let all = contenders(options).into_iter();
    all.filter(|contender| !slow.contains(&contender.name())).map(entry).collect()
}

fn agrees(contender: &dyn Contender, counted: Counted, corpus: &Corpus, touched: &mut Option<u64>) -> bool {
    let depth = contender.depth();
    let (name, kind) = (contender.name(), corpus.kind.name());
    if depth != Depth::Octets && counted.responses != corpus.responses {
        eprintln!("{kind}: {name} counts {} responses of {}", counted.responses, corpus.responses);
        return false;
    }
    if depth != Depth::Values {
        return true;
    }
    let first = *touched.get_or_insert(counted.touched);
    if counted.touched != first {
        eprintln!("{kind}: {name} reads values of {} where the first has {first}", counted.touched);
    }
    // Of what was recorded some read more than others.
    counted.touched == first || corpus.kind == Kind::Recorded
}
