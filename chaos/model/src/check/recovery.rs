//! `recovery.time = "< 2s"`: from when a fault was taken back until responses were, and stayed, as good as in the
//! baseline.

use super::{Arrival, Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject, evidence::at, term};
use crate::{Comparison, Scope, ledger::Recovery, quantity::show_duration, responses::ways_to_be_bad};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "recovery",
    about: "The time until responses are as in the baseline, and stay so: `recovery.time`.",
    shape: Shape::Named(&[("time", "< 2s")]),
    example: "after = \"outage\"\nrecovery.time = \"< 2s\"",
    needs: &[Need::Faults],
    judged: "A response is bad if it failed (none, or none that is good), was partial or stale, as far as the \
             system's `[responses]` says what that is. The time ends with the \
             first moment from which on, until the next fault or the end, the share of bad ones is at most the \
             baseline's: what was seen there, and the most that it may be, give the longest and the shortest time, and it \
             holds or fails by both, or can't be said. Where nothing was bad beyond the baseline, there is nothing to recover \
             from, and it can't be said.",
    others: &[
        term("SRE", "time to recover"),
        term("SRE", "MTTR"),
        term("Chaos Toolkit", "steady state after rollback"),
    ],
    from_the_end_on: true,
    condition: None,
    read,
};

/// The reason why the time may be shorter than it looks.
const CHANCE: &str = "so few responses were bad in the end that it may be chance, as in the baseline";

/// The time to recover, and its bound.
#[derive(Clone, Debug, PartialEq)]
struct RecoveryTime(Comparison<Duration>);

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    leaf.only_name("time")?;
    Some(Arc::new(RecoveryTime(leaf.time_to_keep()?)))
}

impl Subject for RecoveryTime {
    fn words(&self) -> String {
        format!("recovery.time {}", self.0.map(show_duration))
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        match place.scope {
            Scope::After { .. } => None,
            Scope::During(_) | Scope::Across(_) => {
                let advice = format!("say `after = \"{}\"`", place.some_fault());
                Some(Misplaced::new("the time to recover counts from the end of a fault", advice))
            }
        }
    }

    /// Bad ones, and the later the more.
    fn against(&self, arrival: &Arrival) -> Option<Duration> {
        arrival.is_bad().then_some(arrival.at)
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let Some(seen) = &evidence.fault else { return Finding::of_nothing() };
        let last_bad = || seen.last_bad.map(show);
        match seen.recovery {
            Recovery::After { took } => {
                let least = seen.at_least.unwrap_or(took).min(took);
                let shown =
                    if least == took { show_duration(took) } else { [least, took].map(show_duration).join(" to ") };
                let finding = Finding::between(&self.0, (&least, &took), shown, || CHANCE.to_owned());
                Finding { weighed: false, ..finding }.explained(last_bad)
            }
            Recovery::NotWithin { left } => {
                let shown = format!("not in the {} that were left", show_duration(left));
                match seen.at_least {
                    Some(least) if self.0.holds(&least) => {
                        Finding::inconclusive(format!("{}, or {shown}", show_duration(least)), CHANCE)
                    }
                    _ => Finding::of(false, shown).explained(last_bad),
                }
            }
            Recovery::Unnoticed => {
                let ways = ways_to_be_bad(evidence.markers);
                let why = match seen.uncharged {
                    Some(uncharged) => format!("`{}`: {uncharged}", seen.fault.name),
                    None => format!("no response {ways} because of `{}`", seen.fault.name),
                };
                Finding::inconclusive("nothing to recover from", why)
            }
            Recovery::NoRequests => Finding::inconclusive("no requests", "no request belongs to this window"),
        }
    }
}

fn show(last: Arrival) -> String {
    let came = match last.result {
        Ok(_) if !last.good => last.came(),
        Ok(_) if last.partial => "had a partial response".to_owned(),
        Ok(_) => "had a stale response".to_owned(),
        Err(_) => last.came(),
    };
    format!("the last, request {} {}, {came}", last.request(), at(last.at))
}
