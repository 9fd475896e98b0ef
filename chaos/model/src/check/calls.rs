//! `calls.'shop -> stock GET /stock/*' = "<= 1.1 per request"`: how many messages of a kind came to a link from its callers,
//! by the counts of its proxies. A message counts when its head has come, whatever becomes of it: it is a call of its caller.
//!
//! Counts are read at the edges of the timeline, and at each second. A reading that comes late, or not at all, leaves a range:
//! the bound has to hold, or not to hold, for all of it.

use super::{Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject, evidence::at, term};
use crate::{
    Comparison,
    calls::{CallReading, Calls, Per},
    language::calls,
};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "calls",
    about: "Calls on a link, by its proxies' counts: `calls.'shop -> stock' = \"<= 1.1 per request\"`, or of one kind: \
            `calls.'shop -> stock GET /stock/*'`, `calls.'shop -> redis GET'`.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\ncalls.'gateway -> user-service' = \"<= 1.1 per request\"",
    needs: &[Need::Calls],
    judged: "A request counts when its head has come to the proxy, a command when it has come whole, whatever faults do to \
             it then; one that got no connection does not. `per request`: over the requests of the load that were due in the \
             scope and made (with `of`, those of that name). `<= 120/s`: in any second of the scope. Without either: in all \
             of it. Kinds have `*` for what names one thing among many, and no query; `*` in a key stands for anything. Where \
             a count is missing or late, the bound has to hold for all that it may have been.",
    others: &[
        term("Istio", "istio_requests_total"),
        term("Linkerd", "request_total"),
        term("Envoy", "upstream_rq_total"),
        term("caches", "hit ratio"),
    ],
    from_the_end_on: true,
    condition: None,
    read,
};

/// Calls on a link, and the bound of their number.
#[derive(Clone, Debug, PartialEq)]
struct CallsOnLink {
    calls: Calls,
    bound: Comparison<f64>,
    per: Per,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let calls = leaf.name_as(|key| calls::read(key, leaf.against.system));
    let (bound, per) = leaf.calls()?;
    Some(Arc::new(CallsOnLink { calls: calls?, bound, per }))
}

impl Subject for CallsOnLink {
    fn words(&self) -> String {
        let per = match self.per {
            Per::Scope => "",
            Per::Request => " per request",
            Per::Second => "/s",
        };
        format!("calls.'{}' {}{per}", self.calls, self.bound)
    }

    fn calls(&self) -> Option<&Calls> {
        Some(&self.calls)
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        if place.of.is_some() && self.per != Per::Request {
            let message = "`of` means some of the requests, and calls are counted for all";
            return Some(Misplaced::new(message, "compare them `per request`, or take `of` away"));
        }
        let short = || place.lasts_less_than_a_second("a rate").filter(|_| self.per == Per::Second);
        place.counted_across().or_else(short)
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        match self.per {
            Per::Scope => self.in_all(evidence, 1),
            Per::Request if evidence.made == 0 => {
                Finding::inconclusive("no requests", "no request of the load was made in this window")
            }
            Per::Request => self.in_all(evidence, evidence.made),
            Per::Second => self.at_the_peak(evidence),
        }
    }
}

impl CallsOnLink {
    /// Judges the number within the scope, over so many.
    fn in_all(&self, evidence: &Evidence<'_>, over: u64) -> Finding {
        let Evidence { calls: readings, from, to, .. } = *evidence;
        let (Some(first), Some(last)) = (at_edge(readings, from), at_edge(readings, to)) else {
            return Finding::inconclusive("unknown", missing(readings, from, to));
        };
        let least = last.least.saturating_sub(first.most.unwrap_or(u64::MAX));
        let most = last.most.zip(Some(first.least)).map(|(last, first)| last.saturating_sub(first));
        let (low, high) = (ratio(least, over), most.map_or(f64::INFINITY, |most| ratio(most, over)));
        let calls = range(least, most);
        let seen = match self.per {
            Per::Request if most == Some(least) => format!("{low:.2} per request ({calls} for {over})"),
            Per::Request if high.is_finite() => format!("{low:.2} to {high:.2} per request ({calls} for {over})"),
            Per::Request => format!("{low:.2} or more per request ({calls} for {over})"),
            Per::Scope | Per::Second => calls,
        };
        self.between((low, high), seen, || unsure(&last, from, to))
    }

