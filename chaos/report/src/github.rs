//! Workflow commands of GitHub Actions: annotations at the lines of scenario files, and a text that is no command.
//!
//! A runner takes every line of a step's output that begins with `::name` for a command, whoever wrote it. So what a run
//! prints stands between [`stop`] and [`resume`], and what is in an annotation is escaped as the runner's toolkit escapes
//! it (`actions/toolkit`, `packages/core/src/command.ts`).

use crate::{
    reports::markdown,
    results::{Results, Run, ScenarioResult},
    text::clean,
};
use chaos_model::{Verdict, event::JudgedCheck};

/// Annotations that are made at most: a runner shows ten of each kind in a step.
const MOST: usize = 50;

/// The line after which no line is a command, until [`resume`] with the same word. It is one that nobody can guess.
#[must_use]
pub fn stop(word: &str) -> String {
    format!("::stop-commands::{word}\n")
}

/// The line after which lines are commands again.
#[must_use]
pub fn resume(word: &str) -> String {
    format!("::{word}::\n")
}

/// The text for the job's summary.
#[must_use]
pub fn step_summary(results: &Results) -> String {
    markdown(results)
}

/// Annotations of what did not pass, a line each: errors for what is wrong, warnings for what can't be said. `place` makes a path as
/// it is in recordings into one that begins at the repository's root.
#[must_use]
pub fn annotations(results: &Results, place: impl Fn(&str) -> String) -> String {
    let mut lines = Vec::new();
    for one in results.scenarios() {
        match &one {
            ScenarioResult::Invalid(invalid) => {
                let (file, line) = match &invalid.place {
                    Some((file, line)) => (file.as_str(), *line),
                    None => (invalid.file.as_str(), 1),
                };
                lines.push(command("error", &place(file), line, "not valid", &invalid.why));
            }
            ScenarioResult::NotRun(not_run) => {
                lines.push(command("error", &place(&not_run.file), 1, "not run", &not_run.words()));
            }
            ScenarioResult::Run(run) => of_run(run, &place, &mut lines),
        }
    }
    lines.truncate(MOST);
    lines.concat()
}

fn of_run(run: &Run, place: &impl Fn(&str) -> String, lines: &mut Vec<String>) {
    let all = run.judged.iter().flat_map(|judged| judged.checks.iter().map(move |check| (judged, check)));
    for (judged, check) in all {
        let kind = match check.verdict {
            Verdict::Pass => continue,
            Verdict::Fail => "error",
            Verdict::Inconclusive => "warning",
        };
        let title = format!("{} ({})", judged.that, judged.when);
        lines.push(command(kind, &place(&check.file), check.line, &title, &said(check)));
    }
    let whole =
        run.inconclusive.iter().map(|why| ("warning", why)).chain(run.stopped_by.iter().map(|why| ("error", why)));
    lines.extend(whole.map(|(kind, why)| command(kind, &place(&run.begin.file), 1, &run.begin.title, why)));
}

fn said(check: &JudgedCheck) -> String {
    let note = check.note.as_ref().map_or_else(String::new, |note| format!("\n{note}"));
    format!("{}: seen {}{note}", check.expected, check.seen)
}

fn command(kind: &str, file: &str, line: usize, title: &str, message: &str) -> String {
    let message: Vec<String> = message.lines().map(clean).collect();
    let (file, title, message) = (property(file), property(title), data(&message.join("\n")));
    format!("::{kind} file={file},line={line},title={title}::{message}\n")
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&clean(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Invalid;

    #[test]
    fn nothing_in_an_annotation_ends_it() {
        let line = command("error", "a,b:c.toml", 3, "100%\n::error::x", "50% of it\n::set-output name=a::b\u{1b}[2J");
        assert_eq!(
            line,
            "::error file=a%2Cb%3Ac.toml,line=3,title=100%25 %3A%3Aerror%3A%3Ax::50%25 of it%0A::set-output name=a::b\n"
        );
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_scenario_that_is_not_valid_is_shown_at_its_mistake() {
        let mut results = Results::default();
        let place = Some(("a.toml".to_owned(), 7));
        results.invalid(Invalid { file: "a.toml".to_owned(), why: "error: no such service\n".to_owned(), place });
        results.invalid(Invalid { file: "b.toml".to_owned(), why: "can't be read".to_owned(), place: None });
        let lines = annotations(&results, |file| format!("chaos/{file}"));
        let expected = "::error file=chaos/a.toml,line=7,title=not valid::error%3A no such service\n";
        assert_eq!(
            lines,
            expected.replace("%3A", ":") + "::error file=chaos/b.toml,line=1,title=not valid::can't be read\n"
        );
    }
}
