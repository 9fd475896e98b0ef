//! The budget of bytes that a connection may still pass before a fault ends it.

use crate::{active::Active, ending::Ending, interpreter::Plan};
use chaos_model::{Direction, Directions};
use std::sync::Arc;

/// The budgets of one connection: one for each fault that counts bytes, from the moment at which it met the connection.
#[derive(Debug, Default)]
pub(super) struct Budgets(Vec<Budget>);

#[derive(Debug)]
struct Budget {
    fault: Arc<Active>,
    left: u64,
    direction: Directions,
    ending: Ending,
}

impl Budgets {
    /// Goes by these faults from now on: those that were there go on counting.
    pub(super) fn set(&mut self, plan: &Plan) {
        let mut before = std::mem::take(&mut self.0);
        for fault in plan.met() {
            let Some((left, direction, ending)) = fault.cut() else { continue };
            let known = before.iter().position(|budget| Arc::ptr_eq(&budget.fault, fault));
            let new = || Budget { fault: Arc::clone(fault), left, direction, ending };
            self.0.push(known.map_or_else(new, |index| before.swap_remove(index)));
        }
    }

    /// The count of bytes that may still go this way.
    pub(super) fn left(&self, direction: Direction) -> usize {
        let left = self.0.iter().filter(|budget| budget.direction.has(direction)).map(|budget| budget.left).min();
        left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX))
    }

    /// So many bytes, at most those that are left, have gone this way.
    pub(super) fn spend(&mut self, direction: Direction, bytes: usize) {
        for budget in self.0.iter_mut().filter(|budget| budget.direction.has(direction)) {
            budget.left = budget.left.saturating_sub(bytes as u64);
        }
    }

    /// The fault that ends the connection now, with its end. A reset wins, then the fault that was applied first.
    pub(super) fn spent(&self) -> Option<(&Active, Ending, Directions)> {
        let spent = || self.0.iter().filter(|budget| budget.left == 0);
        let first = spent().find(|budget| budget.ending == Ending::Reset).or_else(|| spent().next())?;
        Some((&first.fault, first.ending, first.direction))
    }
}
