//! News of services: what happens to them while a run goes on.

use super::{Death, InstanceId};
use std::time::Duration;

/// Something that happened to an instance, before anybody has done anything about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It ended.
    Exited(Death),
    /// It responds, after this start of it.
    Ready {
        /// The instance.
        instance: InstanceId,
        /// Number of the start, among all that were made again.
        start: u64,
    },
}

/// News of an instance, for whoever watches the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It ended although nobody asked it to.
    Died(Death),
    /// It was asked to end, did not in its time, and was killed.
    Killed {
        /// The instance.
        instance: InstanceId,
        /// Time that it had.
        after: Duration,
    },
    /// It is ready again.
    Back {
        /// The instance.
        instance: InstanceId,
        /// Time from its start until it was ready.
        took: Duration,
        /// The same of its first start, where that was seen.
        at_first: Option<Duration>,
    },
}
