//! A driver: a process that makes calls through an adapter, as somebody who has read its README would.

use std::collections::HashMap;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::exchange::Call;

/// How a driver is started.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Command {
    pub(crate) name: String,
    command: Vec<String>,
    folder: String,
}

/// Who is called, and as whom.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) url: String,
    pub(crate) api_key: String,
    pub(crate) secret: String,
}

impl Command {
    /// The adapter that is wrong on purpose.
    pub(crate) fn naive() -> Self {
        let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        Self {
            name: "naive, the control".to_owned(),
            command: vec![program, "naive".to_owned()],
            folder: ".".to_owned(),
        }
    }

    /// Makes calls, and gives what each ended with.
    pub(crate) async fn run(&self, account: &Account, calls: &[Call]) -> HashMap<usize, Value> {
        let (program, arguments) = self.command.split_first().expect("a command");
        let mut process = tokio::process::Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARDSEAL_URL", &account.url)
            .env("CARDSEAL_API_KEY", &account.api_key)
            .env("CARDSEAL_SECRET", &account.secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {program} does not start: {error}", self.name));
        let mut input = process.stdin.take().unwrap();
        let text: String = calls.iter().map(|call| format!("{}\n", call.line())).collect();
        let write = tokio::spawn(async move {
            input.write_all(text.as_bytes()).await.unwrap(); // and ends the input
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut ended = HashMap::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let outcome: Value =
                serde_json::from_str(&line).unwrap_or_else(|_| panic!("{} prints `{line}`", self.name));
            let id = outcome["id"].as_u64().expect("a call's id") as usize;
            assert!(ended.insert(id, outcome).is_none(), "{}: call {id} ends twice", self.name);
        }
        write.await.unwrap();
        let status = process.wait().await.unwrap();
        assert!(status.success(), "{}: {status}", self.name);
        ended
    }
}
