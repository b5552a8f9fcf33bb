//! Load on the reference server, from a process of its own.
//!
//! The server runs on one core and this program on another. Every request is sealed just before it is sent: a body that was
//! made beforehand would only measure how fast duplicates are refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for developers: it stops at what it does not expect, and prints"
)]

mod connection;
mod machine;
mod measure;
mod subject;

use std::time::Duration;

use cardseal_test_redis::Redis;
use measure::{Job, Mode};
use subject::Subject;

const HELP: &str = "\
load            throughput, processor time and latency in memory, with SQLite and with Redis; starts and resets; five minutes
load --quick    the same with short windows
load --check    a few requests of each kind, each answer looked at; nothing is measured
load --soak [S] 1,000 requests a second for S seconds (240), and what becomes of the memory";

fn main() {
    if subject::is_wanted() {
        return subject::run();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match words.as_slice() {
        [] => runtime.block_on(tables(20, Duration::from_millis(1_000))),
        ["--quick"] => runtime.block_on(tables(5, Duration::from_millis(300))),
        ["--check"] => runtime.block_on(check()),
        ["--soak"] => runtime.block_on(measure::soak(Duration::from_secs(240))),
        ["--soak", seconds] => runtime.block_on(measure::soak(Duration::from_secs(seconds.parse().expect(HELP)))),
        _ => println!("{HELP}"),
    }
}

async fn tables(rounds: usize, window: Duration) {
    println!("{}\n", machine::description()); // before it keeps to one of the cores
    machine::pin_this_process();
    println!(
        "| replay claims | request | sealed/s | without/s | processor time, sealed ÷ without | p50, p99 at half load | memory |"
    );
    println!("|---|---|---|---|---|---|---|");
    for mode in Mode::ALL {
        let Some(redis) = redis_for(mode) else { continue };
        for job in Job::ALL {
            let subject = Subject::start(mode, redis.as_ref().map(Redis::url)).await;
            println!("{}", measure::row(&subject, mode, job, rounds, window).await);
        }
    }
    println!("\n| state | start to `/ready`: median, longest | reset of 200 orders: median, longest |");
    println!("|---|---|---|");
    for mode in [Mode::Memory, Mode::Sqlite] {
        println!("{}", measure::moments(mode).await);
    }
}

/// Every kind of request gets the answer that it should.
async fn check() {
    for mode in Mode::ALL {
        let Some(redis) = redis_for(mode) else { continue };
        for job in Job::ALL {
            let subject = Subject::start(mode, redis.as_ref().map(Redis::url)).await;
            measure::check(&subject, job).await;
        }
        println!("{}: ok", mode.name());
    }
}

/// The Redis that a mode needs; `None` where there is none to be had, which is said.
fn redis_for(mode: Mode) -> Option<Option<Redis>> {
    if mode != Mode::Redis {
        return Some(None);
    }
    let redis = Redis::start(&[]);
    if redis.is_none() {
        println!("redis-server is not installed, and left out; on Debian: apt-get install redis-server");
    }
    redis.map(Some)
}
