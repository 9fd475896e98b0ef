//! `metric.'cache_hits_total{tier="memory"}' = "> 0"`: a counter's increase within the scope, safe against
//! restarts; a gauge in every scrape of the scope.
//!
//! An edge takes milliseconds: a scrape, the change, a scrape. What a counter counted in between belongs to one
//! side of the change or to the other, and no scrape says to which. So an increase lies between two values, and a
//! bound holds if it holds for one of them or for one in between. Otherwise what happens once, and at once, would
//! be missed now and then. Where an edge takes longer, since a service starts there, what is counted meanwhile is
//! apart from either side, as requests are.

use super::{
    Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject,
    evidence::at,
    reading::{Asked, Reading, Rise, ScrapeSide, SeriesKind, not_known, rise, rise_within, total},
    term,
};
use crate::{Comparison, Scope, Selector, event::Sample, language::selector};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "metric",
    about: "By how much counters grow, or what gauges are: `metric.'hits_total{tier=\"memory\"}'`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\nmetric.cache_hits_total = \"> 0\"",
    needs: &[Need::Scrapes],
    judged: "Of a counter the increase between the scrapes at the scope's ends, of each series for itself, restarts \
             allowed for; of a gauge the value in every scrape, which may be `+Inf`; `NaN` is unknown. What has no type has to be said (`type = \"counter\"` or \
             `\"gauge\"`), unless its name ends in `_total`. With `after`, what is to be reached (`>`, `>=`) has to be reached within \
             that time. A series that is missing from a scrape is unknown there. \
             One that no scrape has is zero where its metric has other series, or with `absent = \"zero\"`; else it can't be \
             judged.",
    others: &[
        term("Prometheus", "increase()"),
        term("Chaos Toolkit", "steady-state-hypothesis"),
        term("Litmus", "promProbe"),
        term("Chaos Mesh", "StatusCheck"),
    ],
    from_the_end_on: false,
    condition: None,
    read,
};

/// A series, and the bound of its increase or of its value.
#[derive(Clone, Debug, PartialEq)]
struct Metric {
    asked: Asked,
    selector: Selector,
    bound: Comparison<f64>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let selector = leaf.name_as(selector::read);
    let name = selector.as_ref().map_or("", |selector| selector.name.as_str()).to_owned();
    let (selector, bound) = selector.zip(leaf.metric(&name))?;
    Some(Arc::new(Metric { asked: leaf.asked(), selector, bound }))
}

impl Subject for Metric {
    fn words(&self) -> String {
        format!("metric.{} {}", self.selector, self.bound.map(Sample))
    }

    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        Some((&self.asked.service, vec![&self.selector]))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        match place.scope {
            Scope::After { within, .. } if self.bound.wants_more() && within.is_zero() => {
                Some(Misplaced::new("nothing can be reached within 0s", "write `within = \"2s\"`"))
            }
            _ => place.counted_across(),
        }
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let asked = &self.asked;
        let kind = match evidence.readings.kind(0, &self.selector, asked) {
            Ok(kind) => kind,
            Err(unknown) => return unknown,
        };
        // `after … within 2s` with `> 0` asks for an increase within those two seconds; everything else must hold
        // from then on. So what has to be reached counts from the end of the fault, until it must be reached.
        let (from, to) = match evidence.within {
            Some(within) if self.bound.wants_more() => (evidence.from.saturating_sub(within), evidence.from),
            _ => (evidence.from, evidence.to),
        };
        let readings = evidence.readings.of(0);
        match kind {
            SeriesKind::Counter => counter(readings, from, to, &self.bound, asked),
            SeriesKind::Gauge | SeriesKind::Unknown => gauge(readings, from, to, &self.bound, asked),
        }
    }
}

/// Longer takes no edge at which no service is started.
const BRIEF: Duration = Duration::from_millis(100);

