//! Faults of one service take turns: what is gone can't be frozen, and what was started again can't be started once
//! more.

use super::{document::Table, fault::FaultRead, findings::Findings};
use crate::{
    Diagnostic, Fault, ServiceName, Span,
    effect::action::ServiceAction::{self, Flush, Kill, Limit, Pause, Restart, Stop},
    quantity::show_duration,
};
use std::time::Duration;

/// A fault of a service, and what it does to that.
#[derive(Clone, Copy)]
struct OfService<'a> {
    services: &'a [ServiceName],
    fault: &'a Fault,
    action: ServiceAction,
    table: &'a Table,
}

/// Refuses faults of one service that get in each other's way.
pub(super) fn check(tables: &[&Table], read: &[FaultRead], findings: &Findings) {
    let of_service = |(table, read)| OfService::new(table, read);
    let faults: Vec<OfService<'_>> = tables.iter().copied().zip(read).filter_map(of_service).collect();
    // What two of them at once come to depends on which one ends first, and a service that one has started again is not
    // what the other says that it is.
    for (n, later) in faults.iter().enumerate() {
        for earlier in faults[..n].iter().filter(|earlier| earlier.meets(later)) {
            // Where both begin at once, the one that stands later in the file is told of.
            let met = [(earlier, later), (later, earlier)];
            let met = met.into_iter().filter_map(|(there, comes)| Some((comes.comes_within(there)?, there, comes)));
            if let Some((at, there, comes)) = met.min_by_key(|(at, ..)| *at) {
                findings.add(refusal(at, there, comes));
            }
        }
    }
}

impl<'a> OfService<'a> {
    fn new(table: &'a Table, read: &'a FaultRead) -> Option<Self> {
        let fault = read.fault.as_ref()?;
        let services = fault.on.services();
        Some(Self { services, fault, action: fault.effect.action().service?, table })
    }

    /// True where both may be on one service. Which replicas one is on that is for some of them, is drawn for each run.
    fn meets(&self, other: &Self) -> bool {
        self.services.iter().any(|service| other.services.contains(service))
    }

    /// The first moment at which it comes while another is there that leaves no room for it.
    fn comes_within(&self, other: &Self) -> Option<Duration> {
        leaves_no_room(other.action, self.action).then(|| begins_within(self.fault, other.fault))?
    }

    fn begins(&self) -> Span {
        self.table.get("at").map_or_else(|| self.table.span.clone(), |entry| entry.value.span.clone())
    }
}

/// True if nothing of the second kind can be done to a service while one of the first is there.
fn leaves_no_room(there: ServiceAction, comes: ServiceAction) -> bool {
    match (there, comes) {
        (Stop | Kill | Pause | Restart, Stop | Kill | Pause | Restart) | (Stop | Kill | Pause, Flush) => true,
        // Whoever is frozen can be limited. A limit that is there already stays with a service that is started again.
        (Stop | Kill, Limit(_)) => true,
        // They happen at once; of several limits the lowest holds.
        (Pause | Restart, Limit(_)) | (Restart, Flush) | (Flush | Limit(_), _) => false,
    }
}

/// The first moment at which a fault comes while another is there. Where one ends as the other begins, they don't meet.
fn begins_within(fault: &Fault, other: &Fault) -> Option<Duration> {
    let mut there = other.windows().peekable();
    fault.windows().map(|(from, _)| from).find(|at| {
        while there.next_if(|(_, to)| to <= at).is_some() {}
        there.peek().is_some_and(|(from, _)| from <= at)
    })
}

fn refusal(at: Duration, there: &OfService<'_>, comes: &OfService<'_>) -> Diagnostic {
    let (name, other, service) = (&comes.fault.name, &there.fault.name, &comes.fault.on);
    let (at, from, to) = (show_duration(at), show_duration(there.fault.at), show_duration(there.fault.ends()));
    let would = match comes.action {
        Stop => "stop",
        Kill => "kill",
        Pause => "freeze",
        Restart => "restart",
        Flush => "empty",
        Limit(_) => "limit",
    };
    let while_it = match there.action {
        Pause => "is frozen",
        Restart => "is restarted",
        Stop | Kill | Flush | Limit(_) => "does not run",
    };
    let also = format!("`{other}`: `{}`, from {from} to {to}", there.fault.effect.name());
    let diagnostic =
        Diagnostic::new(comes.begins(), format!("`{name}` would {would} `{service}` at {at}, while it {while_it}"));
    diagnostic.also(there.begins(), also).advice(format!("begin it at {to} or later, when `{other}` is over"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pulse, Target, effect};

    fn fault(at: u64, lasts: u64, pulse: Option<(u64, u64)>) -> Fault {
        let [at, lasts] = [at, lasts].map(Duration::from_secs);
        let pulse = pulse.map(|(on, every)| Pulse { on: Duration::from_secs(on), every: Duration::from_secs(every) });
        Fault { at, lasts, pulse, ..Fault::new("f", Target::Service("a".to_owned()), effect::Kill {}) }
    }

    #[test]
    fn faults_meet_where_one_is_there_when_the_other_comes() {
        let meet = |one: &Fault, other: &Fault| begins_within(one, other).map(|at| at.as_secs());
        let once = fault(2, 3, None);
        assert_eq!(meet(&fault(4, 9, None), &once), Some(4));
        assert_eq!(meet(&once, &once), Some(2));
        // They touch, are apart, or the other one comes.
        assert_eq!(meet(&fault(5, 1, None), &once), None);
        assert_eq!(meet(&fault(9, 1, None), &once), None);
        assert_eq!(meet(&fault(1, 9, None), &once), None);
        // 1 to 2, 5 to 6, 9 to 10: between two of them there is room.
        let pulses = fault(1, 10, Some((1, 4)));
        assert_eq!(meet(&fault(2, 3, None), &pulses), None);
        assert_eq!(meet(&fault(9, 1, None), &pulses), Some(9));
        assert_eq!(meet(&pulses, &fault(3, 5, None)), Some(5));
        assert_eq!(meet(&fault(3, 12, Some((1, 3))), &pulses), Some(9));
        assert_eq!(meet(&fault(2, 12, Some((1, 4))), &pulses), None);
    }
}
