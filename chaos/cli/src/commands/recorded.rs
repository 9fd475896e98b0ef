//! Recordings, taken apart: scenarios, and for each its runs.

use chaos_model::{Event, Record, event::Begin};
use chaos_report::{Outcome, results::Results};

/// The runs of a scenario: one with its faults, and those that are compared with it (guards, control).
pub(super) struct RecordedScenario<'r> {
    runs: Vec<(&'r Begin, &'r [Record])>,
}

impl<'r> RecordedScenario<'r> {
    /// The scenarios of a recording, in the order of their first runs.
    pub(super) fn all(records: &'r [Record]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for records in records.chunk_by(|_, next| !matches!(next.event, Event::Begin(_))) {
            let Some(Event::Begin(begin)) = records.first().map(|first| &first.event) else { continue };
            let is_compared = begin.control || begin.without.is_some();
            let with = all.iter_mut().rfind(|one| is_compared && one.is_of(begin));
            match with {
                Some(one) => one.runs.push((begin, records)),
                None => all.push(Self { runs: vec![(begin, records)] }),
            }
        }
        all
    }

    fn is_of(&self, begin: &Begin) -> bool {
        self.begins().any(|own| (&own.file, &own.world, own.seed) == (&begin.file, &begin.world, begin.seed))
    }

    /// Beginnings of its runs, in the order in which they were made.
    pub(super) fn begins(&self) -> impl Iterator<Item = &'r Begin> {
        self.runs.iter().map(|(begin, _)| *begin)
    }

    /// The outcome of the scenario: what a guard or a control is meant to break is no failure.
    pub(super) fn outcome(&self) -> Outcome {
        let mut results = Results::default();
        self.runs.iter().flat_map(|(_, records)| *records).for_each(|record| results.on(record));
        let scenarios = results.scenarios();
        if scenarios.is_empty() {
            // What they are to be compared with is in no recording.
            return Outcome::worst(self.runs.iter().map(|(_, records)| Outcome::of(*records)));
        }
        Outcome::worst(scenarios.iter().map(chaos_report::results::ScenarioResult::outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::Verdict;

    fn run(file: &str, without: Option<&str>, control: bool, verdict: Option<Verdict>) -> Vec<Record> {
        let begin = Begin { file: file.to_owned(), without: without.map(str::to_owned), control, ..Begin::default() };
        let end = verdict.map(|verdict| Event::End { verdict: Some(verdict) });
        let events = std::iter::once(Event::Begin(begin)).chain(end);
        events.map(|event| Record { at_us: 0, event }).collect()
    }

    #[test]
    fn runs_that_are_compared_are_with_the_scenario_that_they_are_of() {
        let records = [
            run("a", None, false, Some(Verdict::Pass)),
            run("b", None, false, Some(Verdict::Fail)),
            run("a", Some("the cache"), false, Some(Verdict::Pass)),
            run("b", None, true, Some(Verdict::Fail)),
            run("c", Some("the cache"), false, Some(Verdict::Fail)),
            run("a", None, false, None),
        ]
        .concat();
        let all = RecordedScenario::all(&records);
        let files: Vec<Vec<&str>> = all.iter().map(|one| one.begins().map(|begin| &*begin.file).collect()).collect();
        assert_eq!(files, [vec!["a", "a"], vec!["b", "b"], vec!["c"], vec!["a"]]);
        let outcomes: Vec<Outcome> = all.iter().map(RecordedScenario::outcome).collect();
        // The plan of the first has no such guard, so that nothing is compared; what was cut off has not passed.
        let of = Outcome::Verdict;
        assert_eq!(outcomes, [of(Verdict::Pass), of(Verdict::Fail), of(Verdict::Fail), Outcome::Interrupted]);
    }
}
