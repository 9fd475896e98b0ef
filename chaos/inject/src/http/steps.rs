//! Steps, as few as will do.

use crate::{filter::Step, interpreter::Way};
use bytes::Bytes;

/// The list that steps are put into.
pub(super) type Steps<'a> = &'a mut Vec<Step>;

/// So many pass.
pub(super) fn pass(steps: Steps<'_>, way: Way, count: usize) {
    match steps.last_mut() {
        Some(Step::Pass(last, before)) if *last == way => *before += count,
        _ if count > 0 => steps.push(Step::Pass(way, count)),
        _ => {}
    }
}

/// So many are left out.
pub(super) fn skip(steps: Steps<'_>, way: Way, count: usize) {
    match steps.last_mut() {
        Some(Step::Skip(last, before)) if *last == way => *before += count,
        _ if count > 0 => steps.push(Step::Skip(way, count)),
        _ => {}
    }
}

/// Adds bytes to what goes this way.
pub(super) fn insert(steps: Steps<'_>, way: Way, bytes: Bytes) {
    if !bytes.is_empty() {
        steps.push(Step::Insert(way, bytes));
    }
}
