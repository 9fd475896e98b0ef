//! `junit`: the results as JUnit XML, as Jenkins, GitLab and most others read it.
//!
//! A suite is a scenario, a case an expectation; a guard and a control are a case each, and so is every reason for which there
//! is no verdict. What did not hold is a failure; what can't be said is an error of the type `inconclusive`, so that it never
//! looks like a pass; what is left to other worlds is skipped.

use super::{OfResults, Row};
use crate::{
    ControlResult, GuardResult, Outcome,
    against::{self, Against, Compared},
    results::{Invalid, Results, Run, ScenarioResult},
    text::clean,
    words,
};
use chaos_model::{
    Verdict,
    event::{Judged, JudgedCheck},
};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};

pub(super) const ROW: Row = Row {
    name: "junit",
    about: "JUnit XML: a suite a scenario, a case an expectation",
    new: |_, _| OfResults::boxed(write),
};

fn write(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let scenarios = results.scenarios();
    let mut times = BTreeMap::<&str, usize>::new();
    scenarios.iter().for_each(|one| *times.entry(one.file()).or_default() += 1);
    let mut report = quick_junit::Report::new("chaos");
    for one in &scenarios {
        let several = times.get(one.file()).is_some_and(|times| *times > 1);
        report.add_test_suite(suite(one, several));
    }
    report.add_test_suites(results.compared().map(since));
    let text = report.to_string().map_err(io::Error::other)?;
    // Of the root, the schema of most readers (Jenkins' junit-10.xsd) has no such attribute; suites have it.
    let skipped = format!(" skipped=\"{}\"", report.skipped);
    out.write_all(text.replacen(&skipped, "", 1).as_bytes())
}

/// The suite of a scenario. Where `several` runs are of one file, each is named by its world and seed too.
fn suite(result: &ScenarioResult, several: bool) -> TestSuite {
    let file = xml(result.file());
    let class = file.strip_suffix(".toml").unwrap_or(&file).trim_start_matches("./").replace('/', ".");
    let (name, mut cases) = match result {
        ScenarioResult::Invalid(invalid) => (file, vec![invalid_case(invalid)]),
        ScenarioResult::NotRun(not_run) => {
            let why = not_run.words();
            (file, vec![error("the scenario is run", "interrupted", &why)])
        }
        ScenarioResult::Run(run) => {
            let name = format!("{file} ({}, seed {})", xml(&run.begin.world), run.begin.seed);
            (if several { name } else { file }, cases(run))
        }
    };
    let mut suite = TestSuite::new(name);
    if let ScenarioResult::Run(run) = result {
        describe(&mut suite, run);
    }
    for case in &mut cases {
        case.set_classname(&class);
    }
    suite.add_test_cases(cases);
    suite
}

/// The suite of what became better or worse: what did is told, and fails nothing, since nobody said that it must not.
/// What has no partner is skipped.
fn since(against: &Against) -> TestSuite {
    let mut suite = TestSuite::new("against earlier runs");
    let mut add = |name: &str, status, text: &str| {
        let mut case = case(name, status);
        case.set_classname("against");
        if !text.is_empty() {
            case.set_system_out(text);
        }
        suite.add_test_case(case);
    };
    let skipped = |why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(xml(why));
        status
    };
    for one in &against.runs {
        let name = format!("{} ({})", one.file, one.world);
        match &one.partner {
            Ok(partner) => add(&name, TestCaseStatus::success(), &compared_lines(one, &against::earlier_run(partner))),
            Err(why) => add(&name, skipped(&against::unpaired(why)), ""),
        }
    }
    for run in &against.gone {
        add(&format!("{} ({})", run.file, run.world), skipped(&against::no_longer(run)), "");
    }
    for run in &against.passed_over {
        add(&format!("{} ({})", run.file, run.world), skipped(&against::passed_over(run)), "");
    }
    suite
}

/// Lines of changes and of margins.
fn compared_lines(one: &Compared, earlier: &str) -> String {
    let changes = one.changes.iter().map(against::sentence);
    let margins = one.margins.iter().map(|margin| format!("margin: {}", against::history(margin)));
    let lines = std::iter::once(format!("compared with {earlier}")).chain(changes).chain(margins);
    lines.map(|line| format!("{}\n", xml(&line))).collect()
}

/// Gives the suite what is known of its run: when, where, by which seed, and what services said last.
fn describe(suite: &mut TestSuite, run: &Run) {
    let begin = &run.begin;
    suite.set_time(run.took);
    suite.extra.insert("timestamp".into(), words::moment(begin.unix_ms).into());
    let mut properties = vec![
        ("title", xml(&begin.title)),
        ("world", xml(&begin.world)),
        ("seed", begin.seed.to_string()),
        ("chaos", xml(&begin.chaos)),
    ];
    properties.extend(run.again().map(|again| ("again", xml(&again))));
    suite.add_properties(properties.iter().map(|(name, value)| (*name, value.as_str())));
    let mut out = format!("{}\n", xml(&run.sentence));
    for (name, what, did) in run.faults_in_words() {
        let none = if run.fired.contains_key(name) { "never fired" } else { "never began" };
        let did = did.unwrap_or_else(|| none.to_owned());
        out += &format!("fault {}: {}: {}\n", xml(name), xml(&what), xml(&did));
    }
    run.leftovers().iter().for_each(|line| out += &format!("{}\n", xml(line)));
    for (service, path) in &run.logs {
        out += &format!("log of {}: {}\n", xml(service), xml(path));
    }
    suite.set_system_out(out);
    let mut died = String::new();
    for death in &run.died {
        died += &format!("{} died: {}\n", xml(&death.service), xml(&death.how));
        death.last_lines.iter().for_each(|line| died += &format!("| {}\n", xml(line)));
    }
    if !died.is_empty() {
        suite.set_system_err(died);
    }
}

