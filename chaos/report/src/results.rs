//! The results of a command's runs, in one value: what reports that a pipeline keeps are made of.
//!
//! A fold over events, in which each run keeps what is told of it as a whole; slices, scrapes and single injections are
//! passed over, so that a long run takes no more memory than a short one.

mod document;

pub use document::write as write_document;

use crate::{ControlResult, GuardResult, Outcome, RunResult, again, against::Against, sentence::Ended, words};
use chaos_model::{
    Event, Record,
    event::{Begin, Fired, Judged, PhaseFigures},
    ledger::FaultFigures,
    plan::SourcePlace,
};
use std::{collections::BTreeMap, time::Duration};

/// The runs of a command or of a recording, in the order in which they were made.
#[derive(Debug, Default)]
pub struct Results {
    entries: Vec<Entry>,
    against: Option<Against>,
}

#[derive(Debug)]
enum Entry {
    Run(Kept),
    Invalid(Invalid),
    NotRun(NotRun),
}

/// The events of a run that are kept.
#[derive(Debug, Default)]
struct Kept {
    records: Vec<Record>,
    last_us: u64,
}

/// A scenario that is not valid, so that it was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The scenario's file.
    pub file: String,
    /// Its mistakes, as people are told of them.
    pub why: String,
    /// The place of the first mistake, where it has one: a file, and the line from 1.
    pub place: Option<(String, usize)>,
}

/// A run that was not made, though it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    /// The scenario's file.
    pub file: String,
    /// The kind of run, where it is not the scenario as it stands (`without the cache`, `as a control`).
    pub kind: Option<String>,
    /// The reason (`the command was interrupted before`).
    pub why: String,
}

/// The results of a scenario: of the run with its faults, and of the runs that are compared with it.
#[derive(Debug)]
pub enum ScenarioResult {
    /// It was not valid.
    Invalid(Invalid),
    /// It was not run, or a run that belongs to it was not.
    NotRun(NotRun),
    /// It was run.
    Run(Box<Run>),
}

/// The result of a run with its faults, and of those that are compared with it.
#[derive(Debug)]
pub struct Run {
    /// Everything that was known as it began.
    pub begin: Begin,
    /// The run's outcome.
    pub outcome: Outcome,
    /// Time that it took.
    pub took: Duration,
    /// The outcome and why, in a sentence: `in 12.8s: all 3 expectations held`.
    pub sentence: String,
    /// The expectations, in the order of the scenario.
    pub judged: Vec<Judged>,
    /// Reasons for which the run as a whole is inconclusive.
    pub inconclusive: Vec<String>,
    /// The reason why the world failed, or the signal that interrupted the run.
    pub stopped_by: Option<String>,
    /// The figures of its phases.
    pub phases: Vec<PhaseFigures>,
    /// Counts of what each fault did, by its name.
    pub fired: BTreeMap<String, Fired>,
    /// The figures of faults.
    pub faults: Vec<FaultFigures>,
    /// Services that ended by themselves.
    pub died: Vec<Death>,
    /// Leftovers: what could not be removed.
    pub left: Vec<String>,
    /// The reason for which there may be leftovers that can't be seen, where there may be some.
    pub unseen: Option<String>,
    /// Folders of the logs by service, where they were kept.
    pub logs: BTreeMap<String, String>,
    /// Proofs of the scenario's guards, where there were any.
    pub guards: Vec<GuardResult>,
    /// The comparison with the same load without the faults, where there was one.
    pub control: Option<ControlResult>,
}

/// A service that ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Death {
    /// The service's name.
    pub service: String,
    /// The way it ended (`exit status: 1`).
    pub how: String,
    /// The last lines that it wrote.
    pub last_lines: Vec<String>,
}

