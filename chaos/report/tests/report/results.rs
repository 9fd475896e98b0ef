//! What pipelines keep: JUnit XML, Markdown, JSON, and the annotations of GitHub Actions.

use crate::made_up;
use chaos_model::{Event, Record, Verdict, plan::PlannedGuard};
use chaos_report::{
    Outcome, Style,
    against::Earlier,
    github,
    reports::REPORTS,
    results::{Invalid, NotRun, Results, ScenarioResult},
};
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use std::sync::Arc;

/// A name of somebody who means no good.
const HOSTILE: &str = "a|b `c` <img src=x onerror=alert(1)> [x](http://evil) @everyone #1 www.evil.example\u{1b}[2J\u{202e}\u{ffff}]]>\n::error::pwned";

pub(crate) fn report(name: &str, runs: &[Vec<Record>], invalid: &[Invalid]) -> String {
    let row = REPORTS.iter().find(|row| row.name == name).unwrap();
    let (mut report, mut out) = ((row.new)(Style::default(), true), Vec::new());
    invalid.iter().for_each(|invalid| report.invalid(invalid));
    runs.iter().flatten().for_each(|record| report.on(record, &mut out).unwrap());
    report.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A report of a run that is compared with earlier ones, of which the first came to no verdict.
fn compared(name: &str, earlier: &[Vec<Record>], now: &[Record]) -> String {
    let mut fold = Earlier::default();
    for (nth, run) in earlier.iter().enumerate() {
        fold.recording(&format!("{nth} {HOSTILE}"));
        run.iter().for_each(|record| fold.on(record));
    }
    let against = fold.compare(now);
    let row = REPORTS.iter().find(|row| row.name == name).unwrap();
    let (mut report, mut out) = ((row.new)(Style::default(), true), Vec::new());
    assert!(report.against(&against), "{name} tells of it itself");
    now.iter().for_each(|record| report.on(record, &mut out).unwrap());
    report.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Earlier runs, of the same scenario and of one that is gone.
fn earlier() -> Vec<Vec<Record>> {
    let cut = made_up::passing().into_iter().take(12).collect();
    vec![cut, made_up::passing(), made_up::passing(), named("scenarios/gone.toml", made_up::passing())]
}

pub(crate) fn invalid() -> Invalid {
    let why = "error: there is no service called `rediss`\n --> scenarios/typo.toml:7:8\n".to_owned();
    Invalid { file: "scenarios/typo.toml".to_owned(), why, place: Some(("scenarios/typo.toml".to_owned(), 7)) }
}

/// The same run of another file.
fn named(file: &str, mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        if let Event::Begin(begin) = &mut record.event {
            file.clone_into(&mut begin.file);
        }
    }
    records
}

/// A run of every outcome, each of a file of its own.
fn all() -> Vec<Vec<Record>> {
    vec![
        made_up::passing(),
        named("scenarios/fails.toml", made_up::failing()),
        named("scenarios/unsure.toml", made_up::inconclusive()),
        named("scenarios/no_world.toml", made_up::world_failed()),
        named("scenarios/stopped.toml", made_up::interrupted()),
    ]
}

/// A scenario with a guard, and the guard's run, in which the first expectation breaks or holds.
pub(crate) fn guarded(breaks: bool) -> Vec<Vec<Record>> {
    let guard = PlannedGuard {
        without: "the memory tier".to_owned(),
        set: Vec::new(),
        breaks: vec!["clients never notice".to_owned()],
        may_break: Vec::new(),
    };
    let give = |mut records: Vec<Record>, without: Option<&str>| {
        if let Event::Begin(begin) = &mut records[0].event {
            Arc::make_mut(&mut begin.plan).guards = vec![guard.clone()];
            begin.without = without.map(str::to_owned);
        }
        records
    };
    let mut proof = made_up::passing();
    for record in &mut proof {
        if let Event::Judged(judged) = &mut record.event
            && breaks
            && judged.index == 0
        {
            judged.verdict = Verdict::Fail;
            judged.checks[0].verdict = Verdict::Fail;
        }
    }
    vec![give(made_up::passing(), None), give(proof, Some("the memory tier"))]
}

fn counts(xml: &str) -> (usize, usize, usize) {
    let report = Report::deserialize_from_str(xml).unwrap();
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let of = |wanted| {
        let is =
            move |status: &TestCaseStatus| matches!(status, TestCaseStatus::NonSuccess { kind, .. } if *kind == wanted);
        cases.clone().filter(|case| is(&case.status)).count()
    };
    assert_eq!((report.failures, report.errors), (of(NonSuccessKind::Failure), of(NonSuccessKind::Error)), "{xml}");
    (report.tests, report.failures, report.errors)
}

#[test]
fn runs_of_every_outcome_as_junit() {
    insta::assert_snapshot!(report("junit", &all(), &[invalid()]));
}

#[test]
fn runs_of_every_outcome_as_markdown() {
    insta::assert_snapshot!(report("markdown", &all(), &[invalid()]));
}

#[test]
fn runs_of_every_outcome_as_json() {
    let text = report("json", &all(), &[invalid()]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["outcome"], "interrupted", "the worst of all");
    let outcomes: Vec<_> = json["scenarios"].as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["invalid", "pass", "fail", "inconclusive", "world_failed", "interrupted"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["scenarios"][2]).unwrap());
}

