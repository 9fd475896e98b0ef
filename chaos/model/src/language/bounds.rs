//! Comparisons that say nothing: those that can never hold are refused, those that can't fail are warned of.

use super::findings::Wrong;
use crate::{Comparison, Share, event::Sample, quantity::show_duration};
use std::{fmt, time::Duration};

/// A comparison that can hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bound<T> {
    pub(crate) comparison: Comparison<T>,
    /// The words for one that can't fail.
    pub(crate) idle: Option<Wrong>,
}

impl<T> Bound<T> {
    /// The comparison.
    ///
    /// # Errors
    /// It can't fail.
    pub(crate) fn that_can_fail(self) -> Result<Comparison<T>, Wrong> {
        self.idle.map_or(Ok(self.comparison), Err)
    }
}

impl<T: PartialOrd> Bound<T> {
    fn map<U>(self, map: impl FnMut(T) -> U) -> Bound<U> {
        Bound { comparison: self.comparison.map(map), idle: self.idle }
    }
}

/// Refuses a comparison of a share that never holds.
pub(crate) fn check_share(comparison: Comparison<Share>) -> Result<Bound<Share>, Wrong> {
    let none = Share { parts: 0, whole: 1 };
    check(comparison, &none, &Share::ALL, "a share lies between 0% and 100%")
}

/// Refuses a comparison of a latency that never holds: an arrival without response counts as the `timeout`.
pub(crate) fn check_latency(comparison: Comparison<Duration>, timeout: Duration) -> Result<Bound<Duration>, Wrong> {
    let why = format!("a latency lies between 0s and the client's timeout, {}", show_duration(timeout));
    match comparison {
        Comparison::Equal(exactly) | Comparison::Different(exactly) => {
            let (low, high) = (show_duration(exactly.mul_f64(0.9)), show_duration(exactly.mul_f64(1.1)));
            let message = "no latency is ever exactly that";
            return Err(Wrong::new(message).advice(format!("give it room: `{low}..{high}`")));
        }
        _ => {}
    }
    check(comparison.map(Shown), &Shown(Duration::ZERO), &Shown(timeout), &why).map(|bound| bound.map(|shown| shown.0))
}

/// Refuses a comparison of a time without an upper limit that never holds.
pub(crate) fn check_time(comparison: Comparison<Duration>) -> Result<Bound<Duration>, Wrong> {
    let why = "a time is never below 0s";
    check(comparison.map(Shown), &Shown(Duration::ZERO), &Shown(Duration::MAX), why)
        .map(|bound| bound.map(|shown| shown.0))
}

/// Refuses a comparison of calls over first attempts that never holds.
pub(crate) fn check_amplification(comparison: Comparison<f64>) -> Result<Bound<f64>, Wrong> {
    check(comparison, &1.0, &f64::INFINITY, "there are never fewer calls than first attempts")
}

/// Refuses a comparison of a number of calls that never holds.
pub(crate) fn check_calls(comparison: Comparison<f64>) -> Result<Bound<f64>, Wrong> {
    check(comparison, &0.0, &f64::INFINITY, "there are never fewer than 0 calls")
}

/// Refuses a comparison of a metric that never holds. Only what is called as a counter is known not to fall.
pub(crate) fn check_metric(comparison: Comparison<f64>, name: &str) -> Result<Bound<f64>, Wrong> {
    let counter = ["_total", "_count", "_bucket"].iter().any(|end| name.ends_with(end));
    if counter && is_infinite(comparison) {
        return Err(Wrong::new(format!("`{}` is no increase", comparison.map(Sample))).advice("a counter's is finite"));
    }
    let low = if counter { 0.0 } else { f64::NEG_INFINITY };
    let why = if counter { "a counter's increase is never below 0" } else { "a gauge lies between `-Inf` and `+Inf`" };
    check(comparison.map(Sample), &Sample(low), &Sample(f64::INFINITY), why).map(|bound| bound.map(|sample| sample.0))
}

fn is_infinite(comparison: Comparison<f64>) -> bool {
    match comparison.map(f64::is_infinite) {
        Comparison::Between(low, high) => low || high,
        Comparison::Less(bound)
        | Comparison::AtMost(bound)
        | Comparison::More(bound)
        | Comparison::AtLeast(bound)
        | Comparison::Equal(bound)
        | Comparison::Different(bound) => bound,
    }
}

/// Refuses a comparison of a number in a body or a header that never holds.
pub(crate) fn check_number(comparison: Comparison<f64>) -> Result<Bound<f64>, Wrong> {
    check(comparison, &f64::NEG_INFINITY, &f64::INFINITY, "a range goes from the lower to the higher")
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_duration(self.0))
    }
}

