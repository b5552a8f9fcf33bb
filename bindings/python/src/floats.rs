//! Floats as Python writes them: the shortest digits that give the same number back, as `repr` and `json.dumps` have them.

use std::fmt::Write as _;

/// Hands the token of a finite float to `take`.
pub(crate) fn with_float_token<T>(value: f64, take: impl FnOnce(&str) -> T) -> T {
    let magnitude = value.abs();
    if magnitude == 0.0 || (POINT_ALONE_FROM..POINT_ALONE_BELOW).contains(&magnitude) {
        // Without an exponent both write the same.
        return take(zmij::Buffer::new().format_finite(value));
    }
    let mut token = String::with_capacity(24);
    write_scientific(&mut token, value);
    take(&token)
}

/// The magnitudes that Python writes without an exponent.
const POINT_ALONE_FROM: f64 = 1e-4;
const POINT_ALONE_BELOW: f64 = 1e16;

fn write_scientific(out: &mut String, value: f64) {
    let mut scientific = String::with_capacity(32);
    let _ = write!(scientific, "{value:e}"); // the shortest digits, as `-1.234e-5`; writing to a String cannot fail
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (first, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));

    out.push_str(sign);
    out.push_str(first);
    if !rest.is_empty() {
        out.push('.');
        out.push_str(rest);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.unsigned_abs());
}
