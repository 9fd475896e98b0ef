//! Shrinking: what a finding does not need is taken away, until nothing more can be.

use crate::{case::Case, invariant::Invariant, lab::Job, search::Search};
use chaos_model::Verdict;

/// Seeds with which a finding is checked.
const SEEDS: u64 = 3;

/// A shrunk case with the seeds that confirm it.
pub(crate) struct Shrunk {
    pub(crate) case: Case,
    pub(crate) seeds: Vec<u64>,
}

/// The case's text with one invariant.
pub(crate) fn text(search: &Search<'_>, case: &Case, invariant: &Invariant) -> String {
    case.text(search.subject, "a finding", &[invariant], None)
}

/// The smallest case that breaks this invariant by its faults alone, made from one that does; none where it can't be confirmed:
/// it fails once and not again, or without its faults too.
pub(crate) fn shrink(search: &Search<'_>, case: &Case, nth: usize) -> Option<Shrunk> {
    let three: Vec<u64> = (0..SEEDS).map(|more| search.seed.wrapping_add(more)).collect();
    // What needs a certain order of events shows itself with some seeds alone.
    let seeds = if stands(search, case, nth, &three) { three } else { vec![search.seed] };
    if seeds.len() == 1 && !stands(search, case, nth, &seeds) {
        return None;
    }
    let case = smallest(search, case.clone(), nth, &seeds);
    // With one of the seeds fewer faults may do: then it is told with these, and with that seed.
    for seed in &seeds {
        let fewer = case.with_fewer_faults().into_iter().find(|fewer| stands(search, fewer, nth, &[*seed]));
        if let Some(fewer) = fewer {
            return Some(Shrunk { case: smallest(search, fewer, nth, &[*seed]), seeds: vec![*seed] });
        }
    }
    Some(Shrunk { case, seeds })
}

fn smallest(search: &Search<'_>, mut case: Case, nth: usize, seeds: &[u64]) -> Case {
    while let Some(smaller) = step(search, &case, nth, seeds) {
        case = smaller;
    }
    case
}

/// The first of the smaller cases that still breaks it.
fn step(search: &Search<'_>, case: &Case, nth: usize, seeds: &[u64]) -> Option<Case> {
    let smaller = case.smaller();
    let job = |case: &Case| Job { text: text(search, case, &search.invariants[nth]), seed: seeds[0], control: false };
    let jobs: Vec<Job> = smaller.iter().map(job).collect();
    let seen = search.lab.run(&jobs);
    let breaks = smaller.into_iter().zip(seen).filter(|(_, seen)| seen.as_ref().is_ok_and(|seen| seen.fails(0)));
    breaks.map(|(case, _)| case).find(|case| stands(search, case, nth, seeds))
}

/// True where it fails with each of these seeds, and passes with each without its faults.
fn stands(search: &Search<'_>, case: &Case, nth: usize, seeds: &[u64]) -> bool {
    let text = text(search, case, &search.invariants[nth]);
    let jobs =
        seeds.iter().flat_map(|seed| [false, true].map(|control| Job { text: text.clone(), seed: *seed, control }));
    let jobs: Vec<Job> = jobs.collect();
    jobs.iter().zip(search.lab.run(&jobs)).all(|(job, seen)| {
        let verdict = seen.ok().and_then(|seen| seen.judged.first().map(|judged| judged.verdict));
        verdict == Some(if job.control { Verdict::Pass } else { Verdict::Fail })
    })
}
