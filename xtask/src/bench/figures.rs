//! What the benchmarks without peers share: a value each, measured again and again.

use serde_json::{Value, json};

/// The results of such a benchmark.
pub(super) fn results(name: &str, versions: Value, rounds: usize, figures: &[Value]) -> Value {
    json!({ "language": name, "versions": versions, "rounds": rounds, "figures": figures })
}

/// What was the same each time.
pub(super) fn exact(name: &str, unit: &str, value: f64) -> Value {
    json!({ "name": name, "unit": unit, "value": value })
}

/// The median of what was measured, and the quartiles.
pub(super) fn median(name: &str, unit: &str, mut values: Vec<f64>) -> Value {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| values.get(((values.len() as f64 - 1.0) * part).round() as usize).copied();
    json!({ "name": name, "unit": unit, "value": at(0.5), "q1": at(0.25), "q3": at(0.75) })
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn a_median_is_of_sorted_values() {
        let figure = median("f", "ms", vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!((&figure["q1"], &figure["value"], &figure["q3"]), (&2.0.into(), &3.0.into(), &4.0.into()));
    }
}
