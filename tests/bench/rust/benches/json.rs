//! The strict JSON reader against one that passes repeated names and numbers out of range.

use std::time::Duration;

use cardseal_bench::payloads::{self, Payload};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde::de::IgnoredAny;

fn json(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("json");
    for Payload { name, text } in payloads::texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("cardseal", name), |bencher| {
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
