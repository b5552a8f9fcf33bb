//! The ciphers and the base64 that envelopes are made of.

#![expect(clippy::expect_used, reason = "a candidate that fails has nothing to measure")]

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cardseal_bench::ciphers::{self, NONCE};
use cardseal_bench::peers::base64_engine;
use cardseal_bench::sodium::Sodium;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const SIZES: [(&str, usize); 3] = [("256 B", 1 << 8), ("16 KiB", 1 << 14), ("1 MiB", 1 << 20)];

fn secretbox(criterion: &mut Criterion) {
    for task in ["encrypt to a field", "cipher in place"] {
        let mut group = criterion.benchmark_group(task);
        for (size, bytes) in SIZES {
            group.throughput(Throughput::Bytes(bytes as u64));
            let mut message = vec![b'x'; bytes];
            ciphers::check(&message).expect("all ciphers agree");
            for (name, mut cipher) in ciphers::all().expect("all ciphers are ready") {
                let id = BenchmarkId::new(name, size);
                match task {
                    "cipher in place" => {
                        group.bench_function(id, |bencher| bencher.iter(|| cipher.seal_in_place(&mut message, &NONCE)))
                    }
                    _ => group.bench_function(id, |bencher| bencher.iter(|| cipher.encrypt(&message, &NONCE))),
                };
            }
        }
    }
}

/// Why the candidates with libsodium take their base64 from elsewhere.
fn base64(criterion: &mut Criterion) {
    let sodium = Sodium::new().expect("libsodium starts");
    let vector = base64_engine();
    for (size, bytes) in SIZES {
        let mut binary = vec![0x5a; bytes];
        let mut text = vec![0; bytes.div_ceil(3) * 4 + 1];
        let length = text.len() - 1;

        let mut group = criterion.benchmark_group("base64 encode");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("base64 Simd", size), |bencher| {
            bencher.iter(|| vector.encode_slice(&binary, &mut text));
        });
        group.bench_function(BenchmarkId::new("base64", size), |bencher| {
            bencher.iter(|| BASE64_STANDARD.encode_slice(&binary, &mut text));
        });
        group.bench_function(BenchmarkId::new("libsodium", size), |bencher| {
            bencher.iter(|| sodium.base64(&binary, &mut text).len());
        });
        group.finish();

        let mut group = criterion.benchmark_group("base64 decode");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(BenchmarkId::new("base64 Simd", size), |bencher| {
            bencher.iter(|| vector.decode_slice(&text[..length], &mut binary));
        });
        group.bench_function(BenchmarkId::new("base64", size), |bencher| {
            bencher.iter(|| BASE64_STANDARD.decode_slice(&text[..length], &mut binary));
        });
        group.bench_function(BenchmarkId::new("libsodium", size), |bencher| {
            bencher.iter(|| sodium.unbase64(&text[..length], &mut binary));
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
    targets = secretbox, base64
}
criterion_main!(benches);
