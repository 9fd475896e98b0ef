//! `markdown`: the results for a pull request or a job's summary, in GitHub's Markdown.

use super::{OfResults, Row};
use crate::{
    ControlResult, GuardResult, Outcome,
    against::{self, Against, MarginHistory},
    results::{Results, Run, ScenarioResult},
    terminal::headline,
    text::clean,
    words::{self, count},
};
use chaos_model::{Margin, Verdict, event::JudgedCheck, quantity::show_duration};

pub(super) const ROW: Row = Row {
    name: "markdown",
    about: "Markdown for a pull request: a table of the runs, and what did not hold",
    new: |_, _| OfResults::boxed(|results, out| out.write_all(text(results).as_bytes())),
};

/// Bytes that the text may have: a comment on GitHub takes 65,536 characters.
const LIMIT: usize = 60_000;

/// Characters that a name or a value is cut to.
const LONGEST: usize = 400;

/// The results as Markdown, of less than 64 kB.
pub(crate) fn text(results: &Results) -> String {
    let all = results.scenarios();
    let outcome = Outcome::worst(all.iter().map(ScenarioResult::outcome));
    let passed = all.iter().filter(|one| one.outcome() == Outcome::Verdict(Verdict::Pass)).count();
    let mut text = format!("### chaos: {}, {passed} of {} passed\n\n", word(outcome), scenarios(all.len()));
    text += "| outcome | scenario | world | why |\n|---|---|---|---|\n";
    // What did not pass is what people look for: it has its place before there is no more room.
    let mut order: Vec<&ScenarioResult> = all.iter().collect();
    order.sort_by_key(|one| one.outcome() == Outcome::Verdict(Verdict::Pass));
    let half = LIMIT / 2;
    add(&mut text, half, "| … | {} more | | |\n", order.iter().map(|one| row(one)));
    if let Some(against) = results.compared() {
        text += "\n#### Against earlier runs\n\n";
        add(&mut text, LIMIT * 5 / 8, "- … and {} more\n", since(against).into_iter());
    }
    let details = order.iter().map(|one| detail(one)).filter(|detail| !detail.is_empty());
    add(&mut text, LIMIT * 3 / 4, "\n… and {} more that did not pass.\n", details);
    let margins = margins(&all, results.compared());
    if let Some((nearest, _, _)) = margins.first() {
        let percent = nearest.percent();
        text += &format!("\n<details><summary>Margins: the narrowest is at {percent}</summary>\n\n");
        text += "| margin | expectation | seen | earlier |\n|---|---|---|---|\n";
        add(&mut text, LIMIT - 100, "| … | {} more | | |\n", margins.into_iter().map(|(_, _, row)| row));
        text += "\n</details>\n";
    }
    text
}

/// Changes, and what could not be compared, as items.
fn since(against: &Against) -> Vec<String> {
    let item = |name: &str, words: &str| format!("- {}: {}\n", escaped(name), escaped(words));
    let mut items = Vec::new();
    for one in &against.runs {
        items.extend(one.changes.iter().map(|change| item(&one.file, &against::sentence(change))));
    }
    let same = against.runs.iter().filter(|one| one.partner.is_ok() && one.changes.is_empty()).count();
    if same > 0 {
        items.push(format!("- {}: nothing differs beyond chance\n", scenarios(same)));
    }
    for one in &against.runs {
        items.extend(one.partner.as_ref().err().map(|why| item(&format!("{} ({})", one.file, one.world), &against::unpaired(why))));
    }
    items.extend(against.gone.iter().map(|run| format!("- {}\n", escaped(&against::no_longer(run)))));
    items.extend(against.passed_over.iter().map(|run| format!("- {}\n", escaped(&against::passed_over(run)))));
    items
}

/// Margins of all comparisons that have one, the narrowest first: each with its place in the list and its row.
fn margins(all: &[ScenarioResult], against: Option<&Against>) -> Vec<(Margin, usize, String)> {
    let mut rows = Vec::new();
    for result in all {
        let ScenarioResult::Run(run) = result else { continue };
        let histories = against.and_then(|against| against.of(&run.begin)).map_or(&[][..], |one| &one.margins);
        for (judged, check) in run.judged.iter().flat_map(|judged| judged.checks.iter().map(move |check| (judged, check))) {
            let Some(margin) = check.margin else { continue };
            let is_it = |history: &&MarginHistory| {
                let place = &history.place;
                (&place.that, &place.when, &place.expected) == (&judged.that, &judged.when, &check.expected)
            };
            let earlier = histories.iter().find(is_it).and_then(MarginHistory::earlier_in_words).unwrap_or_default();
            let expectation = format!("{}: {} ({}): {}", run.begin.file, judged.that, judged.when, check.expected);
            let cells = [&margin.percent(), &expectation, &check.seen, &earlier].map(|cell| escaped(cell));
            rows.push((margin, rows.len(), format!("| {} |\n", cells.join(" | "))));
        }
    }
    rows.sort_by_key(|(margin, nth, _)| (std::cmp::Reverse(margin.used_permille), *nth));
    rows
}

/// Appends these pieces while there is room, and says how many are left out.
fn add(text: &mut String, limit: usize, left_out: &str, pieces: impl Iterator<Item = String>) {
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next_if(|piece| text.len() + piece.len() <= limit) {
        *text += &piece;
    }
    match pieces.count() {
        0 => {}
        more => *text += &left_out.replace("{}", &more.to_string()),
    }
}

