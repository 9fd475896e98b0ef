//! Quantities with their units, and comparisons with them.

use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, fmt, time::Duration};

/// A share as an exact ratio, so that `>= 99.9%` of 1,000 means 999 and no rounding decides.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Share {
    /// The part.
    pub parts: u64,
    /// The whole; a share of nothing compares as 0.
    pub whole: u64,
}

impl Share {
    /// All.
    pub const ALL: Self = Self { parts: 1, whole: 1 };

    /// The share as a number between 0 and 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn as_f64(self) -> f64 {
        if self.whole == 0 { 0.0 } else { self.parts as f64 / self.whole as f64 }
    }
}

/// Decimals of a percentage that any share which is not all or nothing differs in from both: 1 of 2^64 is 5.4e-18
/// percent.
const MOST_DECIMALS: u32 = 19;

impl Share {
    /// Percent by two significant digits of what is between it and the end that it is near to. In whole numbers, since
    /// a floating-point number has no digits left for it near 100.
    fn near_an_end(self) -> String {
        let (parts, whole) = (u128::from(self.parts), u128::from(self.whole));
        let gap = parts.min(whole.saturating_sub(parts));
        let (mut decimals, mut one_percent) = (0, 1_u128);
        // The division is by digits: a product of all of them is too large for the smallest shares.
        let (mut digits, mut rest) = (gap * 100 / whole, gap * 100 % whole);
        while digits < 10 && decimals < MOST_DECIMALS {
            digits = digits * 10 + rest * 10 / whole;
            rest = rest * 10 % whole;
            one_percent *= 10;
            decimals += 1;
        }
        digits += u128::from(rest * 2 >= whole);
        let percent = if gap == parts { digits } else { 100 * one_percent - digits };
        let (before, after) = (percent / one_percent, percent % one_percent);
        let text = format!("{before}.{after:0width$}", width = decimals as usize);
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl PartialEq for Share {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Share {}

impl PartialOrd for Share {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Share {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: &Self, b: &Self| u128::from(a.parts) * u128::from(b.whole.max(1));
        cross(self, other).cmp(&cross(other, self))
    }
}

/// Percent with as many decimals as it takes to tell it from 0 % and 100 %: `99.95%`, `100%`, `0.00000034%`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.parts == self.whole && self.whole > 0 {
            return f.write_str("100%");
        }
        if self.whole == 0 {
            return f.write_str("0%");
        }
        let percent = self.as_f64() * 100.0;
        for decimals in 0..=3 {
            let text = format!("{percent:.decimals$}");
            let rounded: f64 = text.parse().unwrap_or(percent);
            let shows_an_end = (rounded == 0.0 && self.parts > 0) || (rounded == 100.0 && self.parts < self.whole);
            if !shows_an_end && ((rounded - percent).abs() < 0.005 || decimals >= 2) {
                return write!(f, "{text}%");
            }
        }
        f.write_str(&self.near_an_end())
    }
}

/// A rate, as an exact ratio: `200/s`, `30/min`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The number of times …
    pub times: u64,
    /// … in this time.
    #[serde(rename = "per_us", with = "crate::micros")]
    pub per: Duration,
}

impl Rate {
    /// Events a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "rates stay far below 2^52")]
    pub fn per_second(self) -> f64 {
        self.times as f64 / self.per.as_secs_f64()
    }

    /// The number that are due in `time`, rounded down.
    #[must_use]
    pub fn in_time(self, time: Duration) -> u64 {
        let due = u128::from(self.times) * time.as_nanos() / self.per.as_nanos().max(1);
        u64::try_from(due).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.per.as_secs() {
            60 => write!(f, "{}/min", self.times),
            3600 => write!(f, "{}/h", self.times),
            _ => write!(f, "{}/s", self.times),
        }
    }
}

/// A comparison with a bound, as `< 50ms`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison<T> {
    /// `< x`
    Less(T),
    /// `<= x`
    AtMost(T),
    /// `> x`
    More(T),
    /// `>= x`
    AtLeast(T),
    /// `== x`
    Equal(T),
    /// `!= x`
    Different(T),
    /// `x..y`, both included.
    Between(T, T),
}

impl<T: PartialOrd> Comparison<T> {
    /// True if it holds for what was seen.
    pub fn holds(&self, seen: &T) -> bool {
        match self {
            Self::Less(bound) => seen < bound,
            Self::AtMost(bound) => seen <= bound,
            Self::More(bound) => seen > bound,
            Self::AtLeast(bound) => seen >= bound,
            Self::Equal(bound) => seen == bound,
            Self::Different(bound) => seen != bound,
            Self::Between(low, high) => seen >= low && seen <= high,
        }
    }

    /// True if it holds for some value from `least` to `most`, both included: for what is known no better.
    pub fn holds_between(&self, least: &T, most: &T) -> bool {
        match self {
            Self::Less(_) | Self::AtMost(_) => self.holds(least),
            Self::More(_) | Self::AtLeast(_) => self.holds(most),
            Self::Equal(bound) => least <= bound && bound <= most,
            Self::Different(_) => self.holds(least) || self.holds(most),
            Self::Between(low, high) => least <= high && low <= most,
        }
    }

    /// True if it holds for every value from `least` to `most`, both included.
    pub fn holds_throughout(&self, least: &T, most: &T) -> bool {
        match self {
            Self::Less(_) | Self::AtMost(_) => self.holds(most),
            Self::More(_) | Self::AtLeast(_) => self.holds(least),
            Self::Equal(bound) => least == bound && most == bound,
            Self::Different(bound) => bound < least || most < bound,
            Self::Between(low, high) => low <= least && most <= high,
        }
    }

