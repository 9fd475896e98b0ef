//! The judgement of reads, or of writes, by the results of the last ones. Pure: it waits for nothing and tells nobody.

use crate::labels::RedisMode;

/// Reads or writes. Judged apart, since a Redis that is full or a replica refuses writes and reads well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct AccessState {
    failures: u32,
    /// There was a success, and too many failures in a row have not come since.
    trusted: bool,
    /// True from when Redis is back until all lookups ask it again.
    warming: bool,
}

impl AccessState {
    pub(super) fn mode(self) -> RedisMode {
        match self {
            Self { trusted: false, .. } => RedisMode::Open,
            Self { failures: 1.., .. } => RedisMode::Suspect,
            Self { warming: true, .. } => RedisMode::Warming,
            _ => RedisMode::Up,
        }
    }

    /// After `limit` of them in a row it is trusted no more.
    #[must_use]
    pub(super) fn failed(self, limit: u32) -> Self {
        let failures = self.failures.saturating_add(1);
        Self { failures, trusted: self.trusted && failures < limit, ..self }
    }

    #[must_use]
    pub(super) fn succeeded(self) -> Self {
        Self { failures: 0, trusted: true, ..self }
    }

    /// Says if only a share of lookups asks Redis for now; changes nothing else.
    #[must_use]
    pub(super) fn warming(self, warming: bool) -> Self {
        Self { warming, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_in_a_row_open_and_one_success_closes() {
        let mut side = AccessState::default();
        assert_eq!(side.mode(), RedisMode::Open);
        side = side.succeeded();
        assert_eq!(side.mode(), RedisMode::Up);
        side = side.failed(3).failed(3);
        assert_eq!(side.mode(), RedisMode::Suspect);
        side = side.succeeded().failed(3).failed(3);
        assert_eq!(side.mode(), RedisMode::Suspect);
        side = side.failed(3);
        assert_eq!(side.mode(), RedisMode::Open);
        assert_eq!(side.failed(3).mode(), RedisMode::Open);
        assert_eq!(side.succeeded().mode(), RedisMode::Up);
    }

    #[test]
    fn the_limit_is_what_the_settings_say() {
        let side = AccessState::default().succeeded();
        assert_eq!(side.failed(1).mode(), RedisMode::Open);
        assert_eq!((0..9).fold(side, |side, _| side.failed(10)).mode(), RedisMode::Suspect);
        assert_eq!((0..10).fold(side, |side, _| side.failed(10)).mode(), RedisMode::Open);
    }

    #[test]
    fn what_warms_is_suspected_and_given_up_like_all_else() {
        let side = AccessState::default().succeeded().warming(true);
        assert_eq!(side.mode(), RedisMode::Warming);
        assert_eq!(side.failed(3).mode(), RedisMode::Suspect);
        assert_eq!(side.failed(3).succeeded().mode(), RedisMode::Warming);
        assert_eq!(side.failed(3).failed(3).failed(3).mode(), RedisMode::Open);
        assert_eq!(side.warming(false).mode(), RedisMode::Up);
    }
}
