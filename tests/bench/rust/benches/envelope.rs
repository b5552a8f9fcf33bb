//! The whole job, JSON text to HTTP body and back, by every candidate and size.

#![expect(clippy::expect_used, reason = "a candidate that fails has nothing to measure")]

use std::time::Duration;

use cardseal_bench::{payloads, peers};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn envelope(criterion: &mut Criterion) {
    let requests = payloads::requests().expect("payloads.json is there");
    peers::check(&requests).expect("all candidates agree");
    let now = peers::now_micros().expect("the clock is right");
    for task in ["seal", "open", "open to Value"] {
        let mut group = criterion.benchmark_group(task);
        for payload in requests.iter().filter(|payload| payload.variant == "ascii") {
            group.throughput(Throughput::Bytes(payload.text.len() as u64));
            for (name, mut peer) in peers::all().expect("all candidates are ready") {
                let body = peer.seal(&payload.text).expect("the payload is an object");
                let id = BenchmarkId::new(name, payload.name());
                match task {
                    "seal" => group.bench_function(id, |bencher| bencher.iter(|| peer.seal(&payload.text))),
                    "open" => group.bench_function(id, |bencher| bencher.iter(|| peer.open(&body, now))),
                    _ => group.bench_function(id, |bencher| bencher.iter(|| peer.open(&body, now)?.into_value())),
                };
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = envelope
}
criterion_main!(benches);
