//! What benchmarks write: tests/bench/README.md describes the format.

use serde_json::{Map, Number, Value};

use crate::repo::Repo;
use crate::{Result, fail};

/// The languages that are compared with peers, as in the report.
pub(super) const LANGUAGES: &[(&str, &str)] =
    &[("python", "Python"), ("node", "Node.js"), ("wasm", "WebAssembly, in Node.js"), ("rust", "Rust"), ("go", "Go")];

/// What has a value each and no peers.
pub(super) const FIGURES: &[(&str, &str)] =
    &[("cold", "Cold start"), ("memory", "Memory"), ("size", "Size of what is published")];

/// Where a benchmark's results are kept.
pub(super) fn path(name: &str) -> String {
    format!("tests/bench/results/{name}.json")
}

/// What one benchmark measured.
pub(super) struct Results {
    pub(super) machine: Map<String, Value>,
    /// Made with `--quick`: no figures to quote.
    pub(super) quick: bool,
    pub(super) versions: Map<String, Value>,
    pub(super) rounds: u64,
    pub(super) rows: Vec<Row>,
    pub(super) figures: Vec<Figure>,
}

/// One job with one payload.
pub(super) struct Row {
    pub(super) job: String,
    pub(super) size: u64,
    pub(super) shape: String,
    pub(super) variant: String,
    pub(super) nanos: f64,
    pub(super) peers: Vec<Comparison>,
    /// What no candidate can be quicker than.
    pub(super) floors: Vec<Comparison>,
}

impl Row {
    /// The payload as goals name it: `16 KiB fields`.
    pub(super) fn payload(&self) -> String {
        format!("{} {}", size_name(self.size), self.shape)
    }

    /// The peer that takes the least time.
    pub(super) fn best(&self) -> Option<&Comparison> {
        self.peers.iter().min_by(|one, other| one.ratio.total_cmp(&other.ratio))
    }
}

/// How many times as long as cardseal something takes: the median of all rounds, and the quartiles.
pub(super) struct Comparison {
    pub(super) name: String,
    pub(super) ratio: f64,
    pub(super) quartiles: [f64; 2],
}

/// One value: the median, with quartiles where it was measured again and again.
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) value: f64,
    pub(super) quartiles: Option<[f64; 2]>,
}

/// Reads what is kept of a benchmark.
pub(super) fn kept(repo: &Repo, name: &str) -> Result<Results> {
    let text = repo.read(&path(name)).map_err(|error| format!("{error}; cargo xtask bench {name} --save writes it"))?;
    read(name, &text)
}

pub(super) fn read(name: &str, text: &str) -> Result<Results> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("the results of {name}: {error}"))?;
    let object = |member: &str| value[member].as_object().cloned();
    let list = |member: &str| value[member].as_array().map_or(&[][..], Vec::as_slice);
    let results = || {
        Some(Results {
            machine: object("machine")?,
            quick: value["quick"].as_bool()?,
            versions: object("versions")?,
            rounds: value["rounds"].as_u64()?,
            rows: list("results").iter().map(row).collect::<Option<_>>()?,
            figures: list("figures").iter().map(figure).collect::<Option<_>>()?,
        })
    };
    match results() {
        Some(results) if results.rows.len() + results.figures.len() > 0 => Ok(results),
        Some(_) => fail(format!("{name} measured nothing: no name has all the parts that were given")),
        None => fail(format!("the results of {name} are not in the format of tests/bench/README.md")),
    }
}

fn row(value: &Value) -> Option<Row> {
    let text = |member: &str| Some(value[member].as_str()?.to_owned());
    let comparisons = |member: &str| -> Option<Vec<Comparison>> {
        value[member].as_object().into_iter().flatten().map(comparison).collect()
    };
    Some(Row {
        job: text("job")?,
        size: value["size"].as_u64()?,
        shape: text("shape")?,
        variant: text("variant")?,
        nanos: value["cardseal_ns"].as_f64()?,
        peers: comparisons("peers")?,
        floors: comparisons("floors")?,
    })
}

fn comparison((name, value): (&String, &Value)) -> Option<Comparison> {
    let ratio = value["ratio"].as_f64()?;
    Some(Comparison { name: name.clone(), ratio, quartiles: [value["q1"].as_f64()?, value["q3"].as_f64()?] })
}

fn figure(value: &Value) -> Option<Figure> {
    Some(Figure {
        name: value["name"].as_str()?.to_owned(),
        unit: value["unit"].as_str()?.to_owned(),
        value: value["value"].as_f64()?,
        quartiles: value["q1"].as_f64().zip(value["q3"].as_f64()).map(|(q1, q3)| [q1, q3]),
    })
}

/// The text of a file: one result a line, so that two runs can be compared, and no digit that was not measured.
pub(super) fn written(mut results: Value) -> String {
    round(&mut results);
    let members = results.as_object().into_iter().flatten().map(|(name, value)| {
        let value = match value.as_array() {
            Some(list) => {
                let lines: Vec<String> = list.iter().map(|one| format!("    {one}")).collect();
                format!("[\n{}\n  ]", lines.join(",\n"))
            }
            None => value.to_string(),
        };
        format!("  \"{name}\": {value}")
    });
    format!("{{\n{}\n}}\n", members.collect::<Vec<_>>().join(",\n"))
}

/// Thousandths below a hundred, whole numbers above.
fn round(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let exact = number.as_f64().unwrap_or_default();
            let rounded = if exact.abs() < 100.0 { (exact * 1e3).round() / 1e3 } else { exact.round() };
            if let Some(rounded) = Number::from_f64(rounded) {
                *number = rounded;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(round),
        Value::Object(members) => members.values_mut().for_each(round),
        _ => {}
    }
}

pub(super) fn size_name(bytes: u64) -> String {
    match bytes {
        ..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn example() -> Value {
        json!({
            "language": "go",
            "versions": {},
            "machine": {},
            "quick": false,
            "rounds": 7,
            "results": [{
                "job": "seal", "size": 16384, "shape": "blob", "variant": "ascii", "cardseal_ns": 1234.5678,
                "peers": {
                    "slow": {"ns": 5000.0, "ratio": 4.05, "q1": 4.0, "q3": 4.1},
                    "quick": {"ns": 2469.4, "ratio": 2.00049, "q1": 1.9, "q3": 2.1},
                },
            }],
        })
    }

    #[test]
    fn what_is_written_is_read_rounded_one_result_a_line() {
        let text = written(example());
        assert_eq!(text.lines().filter(|line| line.contains("\"job\"")).count(), 1);
        assert!(text.contains("\"cardseal_ns\":1235.0") && text.contains("\"ratio\":2.0,"), "{text}");
        let results = read("go", &text).unwrap();
        let [row] = &results.rows[..] else { panic!("one row") };
        assert_eq!((row.payload().as_str(), row.nanos), ("16 KiB blob", 1235.0));
        assert_eq!(row.best().map(|best| best.name.as_str()), Some("quick"));
    }

    #[test]
    fn another_format_or_an_empty_run_is_refused() {
        for (member, value) in [
            ("rounds", json!("7")),
            ("quick", Value::Null),
            ("results", json!([])),
            ("results", json!([{"job": "seal"}])),
        ] {
            let mut other = example();
            other[member] = value;
            assert!(read("go", &written(other)).is_err(), "{member}");
        }
    }
}
