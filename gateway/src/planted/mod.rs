//! Classic mistakes, planted on purpose: by them one sees whether tests, scenarios and explorations find what they should.
//!
//! They are there with the feature `planted` alone, which no build that is handed out has, and one at a time, by the setting
//! `planted`. Without the feature nothing is left of them: [`Planted::has`] is false, and the compiler sees it.

#[cfg(not(feature = "planted"))]
mod absent;
#[cfg(feature = "planted")]
mod present;

#[cfg(not(feature = "planted"))]
pub(crate) use absent::Planted;
#[cfg(feature = "planted")]
pub(crate) use present::Planted;
use std::time::Duration;

/// The time that is waited by a mistake that knows no other end: longer than any run of it.
pub(crate) const FOREVER: Duration = Duration::from_secs(60);

/// A mistake.
#[cfg_attr(
    not(feature = "planted"),
    expect(dead_code, reason = "some are asked for by those that can be planted alone")
)]
#[cfg_attr(feature = "planted", derive(clap::ValueEnum))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// None.
    #[default]
    None,
    /// Whoever asks for orders holds a lock until they have come: everybody waits for everybody.
    LockAcrossCall,
    /// A profile that Redis gets back begins a new life, whatever its age.
    TtlRestarts,
    /// Products are left out after one failure, and asked for no more.
    EndlessFallback,
    /// Profiles for the case of need are kept under one key, for all users.
    KeyWithoutUser,
    /// A call that failed is made three more times, whatever the circuit and the budget say.
    RetriesWithoutBudget,
    /// A profile that lacks something is cached as a complete one.
    PartialStored,
    /// A probe that went well counts as one that failed.
    BreakerNeverCloses,
    /// A user service that fails is taken for one that knows no such user.
    FailureAsAbsence,
    /// The product service is waited for without the request's deadline, and without a time of its own.
    DeadlineNotPassedOn,
    /// A flight that brought less than all never ends, and whoever comes later joins it.
    FlightLeaks,
    /// An old profile is shown in need, however old it is.
    EndlessStale,
    /// A user service that fails gives an empty user.
    SwallowedError,
    /// Redis is waited for without an end.
    UntimedCacheRead,
    /// A call that fails never gives its place in the bulkhead back.
    SlotLeaks,
    /// A profile that lacks something is cached as a complete one, but only while there is no Redis.
    PartialKeptInNeed,
}

/// Names of all mistakes: values of the setting `GATEWAY_PLANTED`, beside `none`.
#[cfg(feature = "planted")]
#[must_use]
pub fn mistakes() -> Vec<String> {
    let all = <Mistake as clap::ValueEnum>::value_variants().iter().filter(|mistake| **mistake != Mistake::None);
    all.filter_map(clap::ValueEnum::to_possible_value).map(|value| value.get_name().to_owned()).collect()
}
