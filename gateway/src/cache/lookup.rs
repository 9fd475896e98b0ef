//! Results of lookups: an entry, or the reason why there is none.

use super::Entry;
use crate::labels::{Label as _, Miss, Tier};
use std::{fmt, sync::Arc, time::Duration};

/// An entry and where it was.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) entry: Arc<Entry>,
    pub(crate) tier: Tier,
}

/// The result of asking the tiers in turn.
#[derive(Default)]
pub(crate) struct LookedUp {
    pub(crate) found: Option<Found>,
    /// There is no such user: for how long this is still to be believed.
    pub(crate) no_such_user: Option<Duration>,
    /// An old entry that may be shown if the services give nothing better.
    pub(crate) stale: Option<Found>,
    pub(crate) misses: Misses,
}

impl LookedUp {
    /// Keeps what is old for the case of need: the youngest of it.
    pub(super) fn keep_for_need(&mut self, entry: Arc<Entry>, tier: Tier) {
        if self.stale.as_ref().is_none_or(|stale| stale.entry.stored_at() < entry.stored_at()) {
            self.stale = Some(Found { entry, tier });
        }
    }
}

/// Tiers that were asked and gave nothing, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Misses(Vec<(Tier, Miss)>);

impl Misses {
    pub(super) fn add(&mut self, tier: Tier, miss: Miss) {
        self.0.push((tier, miss));
    }

    /// The reason why `tier` gave nothing, if it was asked.
    pub(super) fn of(&self, tier: Tier) -> Option<Miss> {
        self.0.iter().find(|(there, _)| *there == tier).map(|(_, miss)| *miss)
    }

    /// The reason why the services have to be asked, as a `fwd` of RFC 9211.
    pub(crate) fn forwarded_because(&self) -> &'static str {
        let any = |wanted: Miss| self.0.iter().any(|(_, miss)| *miss == wanted);
        match self.0.as_slice() {
            [] => "bypass",
            _ if any(Miss::Expired) => "stale",
            misses if misses.iter().all(|(_, miss)| *miss == Miss::Absent) => "uri-miss",
            _ => "miss",
        }
    }
}

/// `redis:timeout memory:absent`.
impl fmt::Display for Misses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (tier, miss)) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{}:{}", tier.label(), miss.label())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarding_says_why() {
        let because = |misses: &[(Tier, Miss)]| Misses(misses.to_vec()).forwarded_because();
        assert_eq!(because(&[]), "bypass");
        assert_eq!(because(&[(Tier::Redis, Miss::Absent), (Tier::Memory, Miss::Absent)]), "uri-miss");
        assert_eq!(because(&[(Tier::Redis, Miss::Down), (Tier::Memory, Miss::Expired)]), "stale");
        assert_eq!(because(&[(Tier::Redis, Miss::Timeout), (Tier::Memory, Miss::Absent)]), "miss");
        let misses = Misses(vec![(Tier::Redis, Miss::Down), (Tier::Memory, Miss::Absent)]);
        assert_eq!(misses.to_string(), "redis:down memory:absent");
    }
}
