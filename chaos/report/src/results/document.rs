//! The results as a JSON document. Times are in microseconds, as they are in recordings.

use super::{Death, Results, Run, ScenarioResult};
use crate::{
    ControlResult, GuardResult, Outcome,
    against::{ARun, Against, Compared, MarginHistory, sentence, unpaired},
};
use chaos_model::{
    Margin,
    event::{Fired, Judged, PhaseFigures},
    ledger::FaultFigures,
};
use serde::Serialize;
use std::{
    borrow::Cow,
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

/// The version of the document's format. It changes when a reader of today would misread it.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    /// The worst of the scenarios' outcomes.
    outcome: &'static str,
    scenarios: Vec<Scenario<'a>>,
    /// Differences to earlier runs, where these were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    against: Vec<AgainstOne<'a>>,
    /// Earlier runs of scenarios that were not run now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_run_now: &'a Vec<ARun>,
    /// Earlier runs that came to no verdict.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    passed_over: &'a Vec<ARun>,
}

#[derive(Serialize)]
struct AgainstOne<'a> {
    file: &'a str,
    world: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_unix_ms: Option<u64>,
    /// The earlier run, and how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier: Option<&'a ARun>,
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_runs: Option<usize>,
    /// The scenario's text or its settings have changed since.
    scenario_changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_compared: Option<String>,
    worse: bool,
    changes: Vec<String>,
    same: usize,
    margins: Vec<OfComparison<'a>>,
}

#[derive(Serialize)]
struct OfComparison<'a> {
    that: &'a str,
    when: &'a str,
    expected: &'a str,
    now: Margin,
    earlier: Vec<Earlier>,
}

#[derive(Serialize)]
struct Earlier {
    unix_ms: u64,
    used_permille: u32,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Scenario<'a> {
    NotRun { file: &'a str, outcome: &'static str, why: Cow<'a, str> },
    Run(Box<Ran<'a>>),
}

#[derive(Serialize)]
struct Ran<'a> {
    file: &'a str,
    title: &'a str,
    world: &'a str,
    seed: u64,
    run: &'a str,
    chaos: &'a str,
    started_unix_ms: u64,
    took_us: u64,
    outcome: &'static str,
    /// The outcome of the run alone, without guards and control.
    run_outcome: &'static str,
    sentence: &'a str,
    inconclusive: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<&'a str>,
    expectations: &'a [Judged],
    /// Those that this world leaves to others.
    elsewhere: &'a [String],
    phases: &'a [PhaseFigures],
    faults: Vec<Fault<'a>>,
    died: &'a [Death],
    left_behind: &'a [String],
    /// The reason for which more may be left.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<&'a str>,
    logs: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    again: Option<String>,
    guards: Vec<Guard<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<Control<'a>>,
}

#[derive(Serialize)]
struct Fault<'a> {
    name: &'a str,
    what: String,
    fired: Fired,
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<&'a FaultFigures>,
}

#[derive(Serialize)]
struct Guard<'a> {
    without: &'a str,
    outcome: &'static str,
    must_break: &'a [String],
    may_break: &'a [String],
    broke: &'a [String],
    unsure: &'a [String],
    took_us: u64,
}

#[derive(Serialize)]
struct Control<'a> {
    outcome: &'static str,
    /// Expectations that came out otherwise without the faults.
    differing: Vec<&'a str>,
    took_us: u64,
}

/// Writes the results as one JSON document, a line long.
///
/// # Errors
/// Those of the writer.
pub fn write(results: &Results, mut out: impl Write) -> io::Result<()> {
    let all = results.scenarios();
    let outcome = Outcome::worst(all.iter().map(ScenarioResult::outcome)).word();
    let none = Against::default();
    let against = results.compared().unwrap_or(&none);
    let document = Document {
        format: FORMAT,
        outcome,
        scenarios: all.iter().map(scenario).collect(),
        against: against.runs.iter().map(against_one).collect(),
        not_run_now: &against.gone,
        passed_over: &against.passed_over,
    };
    serde_json::to_writer(&mut out, &document)?;
    writeln!(out)
}

fn against_one(one: &Compared) -> AgainstOne<'_> {
    let partner = one.partner.as_ref().ok();
    AgainstOne {
        file: &one.file,
        world: &one.world,
        earlier_unix_ms: partner.map(|partner| partner.run.unix_ms),
        earlier: partner.map(|partner| &partner.run),
        earlier_runs: partner.map(|partner| partner.of),
        scenario_changed: partner.is_some_and(|partner| partner.has_changed),
        not_compared: one.partner.as_ref().err().map(unpaired),
        worse: one.is_worse(),
        changes: one.changes.iter().map(sentence).collect(),
        same: one.same,
        margins: one.margins.iter().map(of_comparison).collect(),
    }
}

fn of_comparison(MarginHistory { place, now, earlier }: &MarginHistory) -> OfComparison<'_> {
    let one = |(unix_ms, margin): &(u64, Margin)| Earlier { unix_ms: *unix_ms, used_permille: margin.used_permille };
    OfComparison {
        that: &place.that,
        when: &place.when,
        expected: &place.expected,
        now: *now,
        earlier: earlier.iter().map(one).collect(),
    }
}

fn scenario(result: &ScenarioResult) -> Scenario<'_> {
    match result {
        ScenarioResult::Invalid(invalid) => {
            let why = Cow::Borrowed(invalid.why.as_str());
            Scenario::NotRun { file: &invalid.file, outcome: result.outcome().word(), why }
        }
        ScenarioResult::NotRun(not_run) => {
            let why = Cow::Owned(not_run.words());
            Scenario::NotRun { file: &not_run.file, outcome: result.outcome().word(), why }
        }
        ScenarioResult::Run(run) => Scenario::Run(Box::new(ran(run, result.outcome()))),
    }
}

fn ran(run: &Run, outcome: Outcome) -> Ran<'_> {
    let begin = &run.begin;
    let faults = run.faults_in_words().into_iter().map(|(name, what, _)| Fault {
        name,
        what,
        fired: run.fired.get(name).copied().unwrap_or_default(),
        figures: run.faults.iter().find(|figures| figures.fault == name),
    });
    Ran {
        file: &begin.file,
        title: &begin.title,
        world: &begin.world,
        seed: begin.seed,
        run: &begin.run,
        chaos: &begin.chaos,
        started_unix_ms: begin.unix_ms,
        took_us: micros(run.took),
        outcome: outcome.word(),
        run_outcome: run.outcome.word(),
        sentence: &run.sentence,
        inconclusive: &run.inconclusive,
        stopped_by: run.stopped_by.as_deref(),
        expectations: &run.judged,
        elsewhere: &begin.elsewhere,
        phases: &run.phases,
        faults: faults.collect(),
        died: &run.died,
        left_behind: &run.left,
        unseen: run.unseen.as_deref(),
        logs: &run.logs,
        again: run.again(),
        guards: run.guards.iter().map(guard).collect(),
        control: run.control.as_ref().map(control),
    }
}

fn guard(result: &GuardResult) -> Guard<'_> {
    Guard {
        without: &result.without,
        outcome: result.outcome().word(),
        must_break: &result.expected,
        may_break: &result.may_break,
        broke: &result.broke,
        unsure: &result.unsure,
        took_us: micros(result.took),
    }
}

fn control(result: &ControlResult) -> Control<'_> {
    let differing = result.expectations.iter().filter(|one| one.with != one.without);
    Control {
        outcome: result.outcome().word(),
        differing: differing.map(|one| one.that.as_str()).collect(),
        took_us: micros(result.took),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
