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
    reading::{Reading, SeriesKind, increase, risen, values},
    term,
};
use crate::{Comparison, Scope, Selector, language::selector};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "metric",
    about: "By how much counters grow, or what gauges are: `metric.'hits_total{tier=\"memory\"}'`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\nmetric.cache_hits_total = \"> 0\"",
    needs: &[Need::Scrapes],
    judged: "Of a counter the increase between the scrapes at the scope's ends, restarts allowed for; of a gauge \
             the value in every scrape. With `after`, what is to be reached (`>`, `>=`) has to be reached within \
             that time. A series that no scrape has can't be judged.",
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
    service: String,
    selector: Selector,
    bound: Comparison<f64>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let selector = leaf.name_as(selector::read);
    let name = selector.as_ref().map_or("", |selector| selector.name.as_str()).to_owned();
    let (selector, bound) = selector.zip(leaf.metric(&name))?;
    Some(Arc::new(Metric { service: leaf.service().to_owned(), selector, bound }))
}

impl Subject for Metric {
    fn words(&self) -> String {
        format!("metric.{} {}", self.selector, self.bound)
    }

    fn scrapes(&self) -> Option<(&str, Vec<&Selector>)> {
        Some((&self.service, vec![&self.selector]))
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
        let kind = match evidence.readings.kind(0, &self.selector) {
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
            SeriesKind::Counter => counter(readings, from, to, &self.bound),
            SeriesKind::Gauge => {
                let scope: Vec<&Reading> = readings.iter().filter(|reading| reading.lies_within(from, to)).collect();
                gauge(&scope, &self.bound)
            }
        }
    }
}

/// Longer takes no edge at which no service is started.
const BRIEF: Duration = Duration::from_millis(100);

fn counter(readings: &[Reading], from: Duration, to: Duration, bound: &Comparison<f64>) -> Finding {
    // Inner scrapes alone miss what a fault does once and at once (a lost connection); outer ones alone would blame a
    // phase for what was before it. So the bound holds if it holds for a value in between.
    let least = match increase(readings, from, to) {
        Ok(least) => least,
        Err(unknown) => return unknown,
    };
    let most = risen(&values(readings.iter().filter(|reading| {
        reading.lies_within(from, to) || ([from, to].contains(&reading.at) && is_brief(readings, reading.at))
    })));
    let seen = if bound.holds(&least) || least.total_cmp(&most).is_eq() {
        format!("+{least}")
    } else {
        format!("+{least} to +{most}")
    };
    Finding::of(bound.holds_between(&least, &most), seen)
}

/// True if the scrapes of an edge were taken within a short time.
fn is_brief(readings: &[Reading], edge: Duration) -> bool {
    let taken = || readings.iter().filter(|reading| reading.at == edge).map(|reading| reading.taken);
    taken().max().zip(taken().min()).is_some_and(|(last, first)| last - first <= BRIEF)
}

fn gauge(scope: &[&Reading], bound: &Comparison<f64>) -> Finding {
    let values: Vec<(Duration, f64)> =
        scope.iter().filter_map(|reading| Some((reading.at, reading.value.as_ref().ok()?.as_ref()?.0))).collect();
    let (Some(low), Some(high)) =
        (values.iter().map(|v| v.1).reduce(f64::min), values.iter().map(|v| v.1).reduce(f64::max))
    else {
        return Finding::inconclusive("unknown", "no scrape of this window has it");
    };
    let seen = if (low - high).abs() < f64::EPSILON { low.to_string() } else { format!("{low} to {high}") };
    let seen = format!("{seen} in {} scrapes", values.len());
    let broken = values.iter().find(|(_, value)| !bound.holds(value));
    if broken.is_none() && values.len() < scope.len() {
        // It has to hold in every scrape, and of some nothing is known.
        return Finding::inconclusive(seen, missing(scope));
    }
    Finding::of(broken.is_none(), seen)
        .explained(|| broken.map(|(moment, value)| format!("the first, {}, was {value}", at(*moment))))
}

fn missing(scope: &[&Reading]) -> String {
    let why = scope.iter().find_map(|reading| match &reading.value {
        Err(why) => Some(format!("the scrape {} failed: {why}", at(reading.at))),
        Ok(None) => Some(format!("the scrape {} does not have it", at(reading.at))),
        Ok(Some(_)) => None,
    });
    why.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Verdict, check::reading::ScrapeSide};

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
            Reading { at, taken, side, value: Ok(Some((value, SeriesKind::Counter))) }
        };
        let readings: Vec<Reading> = all.map(reading).collect();
        let finding = counter(&readings, Duration::from_secs(1), Duration::from_secs(2), &bound);
        (finding.verdict, finding.seen)
    }

    fn judged(values: [f64; 4], bound: Comparison<f64>) -> (Verdict, String) {
        after(Duration::from_millis(5), values, bound)
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