impl Results {
    /// Takes an event in.
    pub fn on(&mut self, record: &Record) {
        if matches!(record.event, Event::Begin(_)) {
            self.entries.push(Entry::Run(Kept::default()));
        }
        if let Some(Entry::Run(run)) = self.entries.last_mut() {
            run.last_us = record.at_us;
            if is_kept(&record.event) {
                run.records.push(record.clone());
            }
        }
    }

    /// Takes note of a scenario that is not valid.
    pub fn invalid(&mut self, invalid: Invalid) {
        self.entries.push(Entry::Invalid(invalid));
    }

    /// Takes note of a run that was not made.
    pub fn not_run(&mut self, not_run: NotRun) {
        self.entries.push(Entry::NotRun(not_run));
    }

    /// Takes note of what became better or worse since earlier runs.
    pub fn against(&mut self, against: &Against) {
        self.against = Some(against.clone());
    }

    /// The comparison with earlier runs, where one was asked for.
    #[must_use]
    pub fn compared(&self) -> Option<&Against> {
        self.against.as_ref()
    }

    /// The results by scenario. Runs of guards and controls are with the last run of the same file before them; where there
    /// is none, they can't be compared and are left out.
    #[must_use]
    pub fn scenarios(&self) -> Vec<ScenarioResult> {
        let mut all: Vec<ScenarioResult> = Vec::new();
        // The events of the run that is compared, by its place in `all`.
        let mut whole: BTreeMap<usize, &Kept> = BTreeMap::new();
        for entry in &self.entries {
            let kept = match entry {
                Entry::Invalid(invalid) => {
                    all.push(ScenarioResult::Invalid(invalid.clone()));
                    continue;
                }
                Entry::NotRun(not_run) => {
                    all.push(ScenarioResult::NotRun(not_run.clone()));
                    continue;
                }
                Entry::Run(kept) => kept,
            };
            let Some(begin) = kept.begin() else { continue };
            if begin.without.is_none() && !begin.control {
                whole.insert(all.len(), kept);
                all.push(ScenarioResult::Run(Box::new(kept.run(begin))));
                continue;
            }
            let at = all.iter().rposition(|one| match one {
                ScenarioResult::Run(run) => run.begin.file == begin.file && run.begin.world == begin.world,
                ScenarioResult::Invalid(_) | ScenarioResult::NotRun(_) => false,
            });
            let Some((at, compared)) = at.and_then(|at| Some((at, *whole.get(&at)?))) else { continue };
            let ScenarioResult::Run(run) = &mut all[at] else { continue };
            if begin.control {
                run.control = Some(ControlResult::of(&compared.records, Some(&kept.records)));
                continue;
            }
            let guards = &run.begin.plan.guards;
            if let Some(guard) = guards.iter().find(|guard| Some(&guard.without) == begin.without.as_ref()) {
                let result = GuardResult::recorded(guard, &compared.result(), &kept.records);
                run.guards.push(GuardResult { took: kept.took(), ..result });
            }
        }
        all
    }
}

impl NotRun {
    /// It, in words: `it was not run without the cache: the command was interrupted before`.
    pub(crate) fn words(&self) -> String {
        let kind = self.kind.as_ref().map_or_else(String::new, |kind| format!(" {kind}"));
        format!("it was not run{kind}: {}", self.why)
    }
}

impl ScenarioResult {
    /// The scenario's file.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Invalid(invalid) => &invalid.file,
            Self::NotRun(not_run) => &not_run.file,
            Self::Run(run) => &run.begin.file,
        }
    }

    /// The outcome of the scenario, with those of its guards and of its control.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Invalid(_) => Outcome::Invalid,
            Self::NotRun(_) => Outcome::Interrupted,
            Self::Run(run) => {
                let compared = run.guards.iter().map(GuardResult::outcome);
                let compared = compared.chain(run.control.as_ref().map(ControlResult::outcome));
                Outcome::worst(compared.chain([run.outcome]))
            }
        }
    }
}