fn scenarios(number: usize) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX), "scenario")
}

fn word(outcome: Outcome) -> &'static str {
    headline(outcome).1
}

fn row(result: &ScenarioResult) -> String {
    let (world, why) = match result {
        ScenarioResult::Invalid(invalid) => (String::new(), first_line(&invalid.why)),
        ScenarioResult::NotRun(not_run) => (String::new(), not_run.words()),
        ScenarioResult::Run(run) => (run.begin.world.clone(), run.sentence.clone()),
    };
    let title = match result {
        ScenarioResult::Run(run) if !run.begin.title.is_empty() => format!("<br>{}", escaped(&run.begin.title)),
        _ => String::new(),
    };
    let word = word(result.outcome());
    let word = if result.outcome() == Outcome::Verdict(Verdict::Pass) { word.to_owned() } else { format!("**{word}**") };
    format!("| {word} | {}{title} | {} | {} |\n", escaped(result.file()), escaped(&world), escaped(&why))
}

/// Expectations of a scenario that did not hold, and why, and what is left of its run; empty where there is nothing of it.
fn detail(result: &ScenarioResult) -> String {
    let left = matches!(result, ScenarioResult::Run(run) if !run.leftovers().is_empty());
    if passed(result.outcome()) && !left {
        return String::new();
    }
    let mut text = format!("\n#### {}: {}\n\n", escaped(result.file()), word(result.outcome()));
    match result {
        ScenarioResult::Invalid(invalid) => text += &fenced(&invalid.why),
        ScenarioResult::NotRun(not_run) => text += &format!("{}\n", escaped(&not_run.words())),
        ScenarioResult::Run(run) if passed(result.outcome()) => text += &leftovers(run),
        ScenarioResult::Run(run) => text += &of_run(run),
    }
    text
}

fn of_run(run: &Run) -> String {
    let mut text = String::new();
    for judged in run.judged.iter().filter(|judged| judged.verdict != Verdict::Pass) {
        let word = word(Outcome::Verdict(judged.verdict));
        text += &format!("- **{word}** {} ({})\n", escaped(&judged.that), escaped(&judged.when));
        let checks = judged.checks.iter().filter(|check| check.verdict != Verdict::Pass);
        text += &checks.map(check).collect::<String>();
    }
    for why in &run.inconclusive {
        text += &format!("- **{}** {}\n", word(Outcome::Verdict(Verdict::Inconclusive)), escaped(why));
    }
    if let Some(why) = &run.stopped_by {
        text += &format!("- **{}** {}\n", word(run.outcome), escaped(why));
    }
    text += &leftovers(run);
    for death in &run.died {
        text += &format!("- {} died: {}\n", escaped(&death.service), escaped(&death.how));
        let lines: Vec<String> = death.last_lines.iter().map(|line| cut(&clean(line))).collect();
        text += &fenced(&lines.join("\n"));
    }
    text += &run.guards.iter().filter(|guard| !passed(guard.outcome())).map(guard).collect::<String>();
    text += &run.control.iter().filter(|control| !passed(control.outcome())).map(control).collect::<String>();
    if let Some(again) = run.again() {
        text += &format!("\nAgain, with the same draws:\n\n{}", fenced(&again));
    }
    text
}

/// A line for each leftover: what a run leaves is told whatever came of it.
fn leftovers(run: &Run) -> String {
    run.leftovers().iter().map(|line| format!("- {}\n", escaped(line))).collect()
}

fn passed(outcome: Outcome) -> bool {
    outcome == Outcome::Verdict(Verdict::Pass)
}

fn check(check: &JudgedCheck) -> String {
    let note = check.note.as_ref().map_or_else(String::new, |note| format!("; {}", escaped(note)));
    let place = format!("{}:{}", check.file, check.line);
    format!("  - {}: seen {}{note} ({})\n", escaped(&check.expected), escaped(&words::seen(check)), escaped(&place))
}

fn guard(result: &GuardResult) -> String {
    let lines = result.lines().into_iter().map(|(what, that)| format!("  - {}{}\n", escaped(what), escaped(that)));
    let word = match result.outcome() {
        Outcome::Verdict(Verdict::Fail) => "NOT PROVEN",
        other => word(other),
    };
    format!("- **{word}** without {}\n{}", escaped(&result.without), lines.collect::<String>())
}

fn control(result: &ControlResult) -> String {
    let took = show_duration(result.took);
    format!("- **{}** with and without faults, in {took}: nothing comes out otherwise\n", word(result.outcome()))
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

/// A line in which nothing is markup, mentions nobody and refers to nothing: names, bodies and titles are others'.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in cut(&clean(text)).chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            // An entity would be one again before GitHub looks for mentions; what stands between two nodes is none.
            '@' => escaped += "@<!-- -->",
            '#' => escaped += "#<!-- -->",
            c if c.is_ascii_punctuation() && !".,-'\"/%=+;?:(){}".contains(c) => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    // Addresses would be links by themselves.
    escaped.replace("://", r"\://").replace("www.", r"www\.")
}

/// A text as it is, in a block that it can't end.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let lines: Vec<String> = text.lines().map(|line| cut(&clean(line))).collect();
    format!("{fence}\n{}\n{fence}\n", lines.join("\n"))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