/// What a reader of cases alone sees is what the exit code says: no failure and no error where all passed, a failure where
/// something failed, and never a pass for what can't be said.
#[test]
fn the_counts_of_junit_say_what_the_exit_code_says() {
    let of = |runs: Vec<Record>| {
        let (tests, failures, errors) = counts(&report("junit", &[runs], &[]));
        assert!(tests > 0);
        (failures > 0, errors > 0)
    };
    assert_eq!(of(made_up::passing()), (false, false));
    assert!(of(made_up::failing()).0);
    assert_eq!(of(made_up::inconclusive()), (false, true));
    assert_eq!(of(made_up::world_failed()), (false, true));
    assert_eq!(of(made_up::interrupted()), (false, true));
    assert_eq!(counts(&report("junit", &[], &[invalid()])), (1, 0, 1));
    // A recording that is cut off is no pass.
    let cut: Vec<_> = made_up::passing().into_iter().take(12).collect();
    assert_eq!(of(cut), (false, true));
    // Nor is an inconclusive end of which nothing tells why.
    let mut bare = made_up::passing();
    bare.last_mut().unwrap().event = Event::End { verdict: Some(Verdict::Inconclusive) };
    assert_eq!(of(bare), (false, true));
}

/// What was not run any more is no pass, though no event tells of it.
#[test]
fn a_run_that_was_not_made_is_told_in_every_report() {
    let not_run = NotRun {
        file: "scenarios/next.toml".to_owned(),
        kind: Some("without <the cache>".to_owned()),
        why: "the command was interrupted before".to_owned(),
    };
    let written = |name: &str| {
        let row = REPORTS.iter().find(|row| row.name == name).unwrap();
        let (mut report, mut out) = ((row.new)(Style::default(), true), Vec::new());
        made_up::passing().iter().for_each(|record| report.on(record, &mut out).unwrap());
        report.not_run(&not_run);
        report.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let words = "it was not run without &lt;the cache&gt;: the command was interrupted before";
    for name in ["junit", "markdown", "html"] {
        assert!(written(name).contains(words), "{name}: {}", written(name));
    }
    assert_eq!(counts(&written("junit")), (4, 0, 1));
    let json: serde_json::Value = serde_json::from_str(&written("json")).unwrap();
    assert_eq!((&json["outcome"], &json["scenarios"][1]["outcome"]), (&"interrupted".into(), &"interrupted".into()));
    let mut results = Results::default();
    results.not_run(not_run);
    let line = "::error file=scenarios/next.toml,line=1,title=not run::it was not run without <the cache>: the command was interrupted before\n";
    assert_eq!(github::annotations(&results, str::to_owned), line);
}

/// What is left of a run, and what can't be known to be gone, is told whatever came of it.
#[test]
fn leftovers_are_told_of_a_run_that_passed_too() {
    let mut records = made_up::passing();
    for record in &mut records {
        if let Event::TornDown { left, unseen, .. } = &mut record.event {
            *left = vec!["process 4711".to_owned()];
            *unseen = Some("the supervisor was lost".to_owned());
        }
    }
    for name in ["junit", "markdown", "html"] {
        let text = report(name, std::slice::from_ref(&records), &[]);
        for words in ["left behind: process 4711", "all be seen: the supervisor was lost"] {
            assert!(text.contains(words), "{name}: {text}");
        }
    }
    let json: serde_json::Value = serde_json::from_str(&report("json", &[records], &[])).unwrap();
    assert_eq!(json["scenarios"][0]["left_behind"][0], "process 4711");
    assert_eq!(json["scenarios"][0]["unseen"], "the supervisor was lost");
    let none = report("json", &[made_up::passing()], &[]);
    assert!(!none.contains("unseen"), "{none}");
}

#[test]
fn guards_and_controls_are_cases_of_their_scenario() {
    for (breaks, failures) in [(true, 0), (false, 1)] {
        let xml = report("junit", &guarded(breaks), &[]);
        assert_eq!(counts(&xml), (4, failures, 0), "{xml}");
        assert!(xml.contains("guard: without the memory tier"), "{xml}");
        let mut results = Results::default();
        guarded(breaks).iter().flatten().for_each(|record| results.on(record));
        let all = results.scenarios();
        assert_eq!(all.len(), 1);
        let outcome = if breaks { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(all[0].outcome(), Outcome::Verdict(outcome));
        let ScenarioResult::Run(run) = &all[0] else { panic!("it was run") };
        assert_eq!(run.outcome, Outcome::Verdict(Verdict::Pass), "what a guard breaks is no defect of the scenario");
    }
    let xml = report("junit", &[made_up::passing(), made_up::control()], &[]);
    assert_eq!(counts(&xml), (4, 0, 0), "what breaks without the faults is no failure: {xml}");
    assert!(xml.contains("control: the scenario shows something"), "{xml}");
    let markdown = report("markdown", &guarded(false), &[]);
    assert!(markdown.contains("**NOT PROVEN** without the memory tier"), "{markdown}");
}

#[test]
fn several_runs_of_one_file_are_told_apart() {
    let xml = report("junit", &[made_up::passing(), made_up::passing()], &[]);
    assert_eq!(xml.matches("<testsuite name=\"scenarios/redis_down.toml (local, seed 42)\"").count(), 2, "{xml}");
}

#[test]
fn markdown_stays_below_what_a_comment_takes() {
    let mut many: Vec<_> = (0..400).map(|n| named(&format!("scenarios/{n}.toml"), made_up::failing())).collect();
    many.push(named(&"long ".repeat(1000), made_up::failing()));
    many.extend((0..400).map(|n| named(&format!("scenarios/good_{n}.toml"), made_up::passing())));
    let text = report("markdown", &many, &[]);
    assert!(text.len() < 64_000 && text.chars().count() < 65_536, "{} bytes", text.len());
    assert!(text.starts_with("### chaos: FAIL, 400 of 801 scenarios passed\n"), "{}", &text[..100]);
    assert!(text.contains(" more | | |\n") && text.contains(" more that did not pass."), "it says what is left out");
    assert!(text.contains("scenarios/0.toml: FAIL"), "what did not pass comes first");
}

#[test]
fn annotations_stand_at_the_lines_of_the_scenario() {
    let mut results = Results::default();
    made_up::failing().iter().for_each(|record| results.on(record));
    insta::assert_snapshot!(github::annotations(&results, |file| format!("system/{file}")));
}

/// A run with slices, of a system with links.
pub(crate) fn drawn() -> Vec<Record> {
    let mut records = made_up::passing();
    if let Event::Begin(begin) = &mut records[0].event {
        let link = |link: &str| chaos_model::plan::PlannedLink {
            link: link.to_owned(),
            protocol: None,
            transport: chaos_model::protocol::Transport::default(),
        };
        Arc::make_mut(&mut begin.plan).system.links = vec![link("client -> gateway"), link("gateway -> redis")];
    }
    records
}

#[test]
fn a_page_is_whole_and_asks_nothing_of_any_network() {
    let page = report("html", &[drawn()], &[]);
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</main></body></html>\n"), "{page}");
    for forbidden in ["<script", "http://", "https://", "url(", "@import", " src=", "javascript:"] {
        assert!(!page.contains(forbidden), "{forbidden} in {page}");
    }
    for there in
        ["PASS", "all 3 expectations held", "<svg class=\"chart\"", "<svg class=\"system\"", "chaos run scenarios/"]
    {
        assert!(page.contains(there), "{there} in {page}");
    }
    assert!(page.contains("class=\"link hit\""), "the link with the fault is marked");
    assert!(page.len() < 600_000, "{} bytes", page.len());
}

/// The page has the terminal's figures, cell by cell.
#[test]
fn a_page_has_the_figures_of_the_terminal() {
    for records in [made_up::passing(), made_up::failing(), made_up::slow()] {
        let page = report("html", std::slice::from_ref(&records), &[]);
        let text = report("text", &[records], &[]);
        let rows = text.lines().skip_while(|line| !line.starts_with("  phase ")).skip(1);
        let rows = rows.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
        let mut cells = 0;
        for cell in rows.flat_map(|row| row.split_whitespace().skip(1)) {
            assert!(page.contains(&format!(">{cell}</td>")), "{cell} of {text}");
            cells += 1;
        }
        assert!(cells >= 4 * 7, "{cells} cells in {text}");
    }
}

#[test]
fn what_became_worse_is_in_what_pipelines_keep() {
    let json: serde_json::Value = serde_json::from_str(&compared("json", &earlier(), &made_up::failing())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&json["against"]).unwrap());
    assert_eq!(
        (json["not_run_now"][0]["file"].clone(), json["passed_over"].as_array().unwrap().len()),
        ("scenarios/gone.toml".into(), 1)
    );
    insta::assert_snapshot!(compared("markdown", &earlier(), &made_up::failing()));
    let xml = compared("junit", &earlier(), &made_up::failing());
    let (_, since) = xml.split_once("<testsuite name=\"against earlier runs\"").unwrap();
    insta::assert_snapshot!(since);
    counts(&xml);
}

#[test]
fn a_page_has_the_earlier_run_in_dashes_and_its_numbers() {
    let page = compared("html", &earlier(), &drawn());
    let alone = report("html", &[drawn()], &[]);
    assert_eq!(alone.matches("stroke-dasharray=\"").count(), 0, "{alone}");
    let of = |ink: &&str| alone.matches(&format!("stroke=\"var(--{ink})\"")).count();
    let lines: usize = ["good", "bad", "first", "second", "third"].iter().map(of).sum();
    assert!(lines >= 8, "{lines} lines");
    assert_eq!(
        page.matches("stroke-dasharray=\"").count(),
        lines,
        "each line that there is has one of the earlier run"
    );
    assert_eq!(page.matches("<b class=\"then\"></b>earlier run").count(), 4, "a legend for each chart of lines");
    assert!(page.contains("; earlier run: ") && page.contains("<summary>The numbers of the earlier run</summary>"));
    assert_eq!(page.matches("<svg class=\"spark\"").count(), 1, "a comparison has a margin");
    assert!(page.contains("used of the room, run by run: 24.8%, 24.8%, 24.8%"), "{page}");
    for forbidden in ["<img", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(forbidden), "{forbidden:?} in {page}");
    }
}
