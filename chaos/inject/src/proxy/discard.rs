//! The ends of connections whose bytes are thrown away: by silence, after the first bytes, and with the fault.

use super::pump::{Discarding, Pump};
use crate::{active::Active, ending::Ending, interpreter::Plan};
use chaos_model::{Direction, Directions, effect::action::DiscardEnd};
use std::{sync::Arc, time::Duration};

/// An end that is to come, as things stand.
pub(super) struct DueEnd<'a> {
    pub(super) at: Duration,
    pub(super) fault: &'a Active,
    pub(super) ending: Ending,
}

/// The first end that is to come; those applied first win a tie.
pub(super) fn next_end<'a>(plan: &'a Plan, up: &Pump, down: &Pump) -> Option<DueEnd<'a>> {
    let ends = plan.discarding().filter_map(|fault| due(fault, up, down));
    ends.min_by_key(|end| end.at)
}

fn due<'a>(fault: &'a Arc<Active>, up: &Pump, down: &Pump) -> Option<DueEnd<'a>> {
    let (end, directions) = fault.discard_end()?;
    let ways = || both(directions, up, down);
    let (at, ending) = match end {
        DiscardEnd::CloseAfterSilence(after) => {
            // The last sign of life in any of them.
            let last = ways().map(|way| way.last.unwrap_or(way.since)).max()?;
            (last.saturating_add(after), Ending::Close)
        }
        DiscardEnd::ResetAfterFirst(after) => {
            (ways().filter_map(|way| way.first).min()?.saturating_add(after), Ending::Reset)
        }
    };
    Some(DueEnd { at, fault, ending })
}

/// The end of a connection on which a fault of the old plan threw bytes away that is none of the new one: bytes are missing,
/// so that nobody could go on. One that was to be reset with its first bytes, and had none, has lost nothing.
pub(super) fn torn(before: &Plan, now: &Plan, up: &Pump, down: &Pump) -> Option<Ending> {
    let gone = before.discarding().filter(|old| !now.discarding().any(|new| new.is(old)));
    let endings = gone.filter_map(|fault| {
        let Some((DiscardEnd::ResetAfterFirst(_), directions)) = fault.discard_end() else {
            return Some(Ending::Close);
        };
        both(directions, up, down).any(|way| way.first.is_some()).then_some(Ending::Reset)
    });
    endings.max_by_key(|ending| *ending == Ending::Reset)
}

fn both<'p>(directions: Directions, up: &'p Pump, down: &'p Pump) -> impl Iterator<Item = Discarding> + 'p {
    let ways = [(Direction::Upstream, up), (Direction::Downstream, down)];
    ways.into_iter().filter(move |(direction, _)| directions.has(*direction)).filter_map(|(_, pump)| pump.discarding())
}
