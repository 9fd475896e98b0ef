//! Latencies: from the intended start to the last byte. Arrivals without a response count as the client's timeout, since
//! that is how long a client would have waited; leaving them out would flatter the slowest.

use super::{Finding, Window, at};
use chaos_model::{Comparison, Quantile, quantity::show_duration};
use std::time::Duration;

/// Judges one figure of the latencies.
pub(super) fn judge(
    window: &Window<'_>,
    quantile: Quantile,
    bound: &Comparison<Duration>,
    timeout: Duration,
) -> Finding {
    let latencies = sorted(window, timeout);
    let samples = latencies.len() as u64;
    let Some(seen) = figure(&latencies, quantile) else {
        return Finding::inconclusive("no requests", "no request belongs to this window");
    };
    if samples < quantile.least_samples() {
        let why = format!("{quantile} takes at least {} requests", quantile.least_samples());
        return Finding::inconclusive(format!("{} of {samples} requests", show_duration(seen)), why);
    }
    Finding::of(bound.holds(&seen), show_duration(seen)).explained(|| slowest(window, timeout))
}

/// The latencies of a window, the smallest first.
pub(crate) fn sorted(window: &Window<'_>, timeout: Duration) -> Vec<Duration> {
    let mut latencies: Vec<_> = window.arrivals.iter().map(|(_, outcome)| latency(outcome, timeout)).collect();
    latencies.sort_unstable();
    latencies
}

fn latency(outcome: &chaos_load::Outcome, timeout: Duration) -> Duration {
    let took = outcome.ended.saturating_sub(outcome.intended);
    if outcome.result.is_ok() { took } else { took.max(timeout) }
}

/// The percentile by nearest rank, in thousandths of a percent; none of nothing.
pub(crate) fn percentile(sorted: &[Duration], thousandths: u32) -> Option<Duration> {
    let rank = (sorted.len() as u64 * u64::from(thousandths)).div_ceil(100_000).max(1);
    sorted.get(usize::try_from(rank - 1).ok()?).copied()
}

fn figure(sorted: &[Duration], quantile: Quantile) -> Option<Duration> {
    match quantile {
        Quantile::Percentile(thousandths) => percentile(sorted, thousandths),
        Quantile::Max => sorted.last().copied(),
        Quantile::Mean => {
            let count = u32::try_from(sorted.len()).ok().filter(|count| *count > 0)?;
            Some(sorted.iter().sum::<Duration>() / count)
        }
    }
}

fn slowest(window: &Window<'_>, timeout: Duration) -> Option<String> {
    let (moment, outcome) = window.arrivals.iter().max_by_key(|(_, outcome)| latency(outcome, timeout))?;
    let came = outcome.result.as_ref().map_or_else(ToString::to_string, |status| format!("{status}"));
    let took = show_duration(latency(outcome, timeout));
    Some(format!("the slowest, request {} {}, took {took} ({came})", outcome.n, at(*moment)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        let ms = |thousandths| percentile(&sorted, thousandths).unwrap().as_millis();
        assert_eq!((ms(50_000), ms(99_000), ms(99_900), ms(100_000), ms(0)), (100, 198, 200, 200, 1));
        assert_eq!(percentile(&[], 50_000), None);
        assert_eq!(figure(&sorted, Quantile::Mean), Some(Duration::from_micros(100_500)));
    }
}
