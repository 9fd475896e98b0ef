//! `ready.gateway = "== 100%"`: the share of probes, one a second, that found a service ready.

use super::{Evidence, Finding, Leaf, Misplaced, Need, Place, Row, Shape, Subject, evidence::at, term};
use crate::{Comparison, Share, quantity::show_duration};
use std::{sync::Arc, time::Duration};

pub(super) const ROW: Row = Row {
    key: "ready",
    about: "The share of probes that found a service ready: `ready.gateway = \">= 100%\"`. It is asked once a second, past \
            any proxy.",
    shape: Shape::Named(&[]),
    example: "during = \"outage\"\nready.gateway = \">= 100%\"",
    needs: &[Need::Probes],
    judged: "A probe asks as at the start: `ready` of the service, else by its protocol, where an accepted connection may be \
             all that can be known. One that isn't answered in a second (a command: in five) found it not ready. A probe belongs to a scope if \
             it began and ended within it. Only services that are named so are probed.",
    others: &[
        term("Kubernetes", "readinessProbe"),
        term("Kubernetes", "livenessProbe"),
        term("Compose", "service_healthy"),
        term("Litmus", "httpProbe"),
        term("Prometheus", "up"),
    ],
    from_the_end_on: false,
    condition: None,
    read,
};

/// The time between the beginnings of two probes of a service.
pub const PROBE_EVERY: Duration = Duration::from_secs(1);

/// A service, and the bound of the share of probes that find it ready.
#[derive(Clone, Debug, PartialEq)]
struct Ready {
    service: String,
    bound: Comparison<Share>,
}

fn read(leaf: &Leaf<'_>) -> Option<Arc<dyn Subject>> {
    let service = leaf.known_service();
    let bound = leaf.share();
    Some(Arc::new(Ready { service: service?, bound: bound? }))
}

impl Subject for Ready {
    fn words(&self) -> String {
        format!("ready.{} {}", self.service, self.bound)
    }

    fn probes(&self) -> Option<&str> {
        Some(&self.service)
    }

    fn misplaced(&self, place: &Place<'_>) -> Option<Misplaced> {
        place.counted_across().or_else(|| {
            let window = place.window()?;
            let lasts = window.to.saturating_sub(window.from);
            (lasts < PROBE_EVERY).then(|| {
                let message = format!("a service is probed once a second, and this lasts {}", show_duration(lasts));
                Misplaced::new(message, "look at a longer window")
            })
        })
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Finding {
        let inside = |begins: Duration, ends: Duration| begins >= evidence.from && ends < evidence.to;
        let probes = evidence.probes.iter().filter(|probe| inside(probe.at, probe.at + probe.took));
        let (ready, not): (Vec<_>, Vec<_>) = probes.partition(|probe| probe.why.is_none());
        let (parts, whole) = (ready.len() as u64, (ready.len() + not.len()) as u64);
        if whole == 0 {
            let why = format!("no probe of {} began and ended in this window", self.service);
            return Finding::inconclusive("no probes", why);
        }
        let share = Share { parts, whole };
        let seen = format!("{share} ({parts} of {whole} probes)");
        Finding::by(&self.bound, &share, seen).explained(|| {
            let first = not.first()?;
            Some(format!("the first that did not, {}: {}", at(first.at), first.why.as_deref()?))
        })
    }
}
