//! The replicas that faults are on which are for some of a service's: drawn from the run's seed.

use chaos_model::{Fault, Scenario, Target};
use std::borrow::Cow;

/// A scenario with the places that this run's faults have.
pub(crate) fn drawn(scenario: &Scenario, seed: u64) -> Cow<'_, Scenario> {
    if scenario.faults.iter().all(|fault| fault.instances.is_none()) {
        return Cow::Borrowed(scenario);
    }
    let faults = scenario.faults.iter().map(|fault| on_some(fault, seed)).collect();
    Cow::Owned(Scenario { faults, ..scenario.clone() })
}

/// A fault on as many of its services as it is for: those whose hashes are the least, so that neither another fault nor another
/// order changes them.
fn on_some(fault: &Fault, seed: u64) -> Fault {
    let Some(some) = fault.instances else { return fault.clone() };
    let mut services = fault.on.services().to_vec();
    let draw =
        |service: &String| host::hash(seed, &[b"instances".as_slice(), fault.name.as_bytes(), service.as_bytes()]);
    let mut chosen = services.clone();
    chosen.sort_by_key(draw);
    chosen.truncate(some.of(services.len()));
    services.retain(|service| chosen.contains(service));
    Fault { on: Target::of_services(services), ..fault.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::{SomeInstances, effect::Kill};
    use std::collections::BTreeSet;

    fn on(seed: u64, some: SomeInstances) -> Vec<String> {
        let services = (1..=4).map(|number| format!("app.{number}")).collect();
        let fault = Fault { instances: Some(some), ..Fault::new("gone", Target::Services(services), Kill {}) };
        on_some(&fault, seed).on.services().to_vec()
    }

    #[test]
    fn each_seed_draws_its_own_and_the_same_again() {
        let drawn: BTreeSet<_> = (0..100).map(|seed| on(seed, SomeInstances::Count(1))).collect();
        assert_eq!(drawn.len(), 4, "each of them is drawn at times: {drawn:?}");
        for seed in 0..100 {
            let two = on(seed, SomeInstances::Count(2));
            assert_eq!((two.len(), on(seed, SomeInstances::Count(2))), (2, two.clone()));
            assert!(two.is_sorted(), "in the order of their numbers");
            assert_eq!(on(seed, SomeInstances::Count(4)).len(), 4);
        }
    }
}
