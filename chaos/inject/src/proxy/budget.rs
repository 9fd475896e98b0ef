//! The budget of bytes that a connection may still pass before a fault ends it.

use crate::{active::Active, ending::Ending, interpreter::Plan};
use chaos_model::{Direction, Directions};
use std::sync::Arc;

/// The budgets of one connection: one for each fault that counts bytes, from the moment at which it met the connection, also
/// where its settings change meanwhile.
#[derive(Debug, Default)]
pub(super) struct Budgets(Vec<Budget>);

#[derive(Debug)]
struct Budget {
    fault: Arc<Active>,
    whole: u64,
    passed: u64,
    direction: Directions,
    ending: Ending,
}

impl Budget {
    fn left(&self) -> u64 {
        self.whole.saturating_sub(self.passed)
    }
}

impl Budgets {
    /// Goes by these faults from now on: those that were there go on counting.
    pub(super) fn set(&mut self, plan: &Plan) {
        let mut before = std::mem::take(&mut self.0);
        for fault in plan.met() {
            let Some((whole, direction, ending)) = fault.cut() else { continue };
            let known = before.iter().position(|budget| budget.fault.is(fault));
            let passed = known.map_or(0, |index| before.swap_remove(index).passed);
            self.0.push(Budget { fault: Arc::clone(fault), whole, passed, direction, ending });
        }
    }

    /// The count of bytes that may still go this way.
    pub(super) fn left(&self, direction: Direction) -> usize {
        let left = self.0.iter().filter(|budget| budget.direction.has(direction)).map(Budget::left).min();
        left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// So many bytes, at most those that are left, have gone this way.
    pub(super) fn spend(&mut self, direction: Direction, bytes: usize) {
        for budget in self.0.iter_mut().filter(|budget| budget.direction.has(direction)) {
            budget.passed = budget.passed.saturating_add(bytes as u64);
        }
    }

    /// The fault that ends the connection now, with its end. A reset wins, then the fault that was applied first.
    pub(super) fn spent(&self) -> Option<(&Active, Ending, Directions)> {
        let spent = || self.0.iter().filter(|budget| budget.left() == 0);
        let first = spent().find(|budget| budget.ending == Ending::Reset).or_else(|| spent().next())?;
        Some((&first.fault, first.ending, first.direction))
    }
}
