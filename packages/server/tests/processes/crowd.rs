//! Many connections, and many callers that nobody knows.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::subject::{Orders, Subject, resident_bytes};

/// Ten thousand connections that say nothing.
pub(crate) fn idle() {
    // Two for each connection would be one too many for the usual limit; the server is another process.
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or_default();
    assert!(
        limit > CONNECTIONS as u64 + 100,
        "this machine allows {limit} open files: ulimit -n {}",
        CONNECTIONS + 200
    );
    Runtime::new().unwrap().block_on(async {
        let subject = Subject::start(&in_memory());
        assert_eq!(subject.client.balance().await, "100000.00");
        let before = resident_bytes(subject.id());
        let mut connections = Vec::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            connections.push(TcpStream::connect(subject.client.address).await.unwrap());
        }
        // Served while they are there.
        assert_eq!(subject.client.balance().await, "100000.00");
        let during = resident_bytes(subject.id());
        if let (Some(before), Some(during)) = (before, during) {
            let each = during.saturating_sub(before) / CONNECTIONS as u64;
            println!("{CONNECTIONS} idle connections: {} KiB each", each as f64 / 1024.0);
            assert!(each < 16 * 1024, "{each} bytes each");
        }
        drop(connections);
        assert_eq!(subject.client.balance().await, "100000.00");
    });
}

const CONNECTIONS: usize = 10_000;

/// Callers without a key, and with bodies that do not open: the journal apart, which is bounded, nothing is kept.
pub(crate) fn strangers() {
    Runtime::new().unwrap().block_on(async {
        let subject = Subject::start(&in_memory());
        let client = &subject.client;
        let path = "/api/v1/project/balance";
        let knock = async |count: usize| {
            for number in 0..count {
                let key = format!("stranger-{number}");
                let headers = [("API-KEY", key.as_str()), ("Content-Type", "application/json")];
                assert_eq!(client.post(path, &headers, b"{}").await.unwrap().status, 404);
                let body = json!({"encrypted": "A".repeat(400)}).to_string();
                assert_eq!(client.post(path, &client.headers(), body.as_bytes()).await.unwrap().status, 400);
            }
        };
        knock(1_500).await; // until the journal is full and the allocator has what it wants
        let before = resident_bytes(subject.id());
        knock(3_000).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let (Some(before), Some(after)) = (before, resident_bytes(subject.id())) {
            println!("6,000 refused requests: {} KiB more", after.saturating_sub(before) / 1024);
            assert!(after < before + (1 << 20), "from {before} to {after} bytes");
        }
    });
}

fn in_memory() -> Orders {
    Orders { data: None, step_millis: 0, without_unique: false }
}
