//! The lease: the right to steer the proxies until a moment. It reads no clock.

use super::{problem::Problem, wire::Wanted};
use crate::Reply;
use chaos_model::Fault;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};
use tokio::time::Instant;

/// Faults that a lease may have in place at once.
const MOST_FAULTS: usize = 256;
/// Faults that were taken back whose outcome is kept, to be told again to a holder who didn't get the response.
const MOST_REMEMBERED: usize = 16;

/// A fault on a link: both by name.
pub(super) type FaultKey = (String, String);

/// The lease that is held, and what is remembered of the one before.
#[derive(Default)]
pub(super) struct Leases {
    held: Option<Lease>,
    last: Option<Ended>,
}

/// A lease that is held.
pub(super) struct Lease {
    pub(super) id: String,
    pub(super) holder: String,
    /// Time at which it was taken, since the Unix epoch.
    pub(super) since: Duration,
    pub(super) ttl: Duration,
    /// Moment at which it lapses, unless it is renewed.
    until: Instant,
    pub(super) faults: BTreeMap<FaultKey, Placed>,
    removed: Removed,
}

/// A fault that is in place.
pub(super) struct Placed {
    pub(super) fault: Fault,
    /// Moment at which it is taken back, where it said for how long it is.
    ends: Option<Instant>,
}

/// A lease that is over.
pub(super) struct Ended {
    id: String,
    lapsed: bool,
    removed: Removed,
}

/// Outcomes of the last faults that were taken back.
#[derive(Default)]
struct Removed(VecDeque<(FaultKey, Reply)>);

impl Removed {
    fn note(&mut self, place: FaultKey, reply: Reply) {
        self.0.retain(|(other, _)| *other != place);
        if self.0.len() == MOST_REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((place, reply));
    }

    fn get(&self, place: &FaultKey) -> Option<&Reply> {
        self.0.iter().find(|(other, _)| other == place).map(|(_, reply)| reply)
    }
}

impl Leases {
    /// The lease that is held, even if it is over and nobody has noticed yet.
    pub(super) fn held(&self) -> Option<&Lease> {
        self.held.as_ref()
    }

    /// Gives the lease to somebody, where nobody has it.
    pub(super) fn take(&mut self, id: String, wanted: Wanted, now: Instant, since: Duration) -> Result<(), Problem> {
        if let Some(lease) = &self.held {
            return Err(Problem::LeaseHeld { holder: lease.holder.clone(), since: host::rfc3339(lease.since) });
        }
        let (holder, ttl) = (wanted.holder, wanted.ttl);
        let (faults, removed) = (BTreeMap::new(), Removed::default());
        self.held = Some(Lease { id, holder, since, ttl, until: now + ttl, faults, removed });
        Ok(())
    }

    /// The lease of this id, which has to be alive.
    pub(super) fn of(&self, id: &str, now: Instant) -> Result<&Lease, Problem> {
        let over = self.last.as_ref().filter(|last| last.id == id).map(|last| last.lapsed);
        match &self.held {
            Some(lease) if lease.id == id && now < lease.until => Ok(lease),
            // It lapses in this moment.
            Some(lease) if lease.id == id => Err(Problem::LeaseOver { lapsed: true }),
            _ => Err(over.map_or(Problem::NoSuchLease, |lapsed| Problem::LeaseOver { lapsed })),
        }
    }

    /// Lets the lease live on.
    pub(super) fn renew(&mut self, id: &str, now: Instant) -> Result<(), Problem> {
        self.of(id, now)?;
        if let Some(lease) = &mut self.held {
            lease.until = now + lease.ttl;
        }
        Ok(())
    }

    /// The moment at which the lease lapses, unless it is renewed.
    pub(super) fn lapses(&self) -> Option<Instant> {
        // Counted from when the proxies heard of the renewal. The runner counts from when it asked, which is earlier:
        // it never believes in the lease for longer than they do.
        self.held.as_ref().map(|lease| lease.until)
    }

    /// Ends the lease if it has lapsed; gives what it had in place, which has to be taken back.
    pub(super) fn lapse(&mut self, now: Instant) -> Option<Vec<FaultKey>> {
        self.held.as_ref().filter(|lease| now >= lease.until)?;
        self.end(true)
    }

    /// Ends the lease because its holder gives it up, or because everything ends.
    pub(super) fn end(&mut self, lapsed: bool) -> Option<Vec<FaultKey>> {
        let Lease { id, faults, removed, .. } = self.held.take()?;
        self.last = Some(Ended { id, lapsed, removed });
        Some(faults.into_keys().collect())
    }

