//! The measurements: windows of load, sealed and without envelopes in turn.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

use crate::connection::Connection;
use crate::machine::{processor_time, resident_bytes};
use crate::subject::{Client, Subject};

/// Where replay claims are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Memory,
    Sqlite,
    Redis,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Sqlite, Self::Redis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Sqlite => "SQLite, synchronous=FULL",
            Self::Redis => "Redis",
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job {
    Balance,
    Issue,
}

impl Job {
    pub(crate) const ALL: [Self; 2] = [Self::Balance, Self::Issue];

    fn name(self) -> &'static str {
        self.path()
    }

    fn path(self) -> &'static str {
        match self {
            Self::Balance => "/project/balance",
            Self::Issue => "/cards/create",
        }
    }

    fn payload(self) -> &'static str {
        match self {
            Self::Balance => "{}",
            Self::Issue => r#"{"product_code":"virtual_usd","external_user_id":"user-1"}"#,
        }
    }

    fn request(self, client: &Client, sealed: bool) -> Vec<u8> {
        client.request(self.path(), self.payload(), sealed)
    }

    /// The member that only a success has.
    fn proof(self) -> &'static str {
        match self {
            Self::Balance => "available",
            Self::Issue => "order_id",
        }
    }
}

/// A row of the table.
pub(crate) async fn row(subject: &Subject, mode: Mode, job: Job, rounds: usize, window: Duration) -> String {
    check(subject, job).await;
    let mut rates = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    load(subject, job, true, window, None).await; // the first is for caches and allocators
    for round in 0..rounds {
        let mut each = [Duration::ZERO; 2];
        // Who begins changes.
        for kind in [round % 2, (round + 1) % 2] {
            let before = processor_time(subject.id());
            let done = load(subject, job, kind == 0, window, None).await;
            rates[kind].push(done.len() as f64 / window.as_secs_f64());
            if let (Some(before), Some(after)) = (before, processor_time(subject.id())) {
                each[kind] = (after - before) / u32::try_from(done.len()).unwrap();
            }
        }
        ratios.push(each[0].as_secs_f64() / each[1].as_secs_f64());
    }
    let [sealed, without] = rates.map(|mut rates| quartiles(&mut rates)[1]);
    let [low, ratio, high] = quartiles(&mut ratios);
    let mut latencies = load(subject, job, true, window * 3, Some(sealed / 2.0)).await;
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    let memory = resident_bytes(subject.id()).map_or_else(String::new, |bytes| format!("{} MiB", bytes >> 20));
    format!(
        "| {} | `{}` | {sealed:.0} | {without:.0} | {ratio:.2} ({low:.2}–{high:.2}) | {:.2} ms, {:.2} ms | {memory} |",
        mode.name(),
        job.name(),
        at(0.5),
        at(0.99),
    )
}

/// Each kind of request once, its answer opened.
pub(crate) async fn check(subject: &Subject, job: Job) {
    let mut connection = Connection::open(subject.client.address).await;
    for number in 0..10 {
        let (status, body) = connection.exchange(&job.request(&subject.client, true)).await;
        let sealed: Value = subject.client.envelope.open(body).unwrap();
        assert!(status == 200 && sealed.get(job.proof()).is_some(), "{number}: {status} {sealed}");
        let (status, body) = connection.exchange(&job.request(&subject.client, false)).await;
        let plain: Value = serde_json::from_slice(body).unwrap();
        assert!(status == 200 && plain.get(job.proof()).is_some(), "{number}: {status} {plain}");
        let members = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&sealed), members(&plain), "the same answer");
    }
}

/// Load for a time, as fast as it goes or at a rate, and how long each request took.
async fn load(subject: &Subject, job: Job, sealed: bool, window: Duration, rate: Option<f64>) -> Vec<Duration> {
    let start = Instant::now();
    let done = Rc::new(RefCell::new(Vec::new()));
    let tasks = LocalSet::new();
    let client = Rc::new(subject.client.clone());
    for number in 0..CONNECTIONS {
        let (done, client) = (Rc::clone(&done), Rc::clone(&client));
        tasks.spawn_local(async move {
            let mut connection = Connection::open(client.address).await;
            let pause = rate.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate));
            let mut next = start + pause.unwrap_or_default() * number / CONNECTIONS;
            while start.elapsed() < window {
                if pause.is_some() {
                    sleep_until(next.into()).await;
                }
                // At a rate, a request that had to wait for the one before it began when it should have been sent.
                let began = if pause.is_some() { next } else { Instant::now() };
                if let Some(pause) = pause {
                    next += pause;
                }
                let request = job.request(&client, sealed);
                let (status, body) = connection.exchange(&request).await;
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
                done.borrow_mut().push(began.elapsed());
            }
        });
    }
    tasks.await;
    done.take()
}

const CONNECTIONS: u32 = 32;

/// How long a start takes, and a reset of a server with orders in it.
pub(crate) async fn moments(mode: Mode) -> String {
    let (mut starts, mut resets) = (Vec::new(), Vec::new());
    for _ in 0..MOMENTS {
        starts.push(Subject::start(mode, None).await.start.as_secs_f64() * 1e3);
    }
    let subject = Subject::start_controlled(mode).await;
    let mut connection = Connection::open(subject.client.address).await;
    for _ in 0..MOMENTS {
        for _ in 0..ORDERS {
            let (status, _) = connection.exchange(&Job::Issue.request(&subject.client, true)).await;
            assert_eq!(status, 200);
        }
        resets.push(subject.reset().await.as_secs_f64() * 1e3);
    }
    let [start, reset] = [starts, resets].map(|mut times| {
        let [_, middle, _] = quartiles(&mut times);
        format!("{middle:.1} ms, {:.1} ms", times.last().copied().unwrap_or_default())
    });
    format!("| {} | {start} | {reset} |", mode.name())
}

const MOMENTS: usize = 11;
const ORDERS: usize = 200;

/// A thousand requests a second for a while; the memory is read every ten seconds.
pub(crate) async fn soak(length: Duration) {
    crate::machine::pin_this_process();
    let subject = Subject::start(Mode::Memory, None).await;
    println!("seconds  requests  memory");
    let start = Instant::now();
    let (mut count, mut settled) = (0, Vec::new());
    while start.elapsed() < length {
        count += load(&subject, Job::Balance, true, Duration::from_secs(10), Some(1_000.0)).await.len();
        let bytes = resident_bytes(subject.id()).unwrap_or_default();
        let seconds = start.elapsed().as_secs();
        println!("{seconds:7}  {count:8}  {:.2} MiB", bytes as f64 / f64::from(1 << 20));
        if seconds >= 2 * cardseal::REPLAY_TTL_MILLIS / 1_000 {
            settled.push(bytes);
        }
    }
    if let (Some(least), Some(most)) = (settled.iter().min(), settled.iter().max()) {
        let middle = (least + most) as f64 / 2.0;
        println!(
            "after {} s: ± {:.1} %",
            2 * cardseal::REPLAY_TTL_MILLIS / 1_000,
            (*most as f64 - middle) / middle * 100.0
        );
        assert!(*most as f64 <= 1.1 * *least as f64, "the memory does not settle: from {least} to {most} bytes");
    }
}

fn quartiles(values: &mut [f64]) -> [f64; 3] {
    values.sort_unstable_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() - 1) * quarter / 4])
}
