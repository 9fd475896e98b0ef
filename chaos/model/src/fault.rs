//! Faults: what is broken, where, when and for whom. One type for every world, proxy and report.

use crate::{Effect, Link, Only, ServiceName, Share, Span, effect::action::ServiceAction, quantity::write_share};
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// A fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// The fault's name: the phase that it makes, and part of the key of its draws.
    pub name: String,
    /// The link or service that it acts on.
    pub on: Target,
    /// The effect, with its settings.
    pub effect: Effect,
    /// For which requests or commands; effects on connections and services are for all of theirs.
    #[serde(default, skip_serializing_if = "Only::is_all")]
    pub only: Only,
    /// For which of these it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except: Option<Only>,
    /// For how many of these: of requests or commands where the effect acts on such, else of connections.
    pub share: Share,
    /// Number of the service's replicas that it is on, drawn from the run's seed; all where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instances: Option<SomeInstances>,
    /// From when, counted from the start of the timeline.
    #[serde(rename = "at_us", with = "crate::micros")]
    pub at: Duration,
    /// For how long.
    #[serde(rename = "lasts_us", with = "crate::micros")]
    pub lasts: Duration,
    /// Time in which it grows from nothing to its whole: what grows is said by [`Effect::grows`].
    #[serde(rename = "ramp_us", with = "crate::micros", default, skip_serializing_if = "Duration::is_zero")]
    pub ramp: Duration,
    /// Times at which it comes and goes within its time; none where it is there throughout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse: Option<Pulse>,
    /// Place of the fault in the files at hand: nothing to anybody who hasn't these.
    #[serde(skip)]
    pub span: Span,
}

/// A fault that comes and goes: on for a time, off for the rest, over and over from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// Time that it is on, each time.
    #[serde(rename = "on_us", with = "crate::micros")]
    pub on: Duration,
    /// From one beginning to the next; longer than that.
    #[serde(rename = "every_us", with = "crate::micros")]
    pub every: Duration,
}

impl Fault {
    /// A fault for all that it meets, there from beginning to end at its full strength.
    #[must_use]
    pub fn new(name: impl Into<String>, on: Target, effect: impl Into<Effect>) -> Self {
        Self {
            name: name.into(),
            on,
            effect: effect.into(),
            only: Only::default(),
            except: None,
            share: Share::ALL,
            instances: None,
            at: Duration::ZERO,
            lasts: Duration::ZERO,
            ramp: Duration::ZERO,
            pulse: None,
            span: Span::default(),
        }
    }

    /// The moment at which it is taken back for good, from the start of the timeline.
    #[must_use]
    pub fn ends(&self) -> Duration {
        self.at + self.lasts
    }

    /// True where it ends a service, which starts again afterwards.
    #[must_use]
    pub fn ends_service(&self) -> bool {
        match self.effect.action().service {
            Some(ServiceAction::Stop | ServiceAction::Kill | ServiceAction::Restart) => true,
            Some(ServiceAction::Pause | ServiceAction::Flush | ServiceAction::Limit(_)) | None => false,
        }
    }

    /// True where its service does not respond as long as it is there.
    #[must_use]
    pub fn silences_service(&self) -> bool {
        match self.effect.action().service {
            Some(ServiceAction::Pause | ServiceAction::Kill) => true,
            // It may respond for as long as it takes to end.
            Some(ServiceAction::Stop | ServiceAction::Restart | ServiceAction::Flush | ServiceAction::Limit(_))
            | None => false,
        }
    }

    /// The fault on each of its places by itself: what proxies and services are told.
    #[must_use]
    pub fn parts(&self) -> Vec<Self> {
        match &self.on {
            Target::Links(links) => {
                links.iter().map(|link| Self { on: Target::Link(link.clone()), ..self.clone() }).collect()
            }
            Target::Services(services) => {
                services.iter().map(|name| Self { on: Target::Service(name.clone()), ..self.clone() }).collect()
            }
            Target::Link(_) | Target::Service(_) => vec![self.clone()],
        }
    }

    /// The stretches of the timeline in which it is there, each from its beginning up to its end.
    pub fn windows(&self) -> impl Iterator<Item = (Duration, Duration)> + use<> {
        let (at, ends) = (self.at, self.ends());
        let Pulse { on, every } = self.pulse.unwrap_or(Pulse { on: self.lasts, every: self.lasts });
        let starts = std::iter::successors(Some(at), move |start| Some(*start + every));
        // A pulse without length would never come to the end.
        let starts = starts.take_while(move |start| *start < ends && !every.is_zero());
        starts.map(move |start| (start, (start + on).min(ends)))
    }

    /// Strength of the fault when it has been there for `since`: of a million.
    #[must_use]
    pub fn strength(&self, since: Duration) -> u32 {
        const WHOLE: u32 = 1_000_000;
        if since >= self.ramp {
            return WHOLE;
        }
        // In whole numbers, so that every machine comes to the same strength, and draws by it the same.
        let parts = since.as_nanos() * u128::from(WHOLE) / self.ramp.as_nanos().max(1);
        u32::try_from(parts).unwrap_or(WHOLE)
    }
}

