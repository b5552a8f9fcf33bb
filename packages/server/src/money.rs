//! Money: decimals of the wallet's currency, two places, never floats.

use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

/// An amount. In JSON and in the database it is text such as `1234.56`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Money(Decimal);

/// What the wallet counts in.
pub(crate) const WALLET_CURRENCY: &str = "usdt";

impl Money {
    pub(crate) const ZERO: Self = Self(Decimal::ZERO);

    /// From a whole number of cents.
    pub(crate) const fn cents(cents: u32) -> Self {
        Self(Decimal::from_parts(cents, 0, 0, false, PLACES))
    }

    /// From text such as `10` or `10.5`: digits, at most two after a point, below a billion.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = is_digits(whole) && is_digits(fraction) && whole.len() <= 9 && fraction.len() <= PLACES as usize;
        let decimal = if fits { Decimal::from_str(text).ok()? } else { return None };
        Some(Self(at_two_places(decimal)))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The difference, unless it is below zero.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        (self >= other).then(|| Self(self.0 - other.0))
    }

    /// The negative amount, for the ledger.
    pub(crate) fn negated(self) -> Self {
        Self(-self.0)
    }

    /// So many hundredths of a percent of it, rounded half up to cents.
    pub(crate) fn basis_points(self, points: u32) -> Self {
        Self(at_two_places(self.0 * Decimal::new(i64::from(points), 4)))
    }

    /// The cents beyond the whole amount.
    pub(crate) fn odd_cents(self) -> u32 {
        let cents = (self.0.fract() * Decimal::ONE_HUNDRED).abs();
        u32::try_from(cents.mantissa() / 10_i128.pow(cents.scale())).unwrap_or_default()
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl ToSql for Money {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for Money {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Decimal::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

const PLACES: u32 = 2;

fn at_two_places(decimal: Decimal) -> Decimal {
    decimal.round_dp_with_strategy(PLACES, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_digits_with_at_most_two_places() {
        for (text, shown) in [("10", "10.00"), ("10.5", "10.50"), ("0.01", "0.01"), ("999999999.99", "999999999.99")] {
            assert_eq!(Money::parse(text).unwrap().to_string(), shown);
        }
        for text in ["", ".5", "5.", "-1", "+1", "1e3", "1.001", "1 ", "1_0", "1000000000", "٣"] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
    }

    #[test]
    fn sums_are_exact_and_fees_round_half_up() {
        let sum = (0..10).fold(Money::ZERO, |sum, _| sum.plus(Money::cents(10)));
        assert_eq!(sum, Money::cents(100));
        assert_eq!(Money::cents(1_050).basis_points(150), Money::cents(16)); // 15.75 cents
        assert_eq!(Money::cents(5).minus(Money::cents(6)), None);
        assert_eq!(Money::cents(1_044).odd_cents(), 44);
        assert_eq!(Money::parse("10.4").unwrap().odd_cents(), 40);
    }
}
