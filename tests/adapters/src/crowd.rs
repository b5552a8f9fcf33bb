//! One process in each language, all at once, with one API key, while answers are lost and bodies are sent twice.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use cardseal_server::{Options, Sandbox};
use serde_json::Value;

use crate::cell::{active_card, charges};
use crate::driver::{Account, Command};
use crate::exchange::{Call, Kind, call};
use crate::fault::Fault;
use crate::proxy::Proxy;

const CALLS: usize = 5_000;

/// Runs it, and prints what became of everything; fails if a promise is broken.
pub(crate) async fn run(drivers: &str) -> ExitCode {
    let text = std::fs::read_to_string(drivers).expect("a file that lists the drivers");
    let mut commands: Vec<Command> = serde_json::from_str(&text).expect("a list of drivers");
    let mut languages = HashSet::new();
    commands.retain(|command| languages.insert(command.name.split(' ').next().unwrap_or_default().to_owned()));

    let mut options = Options::default();
    options.balance = "10000000.00".to_owned();
    options.step_millis = 0;
    let sandbox = Sandbox::start(options).await.unwrap();
    let card_id = active_card(&sandbox).await;
    let charges_before = charges(&sandbox).await;
    let address = sandbox.url().strip_prefix("http://").unwrap().parse().unwrap();
    let proxy = Proxy::start(address, sandbox.secret(), Fault::Mixed).await;
    let account = Arc::new(Account {
        url: proxy.url.clone(),
        api_key: sandbox.api_key().to_owned(),
        secret: sandbox.secret().to_owned(),
    });
    let names: Vec<String> = commands.iter().map(|command| command.name.clone()).collect();
    println!(
        "{} with {CALLS} calls each, one of five a top-up, through a proxy that breaks one of eight",
        names.join(", ")
    );
    let started = Instant::now();
    let running: Vec<_> = commands
        .into_iter()
        .enumerate()
        .map(|(number, command)| {
            let (account, card_id) = (Arc::clone(&account), card_id.clone());
            tokio::spawn(async move {
                let calls: Vec<Call> = (number * CALLS..(number + 1) * CALLS)
                    .map(|id| call(id, if id.is_multiple_of(5) { Kind::Keyed } else { Kind::Read }, &card_id))
                    .collect();
                (command.run(&account, &calls).await, command.name, calls)
            })
        })
        .collect();
    let (mut ended, mut failed, mut calls_made) = (Vec::new(), Vec::new(), 0);
    for process in running {
        let (of_one, name, calls) = process.await.unwrap();
        println!(
            "{name}: {} of {} calls ended, after {:.0} s",
            of_one.len(),
            calls.len(),
            started.elapsed().as_secs_f64()
        );
        calls_made += calls.len();
        for outcome in of_one.into_values() {
            if outcome["ok"].is_object() {
                ended.push(outcome);
            } else {
                failed.push(format!("{name}: {outcome}"));
            }
        }
    }
    let acknowledged: Vec<&Value> =
        ended.iter().map(|outcome| &outcome["ok"]["order_id"]).filter(|id| id.is_string()).collect();
    let orders = sandbox.control().orders().await.unwrap();
    let known: HashSet<&Value> = orders.as_array().unwrap().iter().map(|order| &order["order_id"]).collect();
    let seen = proxy.seen();
    let keys = seen.keys.values().flatten().collect::<HashSet<_>>().len();
    let promises = [
        ("calls that failed", failed.len()),
        ("calls without an end", calls_made - ended.len() - failed.len()),
        ("charges beyond one for each key", (charges(&sandbox).await - charges_before).abs_diff(keys)),
        ("acknowledged orders that are not there", acknowledged.iter().filter(|id| !known.contains(**id)).count()),
        ("orders acknowledged to two keys", acknowledged.len() - acknowledged.iter().collect::<HashSet<_>>().len()),
        ("replays accepted", seen.replayed),
        ("identical bodies from a client", seen.identical),
        ("envelopes around envelopes", seen.nested),
        ("requests that make no sense", seen.broken.len()),
        ("faults too few", (calls_made / 10).saturating_sub(seen.fired)),
    ];
    println!("{} faults fired; {} top-ups acknowledged, {keys} keys", seen.fired, acknowledged.len());
    for (what, count) in promises {
        println!("{count:6} {what}");
    }
    for example in failed.iter().chain(&seen.broken).take(5) {
        println!("for example: {example}");
    }
    let broken = promises.iter().filter(|(_, count)| *count > 0).count();
    println!("cells: {} kept, {broken} broken", promises.len() - broken);
    sandbox.stop().await;
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
