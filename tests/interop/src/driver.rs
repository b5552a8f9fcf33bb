//! A driver: a process that seals and opens, a line of JSON each, in the form of `cardseal batch`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::cases::Question;

/// How a driver is started.
pub(crate) struct Driver {
    pub(crate) name: String,
    command: Vec<String>,
    folder: String,
    /// One of the libraries that the protocol's documents use, by itself.
    pub(crate) is_foreign: bool,
}

impl Driver {
    pub(crate) fn new(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            name: text(&entry["name"]),
            command: entry["command"].as_array().unwrap().iter().map(text).collect(),
            folder: text(&entry["folder"]),
            is_foreign: entry["is_foreign"].as_bool().unwrap(),
        }
    }

    /// The answers to all questions, in their order.
    pub(crate) fn ask(&self, questions: &[Question]) -> Vec<Answer> {
        let [program, arguments @ ..] = &self.command[..] else { panic!("{} has no command", self.name) };
        let mut process = Command::new(program)
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {program} does not start: {error}", self.name));
        let mut input = process.stdin.take().unwrap();
        let lines: String = questions.iter().enumerate().map(|(id, question)| question.line(id) + "\n").collect();
        let write = thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
        let output = BufReader::new(process.stdout.take().unwrap());
        let answers: Vec<Answer> =
            output.lines().enumerate().map(|(id, line)| Answer::read(&line.unwrap(), id)).collect();
        write.join().unwrap();
        assert!(process.wait().unwrap().success(), "{} failed", self.name);
        assert_eq!(answers.len(), questions.len(), "{}: a line was not answered", self.name);
        answers
    }
}

/// What came of a question.
pub(crate) enum Answer {
    Ok(Value),
    /// With its code; foreign drivers know but one.
    Error(String),
}

impl Answer {
    fn read(line: &str, id: usize) -> Self {
        let mut answer: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no answer: {line}"));
        assert_eq!(answer["id"], id, "{line}");
        match answer["error"]["code"].as_str() {
            Some(code) => Self::Error(code.to_owned()),
            None => Self::Ok(answer["ok"].take()),
        }
    }

    /// What was sealed.
    pub(crate) fn body(self, name: &str) -> String {
        match self {
            Self::Ok(ok) => ok["body"].as_str().unwrap().to_owned(),
            Self::Error(code) => panic!("{name} does not seal: {code}"),
        }
    }

    /// What was opened, without what two writers of JSON do differently, and without the stamp.
    pub(crate) fn canonical(&self) -> Option<String> {
        match self {
            Self::Ok(ok) => cardseal::canonical_json(ok["payload"].as_str()?).ok(),
            Self::Error(_) => None,
        }
    }

    /// The code, or what was opened.
    pub(crate) fn verdict(&self) -> String {
        match self {
            Self::Ok(_) => {
                let opened = self.canonical().and_then(|text| serde_json::from_str(&text).ok());
                opened.map_or_else(|| "no JSON was opened".to_owned(), |opened: Value| as_doubles(opened).to_string())
            }
            Self::Error(code) => code.clone(),
        }
    }
}

/// The same with every number as a double: that is what JavaScript has, and each language writes one as it likes.
fn as_doubles(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap_or_default() + 0.0), // no minus before 0
        Value::Array(items) => items.into_iter().map(as_doubles).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, as_doubles(value))).collect(),
        other => other,
    }
}
