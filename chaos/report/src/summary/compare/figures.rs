//! Figures of phases and faults, in two worlds: differences beyond their margins.

use super::{Difference, Weight, times};
use chaos_model::{
    Event, Record, Share,
    event::{Fired, PhaseFigures},
    quantity::show_duration,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Standard errors, or deviations, that chance may explain.
const MARGIN: f64 = 3.0;
/// Latencies that are less apart are the same: a simulation counts in whole milliseconds, and computes in no time.
const LATENCY: Duration = Duration::from_millis(10);
/// Ages are told in seconds.
const AGE: Duration = Duration::from_secs(1);
/// The factor by which figures differ that depend on the machine as well.
const FACTOR: u32 = 2;

/// Adds what differs; gives how many figures do not.
pub(super) fn compare(runs: [&[Record]; 2], differences: &mut Vec<Difference>) -> usize {
    let mut fold = Fold { differences, within: 0 };
    let [first, second] = runs.map(phases);
    for one in &first {
        if let Some(other) = second.iter().find(|other| other.phase == one.phase) {
            fold.phase([one, other]);
        }
    }
    let [first, second] = runs.map(fired);
    for (fault, one) in &first {
        if let Some(other) = second.get(fault) {
            fold.fault(fault, [one, other]);
        }
    }
    fold.within
}

fn phases(records: &[Record]) -> Vec<&PhaseFigures> {
    let figures = records.iter().filter_map(|record| match &record.event {
        Event::Phase(figures) => Some(figures),
        _ => None,
    });
    figures.collect()
}

/// Counts of what each fault did, all the times that it was there.
fn fired(records: &[Record]) -> BTreeMap<&str, Fired> {
    let mut all = BTreeMap::<&str, Fired>::new();
    for record in records {
        if let Event::FaultRemoved { fault, fired, .. } = &record.event {
            *all.entry(fault).or_default() += *fired;
        }
    }
    all
}

struct Fold<'a> {
    differences: &'a mut Vec<Difference>,
    within: usize,
}

impl Fold<'_> {
    fn phase(&mut self, both: [&PhaseFigures; 2]) {
        let phase = &both[0].phase;
        let mut share = |what: &str, parts: [u64; 2]| {
            let whole = both.map(|figures| figures.arrivals);
            self.share(&format!("{phase}: {what}"), [0, 1].map(|n| Share { parts: parts[n], whole: whole[n] }));
        };
        let available = both.map(|figures| figures.availability().parts);
        share("available", available);
        for status in both.iter().flat_map(|figures| figures.statuses.keys()).collect::<BTreeSet<_>>() {
            let counts = both.map(|figures| figures.statuses.get(status).copied().unwrap_or(0));
            // What is said already.
            if counts != available {
                share(&format!("status {status}"), counts);
            }
        }
        for reason in both.iter().flat_map(|figures| figures.unanswered.keys()).collect::<BTreeSet<_>>() {
            let what = format!("no response ({reason})");
            share(&what, both.map(|figures| figures.unanswered.get(reason).copied().unwrap_or(0)));
        }
        share("partial", both.map(|figures| figures.partial.unwrap_or_default()));
        share("stale", both.map(|figures| figures.stale.unwrap_or_default()));
        share("not made", both.map(|figures| figures.missed));
        // The plan's, which both worlds draw: only those at the edges of a phase are counted apart or not.
        self.count(&format!("{phase}: requests"), both.map(|figures| figures.arrivals + figures.straddled), false);
        self.count(&format!("{phase}: steps not reached"), both.map(|figures| figures.not_reached), false);
        let latencies = both.map(|figures| figures.latency);
        if let [Some(one), Some(other)] = latencies {
            self.time(&format!("{phase}: p50"), [one.p50, other.p50], LATENCY);
            self.time(&format!("{phase}: p99"), [one.p99, other.p99], LATENCY);
        }
        let oldest = both.map(|figures| figures.oldest.unwrap_or_default());
        self.time(&format!("{phase}: oldest response"), oldest, AGE);
    }

    fn fault(&mut self, fault: &str, both: [&Fired; 2]) {
        let mut count = |what: &str, pick: fn(&Fired) -> u64, of_the_machine: bool| {
            self.count(&format!("{fault}: {what}"), both.map(pick), of_the_machine);
        };
        count("messages", |fired| fired.messages, false);
        count("actions on services", |fired| fired.services, false);
        // Pools, retries and the cutting of streams decide these as well.
        count("bystanders", |fired| fired.bystanders, true);
        count("throttled", |fired| fired.throttled, true);
        count("connections", |fired| fired.connections, true);
        count("chunks", |fired| fired.chunks, true);
        count("resets", |fired| fired.resets, true);
        count("closes", |fired| fired.closes, true);
        count("refused", |fired| fired.refused, true);
        count("dropped", |fired| fired.dropped, true);
        count("spared", |fired| fired.spared.least(), true);
        // However few: one that fired in one world alone was not the same fault.
        if both[0].any() != both[1].any() {
            let seen = both.map(|fired| if fired.any() { "fired" } else { "never fired" }.to_owned());
            self.differ(Weight::Count, fault.to_owned(), seen, String::new());
        }
    }

    fn share(&mut self, what: &str, both: [Share; 2]) {
        let difference = (both[0].as_f64() - both[1].as_f64()).abs();
        if difference <= MARGIN * standard_error(both) {
            self.within += usize::from(both.iter().any(|share| share.parts > 0));
            return;
        }
        let seen = both.map(|share| format!("{share} ({} of {})", share.parts, share.whole));
        self.differ(Weight::Share, what.to_owned(), seen, format!("{:.1} points", difference * 100.0));
    }

    fn count(&mut self, what: &str, [one, other]: [u64; 2], of_the_machine: bool) {
        let (less, more) = (one.min(other), one.max(other));
        let chance = as_f64(more - less) <= MARGIN * as_f64(one + other).sqrt();
        if chance || (of_the_machine && more <= less * u64::from(FACTOR)) {
            self.within += usize::from(more > 0);
            return;
        }
        let seen = [one, other].map(|count| count.to_string());
        self.differ(Weight::Count, what.to_owned(), seen, format!("{} more", more - less));
    }

    fn time(&mut self, what: &str, both: [Duration; 2], least: Duration) {
        let (less, more) = (both[0].min(both[1]), both[0].max(both[1]));
        if more - less <= least || more <= less * FACTOR {
            self.within += usize::from(!more.is_zero());
            return;
        }
        self.differ(Weight::Time, what.to_owned(), both.map(show_duration), times(both));
    }

    fn differ(&mut self, weight: Weight, what: String, seen: [String; 2], by: String) {
        self.differences.push(Difference { weight, what, seen, by });
    }
}

