//! Results as Markdown, for the terminal and for the report.

use serde_json::{Map, Value};

use super::results::{Comparison, Figure, Results, Row};

/// All of a benchmark: where, with what, and a table for every set of peers.
pub(super) fn of(results: &Results) -> String {
    let mut text = head(results);
    let mut rest: Vec<&Row> = results.rows.iter().collect();
    while let Some(first) = rest.first() {
        let names = names(first);
        let (same, others): (Vec<&Row>, Vec<&Row>) = rest.iter().partition(|row| self::names(row) == names);
        text += &rows(&names, &same);
        rest = others;
    }
    if !results.figures.is_empty() {
        text += &figures(&results.figures);
    }
    text
}

/// Where it was measured, with what, how often.
fn head(results: &Results) -> String {
    let Results { versions, rounds, .. } = results;
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {}", plain(version))).collect();
    let coarse = if results.quick { COARSE } else { "" };
    format!("{}; rounds: {rounds}. {}.{coarse}\n\n", machine(&results.machine), versions.join(", "))
}

/// What is said of a quick run.
pub(super) const COARSE: &str = " **Coarse, from a run with `--quick`: not to be quoted.**";

pub(super) fn machine(facts: &Map<String, Value>) -> String {
    let fact = |name: &str| facts.get(name).map(plain).unwrap_or_default();
    format!("{} with {}, {} cores, {}", fact("processor"), fact("vectors"), fact("cores"), fact("os"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn names(row: &Row) -> Vec<&str> {
    row.peers.iter().chain(&row.floors).map(|peer| peer.name.as_str()).collect()
}

fn rows(names: &[&str], rows: &[&Row]) -> String {
    let mut text = format!("| job | payload | cardseal | {} |\n|---|---|--:|", names.join(" | "));
    text += &format!("{}\n", "--:|".repeat(names.len()));
    for row in rows {
        let gigabytes = row.size as f64 / row.nanos;
        let cells: Vec<String> = row.peers.iter().chain(&row.floors).map(comparison).collect();
        text += &format!(
            "| {} | {}, {} | {}, {gigabytes:.2} GB/s | {} |\n",
            row.job,
            row.payload(),
            row.variant,
            time(row.nanos),
            cells.join(" | ")
        );
    }
    text + "\n"
}

fn comparison(Comparison { ratio, quartiles: [q1, q3], .. }: &Comparison) -> String {
    format!("{ratio:.2} ({q1:.2}–{q3:.2})")
}

fn figures(figures: &[Figure]) -> String {
    let mut text = String::from("| what | median | quartiles |\n|---|--:|--:|\n");
    for Figure { name, unit, value, quartiles } in figures {
        let spread = quartiles.map(|[q1, q3]| format!("{}–{}", short(q1), short(q3))).unwrap_or_default();
        text += &format!("| {name} | {} {unit} | {spread} |\n", short(*value));
    }
    text + "\n"
}

/// Three digits, or as many as stand before the point.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        ..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

fn time(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{} ns", short(nanos)),
        1e3..1e6 => format!("{} µs", short(nanos / 1e3)),
        _ => format!("{} ms", short(nanos / 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_values_have_three_digits() {
        assert_eq!(
            [47.25, 952.0, 1_040.0, 62_390.0, 3_458_653.0].map(time),
            ["47.2 ns", "952 ns", "1.04 µs", "62.4 µs", "3.46 ms"]
        );
        assert_eq!([0.012, 51.925, 635.0, -1.5].map(short), ["0.012", "51.9", "635", "-1.50"]);
    }
}
