//! Places: refuses checks of a scope that can't show what they ask for, before anything runs.

use super::Quantile;
use crate::{
    Arrivals, Fault, Load, Phase, PhaseKind, Scope, SomeRequests, language::expect::Against,
    language::quantity::duration, phase::BASELINE, quantity::show_duration,
};
use std::time::Duration;

/// A peak is that of a window as long.
const WINDOW: Duration = Duration::from_secs(1);

/// The place of a check: its scope, and the scenario around it.
#[derive(Debug)]
pub struct Place<'a> {
    /// The scope of its expectation.
    pub scope: &'a Scope,
    /// The requests that its expectation judges; none: all.
    pub of: Option<&'a SomeRequests>,
    pub(crate) against: &'a Against<'a>,
}

/// A mistake about the place of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// The mistake, in a few words.
    pub message: String,
    /// The way to put it right.
    pub advice: String,
}

impl Misplaced {
    /// A mistake, and the way to put it right.
    pub fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { message: message.into(), advice: advice.into() }
    }
}

impl Place<'_> {
    /// True for the name of a fault.
    #[must_use]
    pub fn is_fault(&self, name: &str) -> bool {
        self.against.faults.iter().any(|fault| fault.name.as_deref() == Some(name))
    }

    /// The name of some fault, for advice.
    #[must_use]
    pub fn some_fault(&self) -> &str {
        self.against.faults.iter().find_map(|fault| fault.name.as_deref()).unwrap_or("outage")
    }

    /// The window that is judged, if it is known beforehand.
    #[must_use]
    pub fn window(&self) -> Option<Phase> {
        let timeline = self.against.timeline?;
        match self.scope {
            Scope::During(name) => timeline.phase(name).cloned().or_else(|| window(name)),
            // How many are under way, nobody knows beforehand.
            Scope::Across(_) => None,
            Scope::After { fault, within } => {
                let faults: Vec<Fault> = self.against.faults.iter().filter_map(|read| read.fault.clone()).collect();
                let fault = faults.iter().find(|known| known.name == *fault)?;
                Some(timeline.after(fault, *within, &faults))
            }
        }
    }

    /// The mistake about a window of time that is asked of requests under way at one moment, if it is one.
    #[must_use]
    pub fn counted_across(&self) -> Option<Misplaced> {
        let Scope::Across(name) = self.scope else { return None };
        let message = "`across` is about requests, and this is counted over a window of time";
        Some(Misplaced::new(message, format!("say `during = \"{name}\"`")))
    }

    /// The mistake about a scope, or a baseline, without a second to find a peak in, if it is one.
    #[must_use]
    pub fn shorter_than_a_second(&self, what: &str) -> Option<Misplaced> {
        let timeline = self.against.timeline?;
        let baseline = timeline.phase(BASELINE).map_or(Duration::ZERO, |phase| phase.to.saturating_sub(phase.from));
        if baseline < WINDOW {
            let had = show_duration(baseline);
            let message = format!("{what} is compared with a second of baseline, and there is {had}");
            return Some(Misplaced::new(message, "begin the first fault later"));
        }
        self.lasts_less_than_a_second(what)
    }

    /// The mistake about a scope without a second in it, if it is one.
    #[must_use]
    pub fn lasts_less_than_a_second(&self, what: &str) -> Option<Misplaced> {
        let window = self.window()?;
        let length = window.to.saturating_sub(window.from);
        (length < WINDOW).then(|| {
            let message = format!("{what} shows in windows of a second, and this lasts {}", show_duration(length));
            Misplaced::new(message, "look at a longer window")
        })
    }

    /// The mistake about a figure for which too few requests are due, if it is one: a p99 of 20 requests is their
    /// maximum by another name.
    #[must_use]
    pub fn too_few(&self, quantile: Quantile) -> Option<Misplaced> {
        let (phase, stages) = (self.window()?, self.against.load.stages.as_ref()?);
        let length = phase.to.saturating_sub(phase.from);
        let load = self.against.load.load.as_ref();
        // Which request an arrival is of, chance says; and whether a later step is reached, the system does.
        let in_part = self.of.is_some() || load.is_some_and(Load::has_journeys);
        let by_chance = in_part || load.is_none_or(|load| load.arrivals == Arrivals::Poisson);
        let (all, least) = (stages.in_window(phase.from, phase.to), quantile.least_samples());
        let due = load.map_or(all, |load| self.part_of(all, load));
        let enough = |least: u64| due >= if by_chance { with_margin(least) } else { least };
        if enough(least) {
            return None;
        }
        let length = show_duration(length);
        let these = self.of.map(|of| format!(" of `{}`", of.said)).unwrap_or_default();
        let message = if due < least {
            format!("{quantile} takes {least} requests{these}, and {due} are due in {length} at {stages}")
        } else if in_part {
            format!("{quantile} takes {least} requests{these}, and of some {due} in {length}, it may be fewer")
        } else {
            format!(
                "{quantile} takes {least} requests, and of Poisson arrivals, some {due} in {length} at {stages}, it \
                 may be fewer"
            )
        };
        let fitting = [99_900, 99_000, 95_000, 90_000, 50_000].map(Quantile::Percentile);
        let fitting = fitting.into_iter().find(|quantile| enough(quantile.least_samples()));
        let advice = match fitting {
            Some(fitting) => format!("raise the rate, look at a longer window, or compare {fitting}"),
            None => "raise the rate or look at a longer window".to_owned(),
        };
        Some(Misplaced::new(message, advice))
    }

    /// The requests to be judged that so many journeys make, on average.
    fn part_of(&self, all: u64, load: &Load) -> u64 {
        let weight = |place: usize| load.requests.get(place).map_or(0, |request| u128::from(request.weight));
        // Each journey that begins makes all of its steps, if all goes well.
        let whole: u128 = load.journeys().map(|steps| weight(steps.start)).sum();
        let some: u128 = match self.of {
            Some(of) => of.places.iter().map(|place| weight(*place)).sum(),
            None => (0..load.requests.len()).map(weight).sum(),
        };
        u64::try_from(u128::from(all) * some / whole.max(1)).unwrap_or(u64::MAX)
    }
}

/// The number that must be due for at least so many to come: four standard deviations more, so that one seed in
/// 30,000 has fewer.
fn with_margin(least: u64) -> u64 {
    // A maximum or mean needs one, and no margin makes that surer.
    if least == 1 { 1 } else { least + 4 * (least + 4).isqrt() }
}

/// A window reads as what it is.
fn window(name: &str) -> Option<Phase> {
    let (from, to) = name.split_once("..")?;
    let (from, to) = (duration(from).ok()?, duration(to).ok()?);
    Some(Phase { name: name.to_owned(), kind: PhaseKind::Window, from, to })
}