fn check<T: PartialOrd + fmt::Display>(
    comparison: Comparison<T>,
    low: &T,
    high: &T,
    why: &str,
) -> Result<Bound<T>, Wrong> {
    let backwards = matches!(&comparison, Comparison::Between(from, to) if from > to);
    let never = match &comparison {
        Comparison::Less(x) => x <= low,
        Comparison::AtMost(x) => x < low,
        Comparison::More(x) => x >= high,
        Comparison::AtLeast(x) => x > high,
        Comparison::Equal(x) => x < low || x > high,
        Comparison::Different(_) => false,
        Comparison::Between(from, to) => from > to || from > high || to < low,
    };
    let always = match &comparison {
        Comparison::Less(x) => x > high,
        Comparison::AtMost(x) => x >= high,
        Comparison::More(x) => x < low,
        Comparison::AtLeast(x) => x <= low,
        Comparison::Equal(_) => false,
        Comparison::Different(x) => x < low || x > high,
        Comparison::Between(from, to) => from <= low && to >= high,
    };
    match (&comparison, never) {
        (Comparison::Between(from, to), _) if backwards => {
            Err(Wrong::new(format!("`{comparison}` can never hold")).advice(format!("did you mean `{to}..{from}`?")))
        }
        (_, true) => Err(Wrong::new(format!("`{comparison}` can never hold")).advice(why)),
        _ => {
            let words = || Wrong::new(format!("`{comparison}` can't fail, so it shows nothing")).advice(why);
            let idle = always.then(words);
            Ok(Bound { comparison, idle })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words for a comparison that says nothing.
    fn words<T: fmt::Debug>(bound: Result<Bound<T>, Wrong>) -> Option<String> {
        bound.map_or_else(Some, |bound| bound.idle).map(|wrong| wrong.message)
    }

    #[test]
    fn shares_at_the_ends() {
        let percent = |parts| Share { parts, whole: 100 };
        for never in [
            Comparison::Less(percent(0)),
            Comparison::More(percent(100)),
            Comparison::AtLeast(percent(101)),
            Comparison::Equal(percent(101)),
            Comparison::Between(percent(20), percent(10)),
        ] {
            assert!(check_share(never).unwrap_err().message.ends_with("can never hold"));
        }
        for idle in [
            Comparison::AtLeast(percent(0)),
            Comparison::AtMost(percent(100)),
            Comparison::Between(percent(0), percent(100)),
        ] {
            let bound = check_share(idle).unwrap();
            assert!(bound.idle.as_ref().unwrap().message.ends_with("can't fail, so it shows nothing"));
            bound.that_can_fail().unwrap_err();
        }
        for good in [
            Comparison::Less(percent(1)),
            Comparison::AtMost(percent(0)),
            Comparison::Equal(percent(0)),
            Comparison::Equal(percent(100)),
            Comparison::Different(percent(100)),
            Comparison::AtLeast(percent(100)),
            Comparison::Between(percent(0), percent(10)),
        ] {
            assert_eq!(check_share(good).unwrap().that_can_fail(), Ok(good));
        }
    }

    #[test]
    fn latencies_beyond_the_timeout_say_nothing() {
        let (second, two) = (Duration::from_secs(1), Duration::from_secs(2));
        assert!(words(check_latency(Comparison::Less(two), second)).is_some());
        check_latency(Comparison::More(two), second).unwrap_err();
        check_latency(Comparison::Less(Duration::ZERO), second).unwrap_err();
        check_latency(Comparison::Equal(second), two).unwrap_err();
        assert_eq!(words(check_latency(Comparison::Less(second), second)), None);
    }

    #[test]
    fn a_gauge_may_be_negative_and_a_counter_not() {
        assert_eq!(words(check_metric(Comparison::Less(0.0), "temperature")), None);
        check_metric(Comparison::Less(0.0), "hits_total").unwrap_err();
        assert!(words(check_metric(Comparison::AtLeast(0.0), "hits_total")).is_some());
        check_metric(Comparison::Between(2.0, 1.0), "temperature").unwrap_err();
    }

    #[test]
    fn a_gauge_may_be_infinite_and_a_counter_not() {
        for bound in [Comparison::Equal, Comparison::Different] {
            for infinite in [f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(check_metric(bound(infinite), "limit").unwrap().that_can_fail(), Ok(bound(infinite)));
                check_metric(bound(infinite), "hits_total").unwrap_err();
            }
        }
        for good in [
            Comparison::Less(f64::INFINITY),
            Comparison::AtLeast(f64::INFINITY),
            Comparison::Between(5.0, f64::INFINITY),
        ] {
            assert_eq!(words(check_metric(good, "limit")), None);
        }
        for (never, bad) in [
            (true, Comparison::More(f64::INFINITY)),
            (true, Comparison::Less(f64::NEG_INFINITY)),
            (false, Comparison::AtMost(f64::INFINITY)),
            (false, Comparison::AtLeast(f64::NEG_INFINITY)),
        ] {
            let told = words(check_metric(bad, "limit")).unwrap();
            assert!(told.contains("Inf") && told.contains("never") == never, "{told}");
        }
    }
}
