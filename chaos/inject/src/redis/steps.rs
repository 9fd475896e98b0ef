//! Writes steps down.

use crate::{
    filter::{Injected, Step, Wait},
    interpreter::Way,
};

/// So many more bytes pass.
pub(super) fn pass(way: Way, bytes: usize, steps: &mut Vec<Step>) {
    match steps.last_mut() {
        _ if bytes == 0 => {}
        Some(Step::Pass(last, count)) if *last == way => *count += bytes,
        _ => steps.push(Step::Pass(way, bytes)),
    }
}

/// So many more bytes are left out.
pub(super) fn skip(way: Way, bytes: usize, steps: &mut Vec<Step>) {
    match steps.last_mut() {
        _ if bytes == 0 => {}
        Some(Step::Skip(last, count)) if *last == way => *count += bytes,
        _ => steps.push(Step::Skip(way, bytes)),
    }
}

/// Says that faults acted on one message.
pub(super) fn fire(injected: Vec<Injected>, steps: &mut Vec<Step>) {
    steps.extend(injected.into_iter().map(Step::Fired));
}

/// Replies wait from here on. Takes the injections of those who made them wait from `injected`; `waiting` commands wait
/// behind the one whose reply it is.
pub(super) fn delay(wait: Option<Wait>, injected: &mut Vec<Injected>, waiting: u64, steps: &mut Vec<Step>) {
    let Some(wait) = wait else { return };
    let (delayed, others) = std::mem::take(injected).into_iter().partition(|one| wait.is_of(&one.fault));
    *injected = others;
    steps.push(Step::Wait(Way::Down, wait));
    let delayed: Vec<Injected> = delayed;
    fire(delayed.into_iter().map(|one| Injected { bystanders: waiting, ..one }).collect(), steps);
}
