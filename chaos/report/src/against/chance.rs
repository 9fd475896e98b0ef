//! Chance: how likely two samples of one kind differ as much as these.

use chaos_model::Share;

/// The chance of a false alarm in a comparison of two runs, of all that is compared in it together.
pub(super) const FALSE_ALARMS: f64 = 1e-4;

/// Which of these differences no chance explains, where all of them together may be one false alarm in [`FALSE_ALARMS`]
/// (S. Holm, A simple sequentially rejective multiple test procedure, 1979): the least likely of `n` has to be rarer than an
/// `n`th of it, the next than an `n - 1`th, until one is not.
pub(super) fn beyond(chances: &[f64]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|one, other| chances[*one].total_cmp(&chances[*other]));
    let mut beyond = vec![false; chances.len()];
    for (nth, at) in order.into_iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some dozens")]
        let left = (chances.len() - nth) as f64;
        if chances[at] * left > FALSE_ALARMS {
            break;
        }
        beyond[at] = true;
    }
    beyond
}

/// The chance that two samples of one share differ as much as these, in either direction: Fisher's exact test, twice the smaller
/// tail. It is never below the truth, also where there are next to none of something.
pub(super) fn of_shares(both: [Share; 2]) -> f64 {
    let [one, other] = both.map(|share| Share { parts: share.parts.min(share.whole), ..share });
    if one.whole == 0 || other.whole == 0 {
        return 1.0;
    }
    let (more, less) = if one.as_f64() >= other.as_f64() { (one, other) } else { (other, one) };
    let parts = more.parts.saturating_add(less.parts);
    let whole = more.whole.saturating_add(less.whole);
    let first = ln_choose(more.whole, more.parts) + ln_choose(less.whole, less.parts) - ln_choose(whole, parts);
    (2.0 * first.exp() * tail(more, less, parts)).min(1.0)
}

/// The sum of the chances from what was seen on, over that of what was seen.
fn tail(more: Share, less: Share, parts: u64) -> f64 {
    /// Terms are added one by one up to here; what is left is less than the geometric series that it begins like.
    const TERMS: u64 = 20_000;
    let (mut term, mut sum) = (1.0_f64, 1.0_f64);
    let last = parts.min(more.whole);
    let end = last.min(more.parts.saturating_add(TERMS));
    for there in more.parts..end {
        let elsewhere = parts - there;
        let left = as_f64(less.whole.saturating_sub(elsewhere)) + 1.0;
        let ratio = as_f64(elsewhere) * as_f64(more.whole - there) / (as_f64(there) + 1.0) / left;
        term *= ratio;
        sum += term;
        if term < sum * 1e-12 {
            break;
        }
        if there + 1 == end && end < last && ratio < 1.0 {
            sum += term * ratio / (1.0 - ratio);
        }
    }
    sum
}

fn ln_choose(whole: u64, parts: u64) -> f64 {
    ln_factorial(whole) - ln_factorial(parts) - ln_factorial(whole.saturating_sub(parts))
}

/// The logarithm of `n!`; from 20 on by Stirling's series, to twelve digits.
fn ln_factorial(n: u64) -> f64 {
    if n < 20 {
        return (2..=n).map(|factor| as_f64(factor).ln()).sum();
    }
    let n = as_f64(n);
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + series
}

/// Events that come at once, at least 1: by how much more the difference of two runs varies from window to window than it
/// would if each event came by itself (J. Rao and A. Scott, A simple method for the analysis of clustered binary data, 1992).
/// What both runs do at the same time is no such variation, nor is a difference that is there all the time.
pub(super) fn at_once(windows: &[[Share; 2]]) -> f64 {
    let told: Vec<_> = windows.iter().filter(|[one, other]| one.whole > 0 && other.whole > 0).collect();
    if told.len() < 2 {
        return 1.0;
    }
    let weight = |[one, other]: &[Share; 2]| {
        let (one, other) = (as_f64(one.whole), as_f64(other.whole));
        one * other / (one + other)
    };
    let apart = |[one, other]: &[Share; 2]| one.as_f64() - other.as_f64();
    let weights: f64 = told.iter().map(|pair| weight(pair)).sum();
    let mean = told.iter().map(|pair| weight(pair) * apart(pair)).sum::<f64>() / weights;
    let varies: f64 = told.iter().map(|pair| weight(pair) * (apart(pair) - mean).powi(2)).sum();
    let expected = |[one, other]: &[Share; 2]| {
        let pooled = as_f64(one.parts + other.parts) / as_f64(one.whole + other.whole);
        pooled * (1.0 - pooled)
    };
    let expected: f64 = told.iter().map(|pair| expected(pair)).sum();
    #[expect(clippy::cast_precision_loss, reason = "some dozens")]
    let windows = told.len() as f64;
    if expected <= 0.0 { 1.0 } else { (varies * windows / (windows - 1.0) / expected).max(1.0) }
}