fn counter(readings: &[Reading], from: Duration, to: Duration, bound: &Comparison<f64>, asked: &Asked) -> Finding {
    // Inner scrapes alone miss what a fault does once and at once (a lost connection); outer ones alone would blame a
    // phase for what was before it. So the bound holds if it holds for a value in between.
    let inner = match rise_within(readings, from, to, asked) {
        Ok(inner) => inner,
        Err(unknown) => return around(readings, (from, to), bound, asked, unknown),
    };
    let brief = [from, to].map(|edge| (edge, is_brief(readings, edge)));
    let outer = rise(readings, asked, |reading| reading.lies_within(from, to) || brief.contains(&(reading.at, true)));
    let seen = match (inner.is_known() && outer.is_known(), bound.holds(&inner.least)) {
        (true, true) => inner.to_string(),
        _ => Rise { least: inner.least, most: outer.most }.to_string(),
    };
    let never = readings.iter().filter_map(|reading| reading.value.as_ref().ok()).all(|values| values.of.is_empty());
    let seen = if never { format!("{seen}, never seen") } else { seen };
    // Whatever a series did where it was not seen.
    let holds =
        [(inner.least, outer.least), (inner.most, outer.most)].map(|(low, high)| bound.holds_between(&low, &high));
    match holds {
        [true, true] => Finding::of(true, seen).standing(bound.margin(&inner.least, &inner.most)),
        _ if !bound.holds_between(&inner.least, &outer.most) => {
            Finding::of(false, seen).standing(bound.margin(&inner.least, &outer.most))
        }
        _ => Finding::inconclusive(seen, not_known(asked)),
    }
}

/// The increase where a scrape at an end is missing: at the least what scrapes well inside show, at the most what the nearest
/// ones around show. `unknown` says what is missing.
fn around(
    readings: &[Reading],
    (from, to): (Duration, Duration),
    bound: &Comparison<f64>,
    asked: &Asked,
    unknown: Finding,
) -> Finding {
    let inside = |reading: &Reading| reading.value.is_ok() && reading.lies_within(from, to) && reading.answered <= to;
    let least = rise(readings, asked, inside).least;
    let is_before = |reading: &Reading| {
        let is_at_once = reading.at == from && reading.side != ScrapeSide::After && !reading.is_slow();
        is_at_once || (reading.at < from && reading.answered <= from)
    };
    let is_after = |reading: &Reading| reading.at > to || (reading.at == to && reading.side != ScrapeSide::Before);
    let before = readings.iter().rposition(|reading| reading.value.is_ok() && is_before(reading));
    let after = readings.iter().position(|reading| reading.value.is_ok() && is_after(reading));
    let most = match (before, after) {
        (Some(before), Some(after)) => rise(&readings[before..=after], asked, |_| true).most,
        _ => f64::INFINITY,
    };
    let seen = Rise { least, most }.to_string();
    match (bound.holds_between(&least, &most), bound.holds_throughout(&least, &most)) {
        (false, _) => Finding::of(false, seen).standing(bound.margin(&least, &most)),
        (true, true) => Finding::of(true, seen).standing(bound.margin(&least, &most)),
        (true, false) => Finding { seen, ..unknown },
    }
}

/// True if the scrapes of an edge were taken within a short time.
fn is_brief(readings: &[Reading], edge: Duration) -> bool {
    let taken = || readings.iter().filter(|reading| reading.at == edge).map(|reading| reading.taken);
    taken().max().zip(taken().min()).is_some_and(|(last, first)| last - first <= BRIEF)
}