/// The place at which a fault acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// On a link.
    Link(Link),
    /// On several links at once, at least two: on each by itself, as if it were there alone.
    Links(Vec<Link>),
    /// On a service.
    Service(ServiceName),
    /// On several replicas of a service at once, at least two: on each by itself.
    Services(Vec<ServiceName>),
}

/// A number of a service's replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SomeInstances {
    /// So many.
    Count(usize),
    /// This share of them, rounded up.
    Share(Share),
}

impl SomeInstances {
    /// The number that it is of so many replicas; one at least.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        let some = match self {
            Self::Count(count) => count,
            Self::Share(Share { parts, whole }) => {
                let share = (all as u64).saturating_mul(parts).div_ceil(whole.max(1));
                usize::try_from(share).unwrap_or(all)
            }
        };
        some.clamp(1, all.max(1))
    }
}

impl fmt::Display for SomeInstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Share(share) => f.write_str(&write_share(*share)),
        }
    }
}

impl Target {
    /// These links, at least one.
    #[must_use]
    pub fn of_links(mut links: Vec<Link>) -> Self {
        if links.len() == 1 { Self::Link(links.remove(0)) } else { Self::Links(links) }
    }

    /// The links that are meant; none where it is a service.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        match self {
            Self::Link(link) => std::slice::from_ref(link),
            Self::Links(links) => links,
            Self::Service(_) | Self::Services(_) => &[],
        }
    }

    /// These services, at least one.
    #[must_use]
    pub fn of_services(mut services: Vec<ServiceName>) -> Self {
        if services.len() == 1 { Self::Service(services.remove(0)) } else { Self::Services(services) }
    }

    /// The services that are meant; none where it is links.
    #[must_use]
    pub fn services(&self) -> &[ServiceName] {
        match self {
            Self::Service(service) => std::slice::from_ref(service),
            Self::Services(services) => services,
            Self::Link(_) | Self::Links(_) => &[],
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(link) => link.fmt(f),
            Self::Links(links) => f.write_str(&links.iter().map(Link::to_string).collect::<Vec<_>>().join(" and ")),
            Self::Service(service) => f.write_str(service),
            Self::Services(services) => f.write_str(&services.join(" and ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, effect::Hang};

    #[test]
    fn a_share_of_instances_is_rounded_up_and_is_one_at_least() {
        let half = SomeInstances::Share(Share { parts: 1, whole: 2 });
        assert_eq!([2, 3, 5].map(|all| half.of(all)), [1, 2, 3]);
        assert_eq!(SomeInstances::Share(Share { parts: 1, whole: 100 }).of(4), 1);
        assert_eq!([1, 3].map(|all| SomeInstances::Count(2).of(all)), [1, 2]);
    }

    fn fault(pulse: Option<Pulse>) -> Fault {
        let (at, lasts) = (Duration::from_secs(4), Duration::from_secs(5));
        Fault { at, lasts, pulse, ..Fault::new("f", Target::Service("a".to_owned()), Hang {}) }
    }

    #[test]
    fn a_fault_is_there_once_unless_it_pulses() {
        let windows = |pulse| {
            let seconds = |(from, to): (Duration, Duration)| (from.as_secs(), to.as_secs());
            fault(pulse).windows().map(seconds).collect::<Vec<_>>()
        };
        assert_eq!(windows(None), [(4, 9)]);
        let pulse = |on, every| Some(Pulse { on: Duration::from_secs(on), every: Duration::from_secs(every) });
        assert_eq!(windows(pulse(1, 2)), [(4, 5), (6, 7), (8, 9)]);
        assert_eq!(windows(pulse(2, 3)), [(4, 6), (7, 9)]);
        assert_eq!(windows(pulse(3, 4)), [(4, 7), (8, 9)]);
    }

    #[test]
    fn a_fault_on_several_links_is_one_on_each() {
        let link = |from: &str| Link { from: Endpoint::Service(from.to_owned()), to: "db".to_owned(), label: None };
        let several = Fault { on: Target::of_links(vec![link("a"), link("b")]), ..fault(None) };
        assert_eq!(several.on.to_string(), "a -> db and b -> db");
        let parts: Vec<String> = several.parts().iter().map(|part| part.on.to_string()).collect();
        assert_eq!(parts, ["a -> db", "b -> db"]);
        assert_eq!(fault(None).parts(), [fault(None)]);
        assert_eq!(Target::of_links(vec![link("a")]), Target::Link(link("a")));
    }

    #[test]
    fn a_ramp_grows_evenly() {
        let ramped = Fault { ramp: Duration::from_secs(2), ..fault(None) };
        let at = |millis| ramped.strength(Duration::from_millis(millis));
        assert_eq!((at(0), at(500), at(1000), at(2000), at(9000)), (0, 250_000, 500_000, 1_000_000, 1_000_000));
        assert_eq!(fault(None).strength(Duration::ZERO), 1_000_000);
    }
}