    /// Judges the highest number in any second of the scope.
    fn at_the_peak(&self, evidence: &Evidence<'_>) -> Finding {
        let within = |reading: &&CallReading| evidence.from <= reading.at && reading.answered <= evidence.to + PROMPT;
        let readings: Vec<CallReading> = evidence.calls.iter().filter(within).copied().collect();
        let rate = |calls: u64, from: &CallReading, to: &CallReading| {
            ratio(calls, 1) / to.answered.saturating_sub(from.answered).as_secs_f64()
        };
        let window = |start: usize| {
            let first = &readings[start];
            let last = readings[start + 1..].iter().find(|last| last.answered >= first.answered + WINDOW)?;
            let least = last.least.saturating_sub(first.most.unwrap_or(u64::MAX));
            let most = last.most.map_or(f64::INFINITY, |most| rate(most.saturating_sub(first.least), first, last));
            Some((rate(least, first, last), most, first.at))
        };
        let windows: Vec<(f64, f64, Duration)> = (0..readings.len()).filter_map(window).collect();
        let low = windows.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        let high = windows.iter().map(|window| window.1).max_by(f64::total_cmp);
        let (Some((low, _, when)), Some(high)) = (low, high) else {
            return Finding::inconclusive("unknown", "there are no two counts a second apart");
        };
        let seen = if high.is_finite() { format!("{low:.0}/s") } else { format!("{low:.0}/s or more") };
        let unread = || "bytes came on the link that its protocol's reader does not understand".to_owned();
        self.between((*low, high), seen, unread).explained(|| Some(format!("the peak was {}", at(*when))))
    }

    fn between(&self, (low, high): (f64, f64), seen: String, why: impl FnOnce() -> String) -> Finding {
        // Calls that a pressed machine made its callers repeat are not weighed here.
        Finding { weighed: false, ..Finding::between(&self.bound, (&low, &high), seen, why) }
    }
}

/// A reading that is asked for at an edge is there as soon; one that takes longer tells of a later moment.
const PROMPT: Duration = Duration::from_millis(20);

/// Peaks are those of a second: from count to count, which are due each second and asked for a little early or late.
const WINDOW: Duration = Duration::from_millis(950);

/// The calls by a moment: at the least those of the reading before it, at the most those of the one behind it. None where there
/// is no reading behind it.
fn at_edge(readings: &[CallReading], moment: Duration) -> Option<CallReading> {
    let is_early = |reading: &CallReading| reading.at + Duration::from_millis(1) < moment;
    let mut behind = readings.iter().filter(|reading| !is_early(reading));
    let next = behind.next()?;
    if next.answered <= moment + PROMPT {
        return Some(*next);
    }
    let before = readings.iter().rev().find(|reading| reading.answered <= moment);
    Some(CallReading { least: before.map_or(0, |before| before.least), ..*next })
}

#[expect(clippy::cast_precision_loss, reason = "no run makes 2^53 calls")]
fn ratio(calls: u64, over: u64) -> f64 {
    calls as f64 / over as f64
}

fn range(least: u64, most: Option<u64>) -> String {
    match most {
        Some(most) if most == least => least.to_string(),
        Some(most) => format!("{least} to {most}"),
        None => format!("{least} or more"),
    }
}

fn missing(readings: &[CallReading], from: Duration, to: Duration) -> String {
    let edge = if at_edge(readings, from).is_none() { from } else { to };
    format!("proxies told no count {}, nor behind it", at(edge))
}

fn unsure(last: &CallReading, from: Duration, to: Duration) -> String {
    if last.most.is_some() {
        format!("proxies told their counts late {} or {}", at(from), at(to))
    } else {
        "bytes came on the link that its protocol's reader does not understand".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn reading((at, answered, count): (u64, u64, u64)) -> CallReading {
        CallReading { at: ms(at), answered: ms(answered), least: count, most: Some(count) }
    }

    fn edge(readings: &[(u64, u64, u64)], moment: u64) -> Option<(u64, Option<u64>)> {
        let readings: Vec<CallReading> = readings.iter().copied().map(reading).collect();
        at_edge(&readings, ms(moment)).map(|reading| (reading.least, reading.most))
    }

    #[test]
    fn a_count_at_an_edge_is_exact_and_a_late_one_leaves_a_range() {
        let prompt = [(0, 0, 0), (1000, 1000, 10), (2000, 2001, 20)];
        assert_eq!(edge(&prompt, 1000), Some((10, Some(10))));
        assert_eq!(edge(&prompt, 2000), Some((20, Some(20))));
        assert_eq!(edge(&prompt, 1500), Some((10, Some(20))), "in between");
        let late = [(0, 0, 0), (1000, 1000, 10), (2000, 2100, 25), (3000, 3000, 30)];
        assert_eq!(edge(&late, 2000), Some((10, Some(25))));
        let given_up = [(0, 0, 0), (1000, 1000, 10), (3000, 3000, 30)];
        assert_eq!(edge(&given_up, 2000), Some((10, Some(30))));
        assert_eq!(edge(&given_up, 4000), None);
        assert_eq!(edge(&[(500, 500, 3)], 0), Some((0, Some(3))), "none before the first");
    }
}