    /// Notes that a fault is in place from now on.
    pub(super) fn note_applied(&mut self, place: FaultKey, fault: Fault, now: Instant) {
        if let Some(lease) = &mut self.held {
            let ends = (!fault.lasts.is_zero()).then(|| now + fault.lasts);
            lease.faults.insert(place, Placed { fault, ends });
        }
    }

    /// The moment at which the next fault ends by itself.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.held.iter().flat_map(|lease| lease.faults.values()).filter_map(|placed| placed.ends).min()
    }

    /// The faults that have ended by themselves, and have to be taken back.
    pub(super) fn ended(&self, now: Instant) -> Vec<FaultKey> {
        let all = self.held.iter().flat_map(|lease| &lease.faults);
        all.filter(|(_, placed)| placed.ends.is_some_and(|ends| ends <= now)).map(|(key, _)| key.clone()).collect()
    }

    /// Notes that nothing is in place on a link any more.
    pub(super) fn note_cleared(&mut self, link: &str) {
        if let Some(lease) = &mut self.held {
            lease.faults.retain(|(other, _), _| other != link);
        }
    }

    /// Notes what came of a fault that was taken back.
    pub(super) fn note_removed(&mut self, place: FaultKey, reply: Reply) {
        if let Some(lease) = &mut self.held {
            lease.faults.remove(&place);
            lease.removed.note(place, reply);
        } else if let Some(last) = &mut self.last {
            last.removed.note(place, reply);
        }
    }

    /// The outcome of a fault that this lease had in place and has no longer. Also once the lease is over.
    pub(super) fn removed(&self, id: &str, place: &FaultKey) -> Option<&Reply> {
        // A response may be lost on the way, and what the fault did would be lost with it: so it is told again, also
        // when the lease is over.
        let held = self.held.as_ref().filter(|lease| lease.id == id && !lease.faults.contains_key(place));
        let held = held.map(|lease| &lease.removed);
        held.or(self.last.as_ref().filter(|last| last.id == id).map(|last| &last.removed))?.get(place)
    }
}

impl Lease {
    /// Tells whether there is room for another fault.
    pub(super) fn has_room(&self) -> bool {
        self.faults.len() < MOST_FAULTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted { holder: "me".to_owned(), ttl: Duration::from_secs(1), seed: 1, nonce: None }
    }

    fn place(fault: &str) -> FaultKey {
        ("a -> b".to_owned(), fault.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_lives_until_it_lapses_and_is_told_from_one_that_never_was() {
        let (mut leases, start) = (Leases::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        leases.take("1".to_owned(), wanted(), start, Duration::ZERO).unwrap();
        assert!(matches!(leases.of("2", start), Err(Problem::NoSuchLease)));
        leases.renew("1", at(900)).unwrap();
        assert!(leases.lapse(at(1899)).is_none());
        assert!(leases.of("1", at(1899)).is_ok());
        // Whoever asks hears of it, even before anybody noticed.
        assert!(matches!(leases.renew("1", at(1900)), Err(Problem::LeaseOver { lapsed: true })));
        assert!(leases.lapse(at(1900)).is_some());
        assert!(matches!(leases.of("1", at(1900)), Err(Problem::LeaseOver { lapsed: true })));
        leases.take("2".to_owned(), wanted(), at(1900), Duration::ZERO).unwrap();
        assert!(matches!(
            leases.take("3".to_owned(), wanted(), at(1900), Duration::ZERO),
            Err(Problem::LeaseHeld { .. })
        ));
        assert!(leases.end(false).is_some());
        assert!(matches!(leases.of("2", at(1900)), Err(Problem::LeaseOver { lapsed: false })));
    }

    #[tokio::test(start_paused = true)]
    async fn what_came_of_a_fault_is_told_again_and_not_for_ever() {
        let mut leases = Leases::default();
        leases.take("1".to_owned(), wanted(), Instant::now(), Duration::ZERO).unwrap();
        for nth in 0..=MOST_REMEMBERED {
            leases.note_removed(place(&nth.to_string()), Reply::Done);
        }
        assert_eq!(leases.removed("1", &place("0")), None);
        assert_eq!(leases.removed("1", &place("1")), Some(&Reply::Done));
        leases.end(true);
        leases.note_removed(place("late"), Reply::Done);
        assert_eq!(leases.removed("1", &place("late")), Some(&Reply::Done));
        assert_eq!(leases.removed("2", &place("late")), None);
    }
}
