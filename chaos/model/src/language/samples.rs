//! Refuses figures for which there can't be enough samples: a p99 of 20 requests is their maximum by another name.

use super::{expect::Against, findings::Findings};
use crate::{Arrivals, Check, Diagnostic, Fault, Phase, Scope, Subject, quantity::show_duration};

/// Refuses latencies of windows in which too few requests are due, and what must be reached in no time.
pub(crate) fn check(checks: &[Check], scope: &Scope, against: &Against<'_>, findings: &Findings) {
    for check in checks {
        match (&check.subject, scope) {
            (Subject::Latency(quantile, _), _) => {
                let (Some(phase), Some(rate)) = (judged(scope, against), against.load.rate) else { continue };
                let length = phase.to.saturating_sub(phase.from);
                let poisson = against.load.load.as_ref().is_none_or(|load| load.arrivals == Arrivals::Poisson);
                let (due, least) = (rate.in_time(length), quantile.least_samples());
                let enough = |least: u64| due >= if poisson { with_margin(least) } else { least };
                if !enough(least) {
                    let length = show_duration(length);
                    let message = if due < least {
                        format!("{quantile} takes {least} requests, and {due} are due in {length} at {rate}")
                    } else {
                        format!(
                            "{quantile} takes {least} requests, and of Poisson arrivals, some {due} in {length} at \
                             {rate}, it may be fewer"
                        )
                    };
                    let fitting = [99_900, 99_000, 95_000, 90_000, 50_000].map(crate::Quantile::Percentile);
                    let fitting = fitting.into_iter().find(|quantile| enough(quantile.least_samples()));
                    let advice = match fitting {
                        Some(fitting) => format!("raise the rate, look at a longer window, or compare {fitting}"),
                        None => "raise the rate or look at a longer window".to_owned(),
                    };
                    findings.add(Diagnostic::new(check.span.clone(), message).advice(advice));
                }
            }
            (Subject::Metric { bound, .. }, Scope::After { within, .. }) if bound.wants_more() && within.is_zero() => {
                let message = "nothing can be reached within 0s";
                findings.add(Diagnostic::new(check.span.clone(), message).advice("write `within = \"2s\"`"));
            }
            _ => {}
        }
    }
}

/// The number that must be due for at least so many to come: four standard deviations more, so that one seed in
/// 30,000 has fewer.
fn with_margin(least: u64) -> u64 {
    // A maximum or mean needs one, and no margin makes that surer.
    if least == 1 { 1 } else { least + 4 * (least + 4).isqrt() }
}

/// The window that is judged, if it is known.
pub(crate) fn judged(scope: &Scope, against: &Against<'_>) -> Option<Phase> {
    let timeline = against.timeline?;
    match scope {
        Scope::During(name) => timeline.phase(name).cloned().or_else(|| window(name)),
        // How many are under way, nobody knows beforehand.
        Scope::Across(_) => None,
        Scope::After { fault, within } => {
            let faults: Vec<Fault> = against.faults.iter().filter_map(|read| read.fault.clone()).collect();
            let fault = faults.iter().find(|known| known.name == *fault)?;
            Some(timeline.after(fault, *within, &faults))
        }
    }
}

/// A window reads as what it is.
fn window(name: &str) -> Option<Phase> {
    let (from, to) = name.split_once("..")?;
    let (from, to) = (super::quantity::duration(from).ok()?, super::quantity::duration(to).ok()?);
    Some(Phase { name: name.to_owned(), kind: crate::PhaseKind::Window, from, to })
}
