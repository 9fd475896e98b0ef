//! The fate of the reply that is coming, as it comes.

use super::{
    edit::{Edit, Outcome, is_too_long},
    fire,
    results::Results,
    spare,
};
use crate::protocol::{Ending, Injected, Step, Unreadable};
use crate::protocols::steps;
use bytes::Bytes;
use chaos_model::Direction;
use chaos_redis::codec::{Protocol, Scanner};

/// The fate of a reply.
#[derive(Debug)]
pub(super) enum Fate {
    /// The reply passes.
    Pass,
    /// More of it must be seen.
    Undecided(Edit, Vec<Injected>),
    /// All of it must be seen, to edit results within it.
    Results(Results),
    /// The reply is left out, and these bytes come in its place.
    Replace(Bytes),
    /// So many more bytes of it, and the connection ends.
    Cut { left: u64 },
}

/// The use that was made of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Held.
    Held,
    /// Used up.
    Used,
    /// The connection has been ended.
    Ended,
}

impl Fate {
    /// Does what is to be done with all that has come and isn't used up; `whole` where the reply ends with it.
    pub(super) fn go_on(
        &mut self,
        held: &[u8],
        whole: bool,
        scanner: &Scanner,
        protocol: Protocol,
        steps: &mut Vec<Step>,
    ) -> Use {
        if let Self::Undecided(edit, injected) = self {
            let Some(outcome) = edit.outcome(held, whole, scanner, protocol) else { return Use::Held };
            let (injected, is_long) = (std::mem::take(injected), outcome == Outcome::TooLong);
            *self = match outcome {
                Outcome::Same | Outcome::TooLong => Self::Pass,
                Outcome::Other(bytes) => Self::Replace(bytes),
                Outcome::Cut(left) => Self::Cut { left },
            };
            match self {
                Self::Pass if is_long => spare(injected, Unreadable::LongBody, steps),
                Self::Pass => {}
                _ => fire(steps, injected),
            }
        }
        if let Self::Results(results) = self {
            let is_too_long = is_too_long(held, whole, scanner);
            if !whole && !is_too_long {
                return Use::Held;
            }
            let results = std::mem::take(results);
            *self = if is_too_long {
                results.spare(steps);
                Self::Pass
            } else {
                results.put_into(held, protocol, steps).map_or(Self::Pass, Self::Replace)
            };
        }
        match self {
            Self::Pass | Self::Undecided(..) | Self::Results(_) => {
                steps::pass(steps, Direction::Downstream, held.len())
            }
            Self::Replace(_) => steps::skip(steps, Direction::Downstream, held.len()),
            Self::Cut { left } => {
                let part = usize::try_from(*left).unwrap_or(usize::MAX).min(held.len());
                *left -= part as u64;
                steps::pass(steps, Direction::Downstream, part);
                if *left == 0 || whole {
                    steps::skip(steps, Direction::Downstream, held.len() - part);
                    steps::end(steps, Ending::Close);
                    return Use::Ended;
                }
            }
        }
        Use::Used
    }

    /// The faults have changed: where those that `is_there` says no more of were to decide on it, it passes.
    pub(super) fn forget(&mut self, is_there: &dyn Fn(&Injected) -> bool) {
        if let Self::Undecided(edit, injected) = self
            && !matches!(edit, Edit::Abort(_))
        {
            injected.retain(is_there);
            if injected.is_empty() {
                *self = Self::Pass;
            }
        }
        if let Self::Results(results) = self {
            results.forget(is_there);
            if results.is_clear() {
                *self = Self::Pass;
            }
        }
    }

    /// The reply has come whole.
    pub(super) fn finish(self, steps: &mut Vec<Step>) {
        if let Self::Replace(bytes) = self
            && !bytes.is_empty()
        {
            steps::insert(steps, Direction::Downstream, bytes);
        }
    }
}
