//! Floats as Python writes them: the shortest digits that give the same number back, as `repr` and `json.dumps` have them.

use std::fmt::Write as _;

/// The number of hundredths that a float stands for, if it is what Python writes for it: as amounts are, with two digits behind
/// the point at most.
///
/// A quotient is rounded as a token is when it is read: if it gives the float back, the token does. Of two decimals with at most
/// fifteen digits no float is both, so that there is no shorter one.
#[inline(always)]
pub(crate) fn hundredths(value: f64) -> Option<i64> {
    let nearest = (value * 100.0 + 0.5_f64.copysign(value)) as i64;
    let is_negative_zero = nearest == 0 && value.is_sign_negative();
    let is_exact = value.abs() < HUNDREDTHS_BELOW && nearest as f64 / 100.0 == value;
    (is_exact && !is_negative_zero).then_some(nearest)
}

/// Hundredths of what is smaller have fifteen digits.
const HUNDREDTHS_BELOW: f64 = 1e13;

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
