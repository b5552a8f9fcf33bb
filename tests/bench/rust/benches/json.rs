//! The strict JSON reader against one that passes repeated names and numbers out of range.

#![expect(clippy::expect_used, reason = "a candidate that fails has nothing to measure")]

use std::time::Duration;

use cardseal_bench::payloads;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;

fn json(criterion: &mut Criterion) {
    let mut texts = vec![("1 MiB, 40,000 members".to_owned(), payloads::members(1 << 20, 40_000))];
    let requests = payloads::requests().expect("payloads.json is there");
    texts.extend(requests.into_iter().map(|payload| (payload.name(), payload.text)));
    let mut group = criterion.benchmark_group("json");
    for (name, text) in texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("cardseal", &name), |bencher| {
            bencher.iter(|| cardseal::json::check(&text));
        });
        group.bench_function(BenchmarkId::new("serde_json", name), |bencher| {
            bencher.iter(|| serde_json::from_str::<IgnoredAny>(&text));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .without_plots()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = json
}
criterion_main!(benches);