impl Run {
    /// The place of an expectation in the scenario's files.
    #[must_use]
    pub fn place(&self, judged: &Judged) -> Option<&SourcePlace> {
        let planned = self.begin.plan.expectations.iter();
        planned.filter(|planned| planned.that == judged.that).map(|planned| &planned.place).next()
    }

    /// Leftovers of it, and what may be left, in words; empty is as it should be.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let left = self.left.iter().map(|left| format!("left behind: {left}"));
        // What can't be known to be gone is not said to be.
        left.chain(self.unseen.iter().map(|why| format!("what is left can't all be seen: {why}"))).collect()
    }

    /// The command that makes it again.
    #[must_use]
    pub fn again(&self) -> Option<String> {
        again::command(&self.begin)
    }

    /// The faults as planned, each in words with what it did.
    pub(crate) fn faults_in_words(&self) -> Vec<(&str, String, Option<String>)> {
        let one = |fault: &'_ chaos_model::Fault| {
            let fired = self.fired.get(&fault.name).copied().unwrap_or_default();
            (words::fault(fault), words::fired(&fault.effect, &fired))
        };
        self.begin
            .faults
            .iter()
            .map(|fault| (fault.name.as_str(), one(fault)))
            .map(|(name, (what, did))| (name, what, did))
            .collect()
    }
}

/// Tells whether a report of results needs this event: what there are many of in a run, it doesn't.
#[must_use]
pub fn is_kept(event: &Event) -> bool {
    !matches!(event, Event::Slice(_) | Event::Counted(_) | Event::Scraped(_) | Event::Probed(_) | Event::Injected(_))
}

impl Kept {
    fn begin(&self) -> Option<&Begin> {
        self.records.iter().find_map(|record| match &record.event {
            Event::Begin(begin) => Some(begin),
            _ => None,
        })
    }

    fn took(&self) -> Duration {
        Duration::from_micros(self.last_us)
    }

    fn result(&self) -> RunResult {
        RunResult { took: self.took(), ..RunResult::of(&self.records) }
    }

    fn run(&self, begin: &Begin) -> Run {
        let mut run = Run {
            begin: begin.clone(),
            outcome: Outcome::of(&self.records),
            took: self.took(),
            sentence: String::new(),
            judged: Vec::new(),
            inconclusive: Vec::new(),
            stopped_by: None,
            phases: Vec::new(),
            fired: BTreeMap::new(),
            faults: Vec::new(),
            died: Vec::new(),
            left: Vec::new(),
            unseen: None,
            logs: BTreeMap::new(),
            guards: Vec::new(),
            control: None,
        };
        self.records.iter().for_each(|record| run.on(&record.event));
        let never = run.fired.iter().filter(|(_, fired)| !fired.any());
        let ended = Ended {
            outcome: run.outcome,
            took: run.took,
            judged: &run.judged,
            inconclusive: &run.inconclusive,
            never_fired: never.map(|(name, _)| name.as_str()).collect(),
            stopped_by: run.stopped_by.as_deref(),
        };
        run.sentence = ended.sentence();
        run
    }
}

impl Run {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Judged(judged) => self.judged.push(judged.clone()),
            Event::Inconclusive { why, .. } => self.inconclusive.push(why.clone()),
            Event::Interrupted { by: why } | Event::WorldFailed { why } => {
                self.stopped_by.get_or_insert_with(|| why.clone());
            }
            Event::Phase(figures) => self.phases.push(figures.clone()),
            Event::FaultRemoved { fault, fired, .. } => *self.fired.entry(fault.clone()).or_default() += *fired,
            Event::FaultFigures(figures) => self.faults.push(figures.clone()),
            Event::ServiceDied { service, how, last_lines } => {
                self.died.push(Death { service: service.clone(), how: how.clone(), last_lines: last_lines.clone() })
            }
            Event::TornDown { left, unseen, logs, .. } => {
                self.left.clone_from(left);
                self.unseen.clone_from(unseen);
                self.logs.clone_from(logs);
            }
            _ => {}
        }
    }
}
