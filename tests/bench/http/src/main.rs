//! What an adapter costs beneath an HTTP client: the same call over loopback with and without it, in turns.
//!
//! `overhead [--rounds N] NAME PROGRAM ARGUMENT…`, with several commands parted by `--`. A command is a program that measures one client: it
//! reads the addresses and the payload from its environment, checks that both calls give the payload, and prints for each round
//! a line of JSON: seconds for a call without (`bare`) and with (`sealed`) the adapter, and for sealing and opening `alone`.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a program for developers")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use cardseal::Envelope;
use serde_json::Value;

const SECRET: &str = "your_api_secret_key_here";

fn main() {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut rounds = "200".to_owned();
    if arguments.first().is_some_and(|first| first == "--rounds") {
        rounds = arguments.drain(..2).nth(1).unwrap();
    }
    let payload = payload();
    let sealed = Envelope::new(SECRET).unwrap().seal_response_json(&payload).unwrap();
    let (plain_url, sealed_url) = (serve(payload.clone()), serve(sealed));
    println!(
        "a call with {} B of JSON each way; {rounds} rounds in turns; medians, and quartiles of the ratio\n",
        payload.len()
    );
    println!("| client | with the adapter / without | quartiles | without, µs | with, µs | seal and open alone, µs |");
    println!("|---|---|---|---|---|---|");
    for command in arguments.split(|argument| argument == "--") {
        let [name, program, rest @ ..] = command else { panic!("a command has a name and a program") };
        let mut process = Command::new(program)
            .args(rest)
            .env("BENCH_PLAIN_URL", &plain_url)
            .env("BENCH_SEALED_URL", &sealed_url)
            .env("BENCH_SECRET", SECRET)
            .env("BENCH_PAYLOAD", &payload)
            .env("BENCH_ROUNDS", &rounds)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let times: Vec<[f64; 3]> = lines.map(|line| round(&line.unwrap())).collect();
        assert!(process.wait().unwrap().success() && !times.is_empty(), "{name} failed");
        let column = |of: fn(&[f64; 3]) -> f64| sorted(times.iter().map(of).collect());
        let ratios = column(|[bare, sealed, _]| sealed / bare);
        let micros = |of| 1e6 * quantile(&column(of), 0.5);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|q| quantile(&ratios, q));
        let (bare, sealed, alone) = (micros(|t| t[0]), micros(|t| t[1]), micros(|t| t[2]));
        println!("| {name} | **{median:.2}** | {low:.2}–{high:.2} | {bare:.0} | {sealed:.0} | {alone:.1} |");
    }
}

fn round(line: &str) -> [f64; 3] {
    let times: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no times: {line}"));
    ["bare", "sealed", "alone"].map(|name| times[name].as_f64().unwrap())
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    sorted[(q * (sorted.len() - 1) as f64) as usize]
}

/// An object of 1 KiB as calls have them: names and short texts.
fn payload() -> String {
    let mut text = String::from(r#"{"external_user_id":"user-1""#);
    for number in 0.. {
        if text.len() > 990 {
            break;
        }
        write!(text, r#","field_{number}":"value {number} of a call""#).unwrap();
    }
    text + "}"
}

/// Answers every request with the same body, and gives its address. It looks at nothing, so that it costs both calls alike.
fn serve(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = head + &body;
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || answer_all(stream.unwrap(), answer.as_bytes()));
        }
    });
    url
}

/// Until the client goes.
fn answer_all(mut stream: TcpStream, answer: &[u8]) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or_default() == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() || stream.write_all(answer).is_err() {
            return;
        }
    }
}
