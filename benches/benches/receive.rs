//! The receive path beside its peers with criterion's reports and plots, in `target/criterion/report`.
//!
//! `cargo bench -p imap-benches` for all, with `-- A/` behind it for one corpus.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use imap_benches::corpus::{Corpus, Kind};

const CHUNK: usize = 16 << 10;

fn receive(criterion: &mut Criterion) {
    // Of those with a single response some peers make seconds.
    for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_single()) {
        let corpus = Corpus::generate(kind);
        let mut group = criterion.benchmark_group(kind.name());
        group.throughput(Throughput::Bytes(corpus.bytes.len() as u64)).sample_size(10);
        for mut contender in imap_benches::all() {
            let name = contender.name();
            group.bench_function(name, |bencher| bencher.iter(|| contender.run(&corpus.bytes, CHUNK)));
        }
        group.finish();
    }
}

criterion_group!(benches, receive);
criterion_main!(benches);