    /// True if it asks for something to be reached (`>`, `>=`), rather than kept.
    #[must_use]
    pub fn wants_more(&self) -> bool {
        matches!(self, Self::More(_) | Self::AtLeast(_))
    }

    /// The same comparison of something else.
    #[must_use]
    pub fn map<U>(self, mut convert: impl FnMut(T) -> U) -> Comparison<U> {
        match self {
            Self::Less(bound) => Comparison::Less(convert(bound)),
            Self::AtMost(bound) => Comparison::AtMost(convert(bound)),
            Self::More(bound) => Comparison::More(convert(bound)),
            Self::AtLeast(bound) => Comparison::AtLeast(convert(bound)),
            Self::Equal(bound) => Comparison::Equal(convert(bound)),
            Self::Different(bound) => Comparison::Different(convert(bound)),
            Self::Between(low, high) => Comparison::Between(convert(low), convert(high)),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Comparison<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Less(bound) => write!(f, "< {bound}"),
            Self::AtMost(bound) => write!(f, "<= {bound}"),
            Self::More(bound) => write!(f, "> {bound}"),
            Self::AtLeast(bound) => write!(f, ">= {bound}"),
            Self::Equal(bound) => write!(f, "== {bound}"),
            Self::Different(bound) => write!(f, "!= {bound}"),
            Self::Between(low, high) => write!(f, "{low}..{high}"),
        }
    }
}

/// A duration as people write it: `1.5s`, `200ms`, `3.25ms`, `80us`; three significant digits at the most below a
/// second. From ten minutes on, whole hours and minutes are written so: `24h`, `90min`.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    let trimmed = |value: f64, unit: &str| {
        let decimals = if value >= 100.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        let text = format!("{value:.decimals$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        format!("{text}{unit}")
    };
    let micros = duration.as_secs_f64() * 1e6;
    if micros == 0.0 {
        "0s".to_owned()
    } else if micros < 999.5 {
        trimmed(micros, "us")
    } else if micros < 999_500.0 {
        trimmed(micros / 1e3, "ms")
    } else {
        // What rounding makes whole is whole.
        match duration.as_secs().saturating_add(u64::from(duration.subsec_millis() >= 500)) {
            seconds if seconds < 600 => trimmed(micros / 1e6, "s"),
            seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => format!("{}min", seconds / 60),
            seconds => format!("{seconds}s"),
        }
    }
}

/// A number of bytes as short as it is exact: `512B`, `64KiB`, `1.5MiB`.
#[must_use]
pub fn show_bytes(bytes: u64) -> String {
    for (unit, factor) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        // Halves are written as such; what has more digits is better read in a smaller unit.
        if bytes >= factor && bytes.is_multiple_of(factor / 2) {
            let half = if bytes.is_multiple_of(factor) { "" } else { ".5" };
            return format!("{}{half}{unit}", bytes / factor);
        }
    }
    format!("{bytes}B")
}

/// A duration as the language reads it again, to the nanosecond: `1500ms`, `0.5us`.
pub(crate) fn write_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    for (unit, size) in [("s", 1_000_000_000), ("ms", 1_000_000)] {
        if nanos.is_multiple_of(size) {
            return format!("{}{unit}", nanos / size);
        }
    }
    format!("{}us", without_zeros(&format!("{}.{:03}", nanos / 1000, nanos % 1000)))
}

/// A share as the language reads it again: percent, to as many decimals as that takes.
pub(crate) fn write_share(share: Share) -> String {
    // Of a percent. Shares of scenarios have no more than nine decimals, so that they come back as they were.
    const BILLION: u128 = 1_000_000_000;
    let billionths = u128::from(share.parts) * 100 * BILLION / u128::from(share.whole.max(1));
    format!("{}%", without_zeros(&format!("{}.{:09}", billionths / BILLION, billionths % BILLION)))
}

/// A decimal number without zeros at its end.
fn without_zeros(number: &str) -> &str {
    number.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_shown_as_an_end_that_it_is_not() {
        let shown = |parts, whole| Share { parts, whole }.to_string();
        assert_eq!(shown(0, 3), "0%");
        assert_eq!(shown(1, 0), "0%", "a share of nothing compares as 0");
        assert_eq!(shown(1, 3), "33.33%");
        assert_eq!(shown(1, 100_000), "0.001%");
        assert_eq!(shown(4, 1_000_000), "0.0004%");
        assert_eq!(shown(34, 10_000_000_000), "0.00000034%");
        assert_eq!(shown(9_999_999_997, 10_000_000_000), "99.99999997%");
        assert_eq!(shown(1, 3_000_000_000), "0.000000033%");
        assert_eq!(shown(1, u64::MAX), "0.0000000000000000054%");
        assert_eq!(shown(u64::MAX - 1, u64::MAX), "99.9999999999999999946%");
        assert_eq!(shown(u64::MAX, u64::MAX), "100%");
    }

    #[test]
    fn between_two_values_a_bound_is_tried_on_all() {
        let bounds = |bound| {
            let one = [Comparison::Less, Comparison::AtMost, Comparison::More, Comparison::AtLeast];
            let other = [Comparison::Equal, Comparison::Different, |low| Comparison::Between(low, low + 1)];
            one.into_iter().chain(other).map(move |comparison| comparison(bound))
        };
        let ranges = || (0..6).flat_map(|least| (least..6).map(move |most| (least, most)));
        for bound in (0..6).flat_map(bounds) {
            for (least, most) in ranges() {
                let one_does = (least..=most).any(|value| bound.holds(&value));
                assert_eq!(bound.holds_between(&least, &most), one_does, "{bound:?} {least} to {most}");
                let all_do = (least..=most).all(|value| bound.holds(&value));
                assert_eq!(bound.holds_throughout(&least, &most), all_do, "{bound:?} {least} to {most}");
            }
        }
    }
}