fn gauge(readings: &[Reading], from: Duration, to: Duration, bound: &Comparison<f64>, asked: &Asked) -> Finding {
    let scope: Vec<(&Reading, Option<f64>)> = readings
        .iter()
        .enumerate()
        .filter(|(_, reading)| reading.lies_within(from, to))
        .map(|(nth, reading)| (reading, total(readings, nth, asked)))
        .collect();
    let values: Vec<(Duration, f64)> =
        scope.iter().filter_map(|(reading, value)| Some((reading.at, (*value)?))).collect();
    let (Some(low), Some(high)) =
        (values.iter().map(|v| v.1).reduce(f64::min), values.iter().map(|v| v.1).reduce(f64::max))
    else {
        return Finding::inconclusive("unknown", missing(&scope));
    };
    let is_one = low.total_cmp(&high).is_eq() || (low - high).abs() < f64::EPSILON;
    let seen = if is_one { Sample(low).to_string() } else { format!("{} to {}", Sample(low), Sample(high)) };
    let seen = format!("{seen} in {} scrapes", values.len());
    let broken = values.iter().find(|(_, value)| !bound.holds(value));
    if broken.is_none() && values.len() < scope.len() {
        // It has to hold in every scrape, and of some nothing is known.
        return Finding::inconclusive(seen, missing(&scope));
    }
    Finding::of(broken.is_none(), seen)
        .standing(bound.margin(&low, &high))
        .explained(|| broken.map(|(moment, value)| format!("the first, {}, was {}", at(*moment), Sample(*value))))
}

