use chaos_model::Verdict;
use chaos_report::Outcome;

/// The command's end, which decides its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything held.
    Pass,
    /// A program that was served could not go on.
    Failed,
    /// The machine refused what the command itself needs.
    Machine,
    /// A scenario, or the command line, is not valid.
    Invalid,
    /// The outcome of runs.
    Runs(Outcome),
}

impl Exit {
    /// The exit code, as documented in `--help`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pass | Self::Runs(Outcome::Verdict(Verdict::Pass)) => 0,
            Self::Failed | Self::Runs(Outcome::Verdict(Verdict::Fail)) => 1,
            Self::Invalid | Self::Runs(Outcome::Invalid) => 2,
            Self::Machine | Self::Runs(Outcome::WorldFailed) => 3,
            Self::Runs(Outcome::Verdict(Verdict::Inconclusive)) => 4,
            Self::Runs(Outcome::Interrupted) => 130,
        }
    }
}