/// The cases of a run, in the order in which a terminal tells of them.
fn cases(run: &Run) -> Vec<TestCase> {
    let mut cases: Vec<TestCase> = run.judged.iter().map(|judged| expectation(run, judged)).collect();
    for that in &run.begin.elsewhere {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("left to other worlds than {}", xml(&run.begin.world)));
        cases.push(case(that, status));
    }
    cases.extend(run.guards.iter().map(guard));
    cases.extend(run.control.as_ref().map(control));
    cases.extend(run.inconclusive.iter().map(|why| error("the run can be judged", "inconclusive", why)));
    let why = run.stopped_by.as_deref().unwrap_or(&run.sentence);
    match run.outcome {
        Outcome::WorldFailed => cases.push(error("the world does what the scenario asks", "world failed", why)),
        Outcome::Interrupted => cases.push(error("the run comes to its end", "interrupted", why)),
        // Whatever it is that can't be said, a reader of cases alone has to know of it.
        Outcome::Verdict(Verdict::Inconclusive) if cases.iter().all(|case| !is_error(case)) => {
            cases.push(error("the run can be judged", "inconclusive", &run.sentence));
        }
        Outcome::Verdict(_) | Outcome::Invalid => {}
    }
    cases
}

fn is_error(case: &TestCase) -> bool {
    matches!(case.status, TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. })
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(name), status);
    case.set_time(Duration::ZERO);
    case
}

fn error(name: &str, kind: &str, why: &str) -> TestCase {
    case(name, not_passed(NonSuccessKind::Error, kind, why, why))
}

fn not_passed(kind: NonSuccessKind, word: &str, message: &str, more: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let more = more.lines().map(|line| format!("{}\n", xml(line))).collect::<String>();
    status.set_type(word).set_message(xml(message)).set_description(more);
    status
}

fn expectation(run: &Run, judged: &Judged) -> TestCase {
    let lines = |all: &mut dyn Iterator<Item = &JudgedCheck>| all.map(line).collect::<String>();
    let first = |verdict| {
        let mut of = judged.checks.iter().filter(move |check| check.verdict == verdict);
        of.next().map_or_else(String::new, |check| format!("{}: seen {}", check.expected, check.seen))
    };
    let unsure = || {
        let notes = judged.checks.iter().filter(|check| check.verdict == Verdict::Inconclusive);
        notes.filter_map(|check| check.note.clone()).next().unwrap_or_else(|| first(Verdict::Inconclusive))
    };
    let all = lines(&mut judged.checks.iter());
    let status = match judged.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => not_passed(NonSuccessKind::Failure, "expectation", &first(Verdict::Fail), &all),
        Verdict::Inconclusive => not_passed(NonSuccessKind::Error, "inconclusive", &unsure(), &all),
    };
    let mut case = case(&judged.that, status);
    let phase = run.begin.phases.iter().find(|phase| {
        judged.when.strip_prefix(phase.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
    });
    if let Some(phase) = phase {
        case.set_time(phase.to.saturating_sub(phase.from));
    }
    // What did not hold is told where it is said that it didn't.
    let lines = if judged.verdict == Verdict::Pass { &all } else { "" };
    case.set_system_out(format!("{}\n{lines}", xml(&judged.when)));
    case
}

/// A comparison: `FAIL  latency.p99 < 50ms: seen 1.51s (scenarios/redis_down.toml:23)`, and what explains it.
fn line(check: &JudgedCheck) -> String {
    let word = match check.verdict {
        Verdict::Pass => "ok",
        Verdict::Fail => "FAIL",
        Verdict::Inconclusive => "????",
    };
    let (expected, seen, file) = (xml(&check.expected), xml(&words::seen(check)), xml(&check.file));
    let note = check.note.as_ref().map_or_else(String::new, |note| format!("      {}\n", xml(note)));
    format!("{word:<4}  {expected}: seen {seen} ({file}:{})\n{note}", check.line)
}

fn guard(result: &GuardResult) -> TestCase {
    let more = result.lines().into_iter().map(|(what, that)| format!("{what}{that}\n")).collect::<String>();
    let name = format!("guard: without {}", result.without);
    compared(&name, result.outcome(), "guard", "not exactly what it names broke", &more)
}

fn control(result: &ControlResult) -> TestCase {
    let same = result.expectations.iter().filter(|one| one.with == one.without);
    let more = same.map(|one| format!("the same without faults: {} ({})\n", one.that, one.with)).collect::<String>();
    let why = "nothing comes out otherwise without the faults";
    compared("control: the scenario shows something", result.outcome(), "control", why, &more)
}

/// The case of what was compared with a run.
fn compared(name: &str, outcome: Outcome, word: &str, why: &str, more: &str) -> TestCase {
    let status = match outcome {
        Outcome::Verdict(Verdict::Pass) => TestCaseStatus::success(),
        Outcome::Verdict(Verdict::Fail) => not_passed(NonSuccessKind::Failure, word, why, more),
        other => not_passed(NonSuccessKind::Error, &other.word().replace('_', " "), "it can't be said", more),
    };
    case(name, status)
}

fn invalid_case(invalid: &Invalid) -> TestCase {
    let first = invalid.why.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // Neither file nor line: the schema of most readers (Jenkins' junit-10.xsd) has no such attributes. They are in the text.
    case("the scenario is valid", not_passed(NonSuccessKind::Error, "invalid", first, &invalid.why))
}

/// A line as it may stand in XML 1.0, section 2.2: without characters that no document can have, escaped or not.
fn xml(text: &str) -> String {
    clean(text).replace(['\u{fffe}', '\u{ffff}'], "")
}