/// The first scrape of which nothing is known, and why.
fn missing(scope: &[(&Reading, Option<f64>)]) -> String {
    let Some((reading, _)) = scope.iter().find(|(_, value)| value.is_none()) else {
        return "there is no scrape of this window".to_owned();
    };
    let at = at(reading.at);
    match &reading.value {
        Err(why) => format!("the scrape {at} failed: {why}"),
        Ok(values) if values.sum().is_none() => {
            format!("the scrape {at} has no number for it")
        }
        Ok(values) if values.of.is_empty() => format!("the scrape {at} does not have it"),
        Ok(_) => format!("the scrape {at} does not have all of it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Verdict,
        check::reading::{ScrapeSide, Values},
    };

    /// Readings at 0 s (of 0), 1 s, 2 s and 3 s (of 1000), with scrapes on each side of the edges at 1 s and 2 s, the
    /// second of which is taken so much later. Judged from 1 s to 2 s.
    fn after(took: Duration, values: [f64; 4], bound: Comparison<f64>) -> (Verdict, String) {
        let edges = [(1, ScrapeSide::Before), (1, ScrapeSide::After), (2, ScrapeSide::Before), (2, ScrapeSide::After)]
            .into_iter()
            .zip(values);
        let all = [((0, ScrapeSide::Both), 0.0)].into_iter().chain(edges).chain([((3, ScrapeSide::Both), 1000.0)]);
        let reading = |((at, side), value)| {
            let at = Duration::from_secs(at);
            let taken = if side == ScrapeSide::After { at + took } else { at };
            Reading { at, taken, answered: taken, side, value: Ok(Values::one(SeriesKind::Counter, value)) }
        };
        let readings: Vec<Reading> = all.map(reading).collect();
        let finding = counter(&readings, Duration::from_secs(1), Duration::from_secs(2), &bound, &Asked::default());
        (finding.verdict, finding.seen)
    }

    fn judged(values: [f64; 4], bound: Comparison<f64>) -> (Verdict, String) {
        after(Duration::from_millis(5), values, bound)
    }

    /// Readings each half second from 0 s on, of which some are missing (none) and one takes so long. Judged from 1 s to 2 s.
    fn with_gaps(values: [Option<f64>; 7], slow: Option<usize>, bound: Comparison<f64>) -> (Verdict, String) {
        let reading = |(n, value): (usize, Option<f64>)| {
            let at = Duration::from_millis(500) * u32::try_from(n).unwrap();
            let took = Duration::from_millis(if slow == Some(n) { 300 } else { 1 });
            let value = value.map(|value| Values::one(SeriesKind::Counter, value)).ok_or_else(|| "away".to_owned());
            Reading { at, taken: at, answered: at + took, side: ScrapeSide::Both, value }
        };
        let readings: Vec<Reading> = values.into_iter().enumerate().map(reading).collect();
        let finding = counter(&readings, Duration::from_secs(1), Duration::from_secs(2), &bound, &Asked::default());
        (finding.verdict, finding.seen)
    }

    #[test]
    fn an_edge_that_was_not_seen_leaves_what_holds_whatever_it_was() {
        let some = |values: [f64; 7]| values.map(Some);
        let mut values = some([0.0, 2.0, 4.0, 6.0, 8.0, 9.0, 12.0]);
        values[4] = None;
        let seen = "+2 to +5".to_owned();
        assert_eq!(with_gaps(values, None, Comparison::More(1.0)), (Verdict::Pass, seen.clone()));
        assert_eq!(with_gaps(values, None, Comparison::More(3.0)), (Verdict::Inconclusive, seen.clone()));
        assert_eq!(with_gaps(values, None, Comparison::More(5.0)), (Verdict::Fail, seen.clone()));
        assert_eq!(with_gaps(values, None, Comparison::AtMost(5.0)), (Verdict::Pass, seen));
        let slow = some([0.0, 2.0, 4.0, 6.0, 8.0, 9.0, 12.0]);
        // What it shows had been counted by then, and perhaps after the end.
        assert_eq!(with_gaps(slow, Some(4), Comparison::AtMost(4.0)), (Verdict::Pass, "+2 to +4".to_owned()));
        assert_eq!(with_gaps(slow, Some(4), Comparison::More(3.0)), (Verdict::Inconclusive, "+2 to +4".to_owned()));
        let mut nothing_behind = values;
        nothing_behind[5..].fill(None);
        let seen = "+2 or more".to_owned();
        assert_eq!(with_gaps(nothing_behind, None, Comparison::AtMost(9.0)), (Verdict::Inconclusive, seen));
    }

    #[test]
    fn what_is_counted_while_a_fault_is_applied_may_belong_to_it() {
        let more = Comparison::More(0.0);
        assert_eq!(judged([5.0, 6.0, 6.0, 6.0], more), (Verdict::Pass, "+0 to +1".to_owned()));
        assert_eq!(judged([5.0, 5.0, 5.0, 6.0], more), (Verdict::Pass, "+0 to +1".to_owned()));
        assert_eq!(judged([5.0, 6.0, 7.0, 7.0], more), (Verdict::Pass, "+1".to_owned()), "no need to say more");
        assert_eq!(judged([5.0, 5.0, 5.0, 5.0], more), (Verdict::Fail, "+0".to_owned()));
    }

    #[test]
    fn or_not() {
        assert_eq!(judged([5.0, 6.0, 6.0, 7.0], Comparison::AtMost(0.0)), (Verdict::Pass, "+0".to_owned()));
        assert_eq!(judged([5.0, 6.0, 7.0, 7.0], Comparison::AtMost(0.0)), (Verdict::Fail, "+1 to +2".to_owned()));
        assert_eq!(judged([5.0, 6.0, 6.0, 6.0], Comparison::Equal(1.0)), (Verdict::Pass, "+0 to +1".to_owned()));
        assert_eq!(judged([5.0, 6.0, 8.0, 9.0], Comparison::Equal(1.0)), (Verdict::Fail, "+2 to +4".to_owned()));
    }

    /// Readings at 0 s and at each second, of one series; none where a second has no number.
    fn of_one(values: &[Option<f64>], bound: Comparison<f64>, asked: &Asked) -> Finding {
        let reading = |(n, value): (usize, &Option<f64>)| {
            let at = Duration::from_secs(n as u64);
            let values = value.map_or_else(Values::default, |value| Values::one(SeriesKind::Counter, value));
            Reading { at, taken: at, answered: at, side: ScrapeSide::Both, value: Ok(values) }
        };
        let readings: Vec<Reading> = values.iter().enumerate().map(reading).collect();
        counter(&readings, Duration::from_secs(1), Duration::from_secs(3), &bound, asked)
    }

    #[test]
    fn what_a_series_did_while_it_was_missing_can_not_be_judged_where_it_matters() {
        let gap = [Some(5.0), Some(5.0), Some(6.0), None, Some(9.0)];
        let judged = |bound| {
            let finding = of_one(&gap, bound, &Asked::default());
            (finding.verdict, finding.seen)
        };
        assert_eq!(judged(Comparison::More(0.0)), (Verdict::Pass, "+1 to +4".to_owned()), "one is enough");
        assert_eq!(judged(Comparison::AtMost(2.0)).0, Verdict::Inconclusive);
        assert_eq!(judged(Comparison::Equal(3.0)).0, Verdict::Inconclusive, "it may be");
        assert_eq!(judged(Comparison::More(4.0)), (Verdict::Fail, "+1 to +4".to_owned()), "at the most");
    }

    #[test]
    fn what_was_never_seen_is_zero_where_the_scenario_says_so() {
        let lazy = [None, None, None, Some(2.0)];
        let more = Comparison::More(0.0);
        assert_eq!(of_one(&lazy, more, &Asked::default()).verdict, Verdict::Inconclusive);
        let zero = Asked { absent_is_zero: true, ..Asked::default() };
        assert_eq!(of_one(&lazy, more, &zero).seen, "+2");
        let never = of_one(&[None; 4], Comparison::Equal(0.0), &zero);
        assert_eq!((never.verdict, never.seen.as_str()), (Verdict::Pass, "+0, never seen"));
    }

    #[test]
    fn a_gauge_that_is_no_number_is_not_known() {
        let gauges = |values: &[f64]| {
            let reading = |(n, value): (usize, &f64)| {
                let at = Duration::from_secs(n as u64);
                Reading {
                    at,
                    taken: at,
                    answered: at,
                    side: ScrapeSide::Both,
                    value: Ok(Values::one(SeriesKind::Gauge, *value)),
                }
            };
            let readings: Vec<Reading> = values.iter().enumerate().map(reading).collect();
            gauge(&readings, Duration::ZERO, Duration::from_secs(2), &Comparison::Less(5.0), &Asked::default())
        };
        assert_eq!(gauges(&[1.0, 2.0, 1.0]).verdict, Verdict::Pass);
        let nan = gauges(&[1.0, f64::NAN, 1.0]);
        assert_eq!(
            (nan.verdict, nan.note.as_deref()),
            (Verdict::Inconclusive, Some("the scrape at 1.00s has no number for it"))
        );
        assert_eq!(gauges(&[1.0, f64::NAN, 7.0]).verdict, Verdict::Fail, "whatever the other was");
        let infinite = gauges(&[1.0, f64::INFINITY, 1.0]);
        assert_eq!((infinite.verdict, infinite.seen.as_str()), (Verdict::Fail, "1 to +Inf in 3 scrapes"));
        assert_eq!(gauges(&[f64::NEG_INFINITY; 3]).seen, "-Inf in 3 scrapes");
    }

    #[test]
    fn but_not_while_a_service_starts() {
        let starts = Duration::from_secs(1);
        assert_eq!(after(starts, [5.0, 6.0, 6.0, 7.0], Comparison::More(0.0)), (Verdict::Fail, "+0".to_owned()));
        assert_eq!(after(starts, [5.0, 6.0, 8.0, 9.0], Comparison::More(1.0)), (Verdict::Pass, "+2".to_owned()));
    }

    #[test]
    fn a_restart_at_an_edge_counts_what_is_there_since() {
        assert_eq!(judged([500.0, 2.0, 5.0, 5.0], Comparison::More(4.0)), (Verdict::Pass, "+3 to +5".to_owned()));
        assert_eq!(judged([500.0, 2.0, 5.0, 5.0], Comparison::More(5.0)), (Verdict::Fail, "+3 to +5".to_owned()));
    }
}