/// The standard error of the difference of two shares that are samples of one: of the pooled share.
fn standard_error([one, other]: [Share; 2]) -> f64 {
    if one.whole == 0 || other.whole == 0 {
        // Nothing was asked: there is no share to differ.
        return f64::INFINITY;
    }
    // Pooled, since the question is whether both could be samples of one share.
    let pooled = as_f64(one.parts + other.parts) / as_f64(one.whole + other.whole);
    (pooled * (1.0 - pooled) * (1.0 / as_f64(one.whole) + 1.0 / as_f64(other.whole))).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differences(compare: impl FnOnce(&mut Fold<'_>)) -> Vec<String> {
        let mut differences = Vec::new();
        compare(&mut Fold { differences: &mut differences, within: 0 });
        differences.into_iter().map(|difference| difference.by).collect()
    }

    fn share(one: (u64, u64), other: (u64, u64)) -> Vec<String> {
        let both = [one, other].map(|(parts, whole)| Share { parts, whole });
        differences(|fold| fold.share("x", both))
    }

    #[test]
    fn shares_differ_beyond_three_standard_errors() {
        // Of 800 each, around a half, the standard error is 2.5 points.
        assert_eq!(share((400, 800), (341, 800)), [""; 0]);
        assert_eq!(share((400, 800), (340, 800)), ["7.5 points"]);
        // Some of each may be nobody's fault, none against nine isn't chance.
        assert_eq!(share((0, 800), (8, 800)), [""; 0]);
        assert_eq!(share((0, 800), (9, 800)), ["1.1 points"]);
        assert_eq!(share((0, 0), (10, 10)), [""; 0], "of nothing there is no share");
        assert_eq!(share((800, 800), (800, 800)), [""; 0]);
    }

    #[test]
    fn counts_differ_beyond_chance_and_those_of_the_machine_by_a_factor_besides() {
        let count = |both, of_the_machine| differences(|fold| fold.count("x", both, of_the_machine));
        assert_eq!(count([100, 142], false), [""; 0]);
        assert_eq!(count([100, 160], false), ["60 more"]);
        assert_eq!(count([160, 100], true), [""; 0]);
        assert_eq!(count([201, 100], true), ["101 more"]);
        assert_eq!(count([0, 9], true), [""; 0]);
        assert_eq!(count([0, 10], true), ["10 more"]);
    }

    #[test]
    fn latencies_differ_by_a_factor_and_by_more_than_the_clocks_do() {
        let ms = Duration::from_millis;
        let time = |one, other| differences(|fold| fold.time("x", [ms(one), ms(other)], LATENCY));
        assert_eq!(time(0, 10), [""; 0]);
        assert_eq!(time(0, 11), ["11ms more"]);
        assert_eq!(time(200, 390), [""; 0]);
        assert_eq!(time(200, 410), ["2.0 times"]);
        assert_eq!(time(410, 20), ["20 times"]);
    }
}
