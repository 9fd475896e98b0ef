//! Decimal numbers as JSON writes them, compared exactly: a float no longer tells 9007199254740993 from its neighbour, and
//! doesn't know 0.1 at all.
//!
//! Own code, since libraries for such numbers bring them to a common scale to compare them, and `1e999999999` in a response
//! would take a gigabyte.

use std::cmp::Ordering;

/// A decimal number of any size: zero, or ±0.d₁d₂… × 10^exponent with d₁ and the last digit not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The number that a text is, as JSON, TOML and floats in programs write it; none for what is no number, or has an
    /// exponent that no computer knows.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (sign, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let Some(first) = all.iter().position(|digit| *digit != b'0') else {
            return Some(Self { negative: false, digits: Vec::new(), exponent: 0 });
        };
        let last = all.iter().rposition(|digit| *digit != b'0')?;
        let point = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(first).ok()?)?;
        Some(Self { negative: sign, digits: all[first..=last].to_vec(), exponent: exponent.checked_add(point)? })
    }

    /// The number as which a scenario's bound was written: the shortest that a float is read from. None for what is not finite.
    pub(super) fn of(bound: f64) -> Option<Self> {
        Self::parse(&bound.to_string())
    }

    /// Where it lies without its sign, larger ones later.
    fn magnitude(&self) -> (bool, i64, &[u8]) {
        (!self.digits.is_empty(), self.exponent, &self.digits)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude().cmp(&other.magnitude()),
            (true, true) => other.magnitude().cmp(&self.magnitude()),
            (negative, _) => {
                if negative {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn numbers_are_equal_however_they_are_written() {
        for (one, other) in [
            ("1", "1.0"),
            ("100", "1e2"),
            ("-0.0", "0"),
            ("0e99", "-0"),
            ("0.0025", "2.5E-3"),
            ("1200", "0.12e+4"),
            ("007", "7"),
            ("+.5", "0.50"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
            ("1e9000000000000000000", "10e8999999999999999999"),
        ] {
            assert_eq!(of(one), of(other), "{one} and {other}");
        }
    }

    #[test]
    fn neighbours_that_a_float_takes_for_one_are_told_apart() {
        let ascending = [
            "-1e400",
            "-2",
            "-1.5",
            "-0.1000000000000000001",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "0.1000000000000000001",
            "0.3",
            "9007199254740992",
            "9007199254740993",
            "123456789012345678901234567890",
            "123456789012345678901234567891",
            "1e400",
        ];
        for pair in ascending.windows(2) {
            assert!(of(pair[0]) < of(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in
            ["", "-", ".", "e5", "1e", "1e1.5", "1_000", "0x10", "inf", "NaN", "1 ", "--1", "1e99999999999999999999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!((Decimal::of(f64::NAN), Decimal::of(f64::INFINITY)), (None, None));
        assert_eq!((Decimal::of(0.1), Decimal::of(-0.0)), (Some(of("0.1")), Some(of("0"))));
    }

    proptest! {
        #[test]
        fn it_orders_as_whole_numbers_do(one in any::<i64>(), other in any::<i64>(), zeros in 0_usize..5) {
            let written = format!("{other}.{}", "0".repeat(zeros));
            prop_assert_eq!(of(&one.to_string()).cmp(&of(written.trim_end_matches('.'))), one.cmp(&other));
        }

        #[test]
        fn it_orders_as_floats_do(one in -1e9..1e9_f64, other in -1e9..1e9_f64) {
            prop_assert_eq!(Decimal::of(one).cmp(&Decimal::of(other)), one.total_cmp(&other));
        }
    }
}
