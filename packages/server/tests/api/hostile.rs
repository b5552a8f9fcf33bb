//! What no client would send: each gets a clear answer or a closed connection, and others are served meanwhile.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Bench, raw};

const PATH: &str = "/api/v1/project/balance";

#[tokio::test]
async fn nonsense_is_refused_or_closed() {
    let bench = Bench::start().await;
    // A generator that is always the same: what fails can be run again.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for length in 0..64_usize {
        let mut noise: Vec<u8> = (0..=length).flat_map(|_| random()).collect();
        noise.extend_from_slice(b"\r\n\r\n");
        let answer = raw(bench.address, &noise).await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{answer:?}");
        // The same behind a head that is in order.
        let answer = bench.post(PATH, &bench.headers(), &noise).await.expect("an answer");
        assert_eq!((answer.status, answer.text()), (400, r#"{"error":"Encrypted payload not found"}"#.to_owned()));
    }
    assert_eq!(bench.balance().await, "1000.00");
}

#[tokio::test]
async fn mutated_bodies_are_refused() {
    let bench = Bench::start().await;
    let body = bench.envelope.seal(&json!({"order_id": "order_0"})).unwrap();
    for at in 0..body.len() {
        let mut mutated = body.clone().into_bytes();
        mutated[at] ^= 1;
        let answer = bench.post(PATH, &bench.headers(), &mutated).await.expect("an answer");
        assert_eq!(answer.status, 400, "{at}: {}", answer.text());
    }
}

#[tokio::test]
async fn heads_that_are_too_large_or_malformed() {
    let bench = Bench::start().await;
    let huge = "x".repeat(64 * 1024);
    let answer = bench.post(PATH, &[("X-Huge", &huge)], b"{}").await;
    assert!(answer.as_ref().is_none_or(|answer| answer.status == 431), "{answer:?}");
    let names: Vec<String> = (0..200).map(|number| format!("X-{number}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
    let answer = bench.post(PATH, &many, b"{}").await;
    assert!(answer.as_ref().is_none_or(|answer| answer.status == 431), "{answer:?}");
    // Bytes beyond ASCII in a header that matters make it another header value, not a crash.
    let mut request =
        format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nAPI-KEY: ").into_bytes();
    request.extend_from_slice(b"\xff\xfe\r\nContent-Type: application/json\r\n\r\n{}");
    assert_eq!(raw(bench.address, &request).await.unwrap().status, 404);
    for request in [
        "POST / HTTP/9.9\r\n\r\n",
        "POST /\r\n\r\n",
        "POST /api/v1/project/balance HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /api/v1/project/balance HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = raw(bench.address, request.as_bytes()).await;
        assert!(answer.as_ref().is_none_or(|answer| answer.status >= 400), "{request:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_its_limit() {
    let bench = Bench::start().await;
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n");
    for (name, value) in bench.headers() {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all((head + "\r\n").as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let writing = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        let mut written = 0_usize;
        while writer.write_all(chunk.as_bytes()).await.is_ok() && written < 1 << 30 {
            written += chunk.len();
        }
        written
    });
    let mut answer = Vec::new();
    let _ = reader.read_to_end(&mut answer).await;
    drop(reader);
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&answer));
    assert!(writing.await.unwrap() < 1 << 26, "the connection was closed");
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let bench = Bench::start().await;
    let mut headers = bench.headers();
    headers.push(("Content-Encoding", "gzip"));
    // The head of a gzip file: what would follow never matters.
    let answer = bench.post(PATH, &headers, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03").await.unwrap();
    assert_eq!(answer.status, 415);
}

#[tokio::test]
async fn connections_that_stand_still_hold_nobody_up() {
    let bench = Bench::start().await;
    let mut still = Vec::new();
    for part in ["", "POST ", "POST /api/v1/project/balance HTTP/1.1\r\nHost: x\r\n"] {
        for _ in 0..100 {
            let mut stream = TcpStream::connect(bench.address).await.unwrap();
            stream.write_all(part.as_bytes()).await.unwrap();
            still.push(stream);
        }
    }
    // Announced, and not sent.
    let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n");
    for (name, value) in bench.headers() {
        head += &format!("{name}: {value}\r\n");
    }
    for _ in 0..100 {
        let mut stream = TcpStream::connect(bench.address).await.unwrap();
        stream.write_all(format!("{head}\r\n{{").as_bytes()).await.unwrap();
        still.push(stream);
    }
    assert_eq!(bench.balance().await, "1000.00");
    drop(still);
    assert_eq!(bench.balance().await, "1000.00");
}
