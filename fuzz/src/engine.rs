//! The engine: inputs for one target, until one brings it down or the budget is spent.

use crate::{
    edit::{Case, cases},
    panics,
    targets::{Subject, Target},
};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// Inputs between two looks at the clock.
const AT_ONCE: u32 = 64;

/// The most attempts to make an input smaller.
const SMALLER: u32 = 2000;

/// Limits of a run; whichever is reached first ends it.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Inputs.
    pub inputs: u64,
    /// Time.
    pub time: Duration,
}

/// An input that brings a target down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The input, as small as it was made.
    pub input: Vec<u8>,
    /// The panic.
    pub why: String,
}

/// The outcome of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Inputs that were tried.
    pub inputs: u64,
    /// The input that brought the target down, if one did.
    pub finding: Option<Finding>,
}

/// Tries inputs, the same ones for the same seed. `before` is told of each first, so that one that ends the process is known.
pub fn run(target: &Target, seed: u64, budget: Budget, mut before: impl FnMut(&[u8])) -> Outcome {
    let (seeds, begun) = ((target.seeds)(), now());
    let state = RefCell::new((&mut before, (target.start)()));
    let (strategy, inputs) = (cases(), Cell::new(0));
    for batch in 0_u64.. {
        let tried = runner(seed, batch).run(&strategy, |case: Case| {
            inputs.set(inputs.get() + 1);
            let input = case.bytes(&seeds, target.words);
            let mut state = state.borrow_mut();
            let (before, subject) = &mut *state;
            before(&input);
            attempt(subject, &input).map_err(|why| {
                // It may have left things in any state.
                *subject = (target.start)();
                TestCaseError::fail(why)
            })
        });
        if let Err(TestError::Fail(why, case)) = tried {
            let input = case.bytes(&seeds, target.words);
            return Outcome { inputs: inputs.get(), finding: Some(Finding { input, why: why.message().to_owned() }) };
        }
        if inputs.get() >= budget.inputs || begun.elapsed() >= budget.time {
            break;
        }
    }
    Outcome { inputs: inputs.get(), finding: None }
}

/// A runner of some inputs. One makes no more than its number of cases, however often it is asked.
fn runner(seed: u64, batch: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&batch.to_le_bytes());
    let config = Config { cases: AT_ONCE, failure_persistence: None, max_shrink_iters: SMALLER, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Tries one input.
///
/// # Errors
/// The panic, in words, where it brings the target down.
pub fn replay(target: &Target, input: &[u8]) -> Result<(), String> {
    attempt(&mut (target.start)(), input)
}

/// Panics of tasks count too: their host catches them.
fn attempt(subject: &mut Subject, input: &[u8]) -> Result<(), String> {
    let _ = panics::take();
    let result = panics::during(|| catch_unwind(AssertUnwindSafe(|| subject(input))));
    match (result, panics::take()) {
        (Ok(()), None) => Ok(()),
        (_, Some(why)) => Err(why),
        (Err(_), None) => Err("a panic without words".to_owned()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that a machine takes is what a budget is about")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted() -> Target {
        let start =
            || -> Subject { Box::new(|input| assert!(!input.windows(4).any(|four| four == b"bang"), "it went off")) };
        let seeds = || vec![b"a good input, 1 of 2, with much around it".to_vec(), b"and another".to_vec()];
        Target { name: "planted", about: "goes off at a word", seeds, words: &["ba", "ng", "bang!", "x"], start }
    }

    #[test]
    fn what_is_planted_is_found_and_made_small() {
        let budget = Budget { inputs: 100_000, time: Duration::from_secs(60) };
        let (mut told, target) = (0, planted());
        let outcome = run(&target, 7, budget, |_| told += 1);
        let Finding { input, why } = outcome.finding.expect("it is found");
        assert!(why.contains("it went off"), "{why}");
        assert!(input.len() < 60, "{}", String::from_utf8_lossy(&input));
        assert_eq!(told, outcome.inputs);
        // The same again, and it can be tried by itself.
        assert_eq!(run(&target, 7, budget, |_| {}).finding.map(|finding| finding.input), Some(input.clone()));
        assert!(replay(&target, &input).is_err() && replay(&target, b"harmless").is_ok());
    }

    #[test]
    fn a_budget_ends_a_run() {
        let harmless = Target { start: || Box::new(|_| {}), ..planted() };
        let few = run(&harmless, 1, Budget { inputs: 100, time: Duration::from_secs(60) }, |_| {});
        assert!((100..200).contains(&few.inputs) && few.finding.is_none(), "{few:?}");
        let short = run(&harmless, 1, Budget { inputs: u64::MAX, time: Duration::from_millis(50) }, |_| {});
        assert!(short.inputs > 0);
    }
}
