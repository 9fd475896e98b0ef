use chaos_model::Verdict;
use chaos_run::Ending;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything held.
    Pass,
    /// Nothing failed, and something can't be said.
    Inconclusive,
    /// An expectation failed.
    Failed,
    /// The world could not do what was asked.
    WorldFailed,
    /// A scenario, or the command line, is not valid.
    Invalid,
    /// Stopped by the user.
    Interrupted,
}

impl Exit {
    /// The exit code, as documented in `--help`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::WorldFailed => 3,
            Self::Inconclusive => 4,
            Self::Interrupted => 130,
        }
    }

    /// The exit of several: an interrupt ends them all; else invalid, world failed, failed, inconclusive, passed.
    pub(crate) fn worst(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Pass => 0,
            Self::Inconclusive => 1,
            Self::Failed => 2,
            Self::WorldFailed => 3,
            Self::Invalid => 4,
            Self::Interrupted => 5,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl From<&Ending> for Exit {
    fn from(ending: &Ending) -> Self {
        match ending {
            Ending::Judged(Verdict::Pass, _) => Self::Pass,
            Ending::Judged(Verdict::Inconclusive, _) => Self::Inconclusive,
            Ending::Judged(Verdict::Fail, _) => Self::Failed,
            Ending::WorldFailed => Self::WorldFailed,
            Ending::Interrupted => Self::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn a_folder_exits_by_the_worst() {
        let order = [Exit::Pass, Exit::Inconclusive, Exit::Failed, Exit::WorldFailed, Exit::Invalid, Exit::Interrupted];
        for (i, better) in order.iter().enumerate() {
            for worse in &order[i..] {
                assert_eq!(better.worst(*worse), *worse);
                assert_eq!(worse.worst(*better), *worse);
            }
        }
        assert_eq!(order.map(Exit::code), [0, 4, 1, 3, 2, 130]);
    }
}