/// The share as if so many events were one.
pub(super) fn thinned(share: Share, at_once: f64) -> Share {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at_once is at least 1")]
    let thin = |count: u64| (as_f64(count) / at_once).floor() as u64;
    Share { parts: thin(share.parts), whole: thin(share.whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share((parts, whole): (u64, u64)) -> Share {
        Share { parts, whole }
    }

    fn chance(one: (u64, u64), other: (u64, u64)) -> f64 {
        of_shares([share(one), share(other)])
    }

    fn about(seen: f64, expected: f64) {
        assert!((seen / expected - 1.0).abs() < 1e-6, "{seen} for {expected}");
    }

    /// By hand, and by R's `fisher.test(alternative = "greater")` times two.
    #[test]
    fn chances_are_exact() {
        about(chance((0, 10), (10, 10)), 2.0 / 184_756.0);
        about(chance((3, 4), (1, 4)), 2.0 * 17.0 / 70.0);
        about(chance((1, 4), (3, 4)), 2.0 * 17.0 / 70.0);
        about(chance((0, 1_000_000), (20, 1_000_000)), 2.0 * 0.5_f64.powi(20) * 0.999_905);
        assert!((chance((500, 1000), (500, 1000)) - 1.0).abs() < f64::EPSILON);
        assert!((chance((0, 0), (10, 10)) - 1.0).abs() < f64::EPSILON, "of nothing there is no share");
        assert!((chance((12, 10), (10, 10)) - 1.0).abs() < f64::EPSILON, "a recording may say anything");
        // Where many are marked, it is what the normal distribution says: five standard errors.
        let far = chance((500_000, 1_000_000), (503_536, 1_000_000));
        assert!((5.0e-7..6.5e-7).contains(&far), "{far}");
    }

    #[test]
    fn the_more_is_compared_the_rarer_it_has_to_be() {
        assert_eq!(beyond(&[5e-5]), [true]);
        assert_eq!(beyond(&[5e-5, 1.0, 1.0]), [false, false, false]);
        assert_eq!(beyond(&[5e-5, 1e-9, 1.0]), [true, true, false], "what is explained no longer counts");
        assert_eq!(beyond(&[]), [false; 0]);
    }

    #[test]
    fn what_comes_at_once_counts_once() {
        let windows = |one: &[u64], other: &[u64]| {
            let pairs = one.iter().zip(other);
            pairs.map(|(one, other)| [share((*one, 200)), share((*other, 200))]).collect::<Vec<_>>()
        };
        let none = [0; 8];
        assert!((at_once(&windows(&none, &[5, 4, 6, 5, 5, 4, 6, 5])) - 1.0).abs() < f64::EPSILON);
        let bursts = at_once(&windows(&none, &[0, 0, 20, 0, 0, 20, 0, 0]));
        assert!((12.0..25.0).contains(&bursts), "{bursts}");
        assert_eq!(thinned(share((40, 1600)), 20.0).parts, 2);
        // What both do at the same time is how the scenario goes.
        assert!(at_once(&windows(&[0, 0, 150, 0], &[0, 0, 155, 0])) < 1.1);
        assert!((at_once(&windows(&[7], &[3])) - 1.0).abs() < f64::EPSILON);
        assert!((at_once(&windows(&none, &none)) - 1.0).abs() < f64::EPSILON);
    }
}
