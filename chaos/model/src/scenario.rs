//! A checked scenario: everything that a run needs to know.

use crate::{Diagnostic, Diagnostics, Expectation, Fault, Guard, Load, Sources, Span, System, Timeline};

/// A scenario that was parsed and checked: every name in it exists, every window lies within the run, every expectation
/// can be judged.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The title: what the scenario shows, in a few words.
    pub title: String,
    /// The system that it breaks.
    pub system: System,
    /// Settings over what the system's own file says: by the scenario, and by whoever runs it.
    pub settings: Vec<Set>,
    /// The load that clients put on it meanwhile.
    pub load: Load,
    /// The faults, by time.
    pub faults: Vec<Fault>,
    /// The expectations that must hold.
    pub expectations: Vec<Expectation>,
    /// The guards: expectations that depend on a protection.
    pub guards: Vec<Guard>,
    /// The timeline with its phases.
    pub timeline: Timeline,
    /// Warnings: what is valid, and probably not meant.
    pub warnings: Vec<Diagnostic>,
    /// The texts that it was read from, so that a failed expectation can show its place.
    pub sources: Sources,
}

impl Scenario {
    /// The warnings with the texts that they stand in; none where there is nothing to warn of.
    #[must_use]
    pub fn warnings(&self) -> Option<Diagnostics> {
        let list = self.warnings.clone();
        (!list.is_empty()).then(|| Diagnostics { list, sources: self.sources.clone() })
    }

    /// The scenario as `world` judges it, and the expectations that it leaves to others. A guard that breaks nothing
    /// else goes with them.
    #[must_use]
    pub fn in_world(mut self, world: &str) -> (Self, Vec<String>) {
        let elsewhere = |expectation: &Expectation| {
            expectation.worlds.as_ref().is_some_and(|worlds| worlds.iter().all(|there| there != world))
        };
        let (left, judged): (Vec<_>, Vec<_>) = self.expectations.into_iter().partition(elsewhere);
        self.expectations = judged;
        let left: Vec<String> = left.into_iter().map(|expectation| expectation.that).collect();
        for guard in &mut self.guards {
            guard.breaks.retain(|that| !left.contains(that));
            guard.may_break.retain(|that| !left.contains(that));
        }
        self.guards.retain(|guard| !guard.breaks.is_empty());
        (self, left)
    }
}

/// A setting of a scenario or its system that is overridden: by `--set`, or by a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The key's path, as `service.gateway.env.GATEWAY_CACHE_MEMORY` or `load.rate`. `service.…` is the system's, all
    /// else the scenario's.
    pub path: String,
    /// The new value. Values of the language are strings, so this is one; where a key wants another type (a list, a
    /// number), it is read as TOML.
    pub value: String,
    /// The place, if it stands in a file.
    pub span: Option<Span>,
}
