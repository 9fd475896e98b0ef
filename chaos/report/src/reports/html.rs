//! `html`: the results as one page that needs nothing else: no script, no request to anywhere.
//!
//! Its figures are those of the terminal, by the same functions; its charts are drawn from the slices.

mod chart;
mod course;
mod met;
mod parts;
mod picture;
mod since;

use super::{Report, Row};
use crate::{
    Outcome,
    against::{Against, Compared},
    results::{Invalid, NotRun, Results, Run, ScenarioResult},
    series::Series,
    terminal::{RunState, headline, made},
    text::{html, prose},
    words,
};
use chaos_model::{Event, Record};
use met::Met;
use std::{
    borrow::Cow,
    io::{self, Write},
};

pub(super) const ROW: Row = Row {
    name: "html",
    about: "one page with charts, for a browser; it needs nothing else",
    new: |_, _| Box::new(Html::default()),
};

#[derive(Default)]
struct Html {
    results: Results,
    /// The runs that are no guard's and no control, in order, with what results don't keep.
    seen: Vec<Seen>,
    /// The run that is under way is one of those.
    telling: bool,
}

/// A run as a page shows it, beside its result.
#[derive(Default)]
struct Seen {
    state: RunState,
    series: Series,
    met: Met,
}

impl Report for Html {
    fn on(&mut self, record: &Record, _: &mut dyn Write) -> io::Result<()> {
        self.results.on(record);
        if let Event::Begin(begin) = &record.event {
            self.telling = begin.without.is_none() && !begin.control;
            if self.telling {
                self.seen.push(Seen::default());
            }
        }
        if let Some(seen) = self.seen.last_mut().filter(|_| self.telling) {
            seen.state.on(record);
            match &record.event {
                Event::Slice(slice) => seen.series.slice(slice),
                Event::Scraped(scraped) => seen.series.scraped(scraped),
                Event::Injected(injected) => seen.met.on(injected),
                _ => {}
            }
        }
        Ok(())
    }

    fn invalid(&mut self, invalid: &Invalid) {
        self.results.invalid(invalid.clone());
    }

    fn not_run(&mut self, not_run: &NotRun) {
        self.results.not_run(not_run.clone());
    }

    fn against(&mut self, against: &Against) -> bool {
        self.results.against(against);
        true
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        for seen in &mut self.seen {
            if !seen.state.outcome.has_ended() {
                seen.state.cut_off();
            }
        }
        let all = self.results.scenarios();
        write!(out, "{}", head(&all))?;
        let mut seen = self.seen.iter();
        for (n, result) in all.iter().enumerate() {
            let at = (n, all.len() > 1);
            let section = match result {
                ScenarioResult::Invalid(invalid) => not_valid(at, invalid),
                ScenarioResult::NotRun(not_run) => never_run(at, not_run),
                ScenarioResult::Run(run) => seen.next().map_or_else(String::new, |seen| {
                    let compared = self.results.compared().and_then(|against| against.of(&run.begin));
                    section(at, result, run, seen, compared)
                }),
            };
            writeln!(out, "{section}")?;
        }
        write!(out, "{}", since::without_partner(self.results.compared()))?;
        writeln!(out, "</main></body></html>")
    }
}

/// The page up to its first run: where there are several, with a table that leads to each.
fn head(all: &[ScenarioResult]) -> String {
    let outcome = Outcome::worst(all.iter().map(ScenarioResult::outcome));
    let title = match all {
        [one] => format!("{}: {}", word(outcome), one.file()),
        _ => format!("{}: {} scenarios", word(outcome), all.len()),
    };
    let title = html(&title);
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <link rel=\"icon\" href=\"data:,\"><title>chaos: {title}</title>\n<style>{}</style></head><body><main>\n",
        include_str!("html/style.css")
    );
    if all.len() == 1 {
        return text;
    }
    let passed = all.iter().filter(|one| one.outcome().word() == "pass").count();
    text += &format!("<h1 class=\"title\" id=\"top\">{passed} of {} scenarios passed</h1>\n", all.len());
    text += "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"all scenarios\"><table><thead><tr><th scope=\"col\">outcome</th><th scope=\"col\">scenario</th><th scope=\"col\">why</th></tr></thead><tbody>\n";
    for (n, one) in all.iter().enumerate() {
        let (title, why) = match one {
            ScenarioResult::Invalid(_) => ("", Cow::Borrowed("it is not valid")),
            ScenarioResult::NotRun(not_run) => ("", Cow::Owned(not_run.words())),
            ScenarioResult::Run(run) => (run.begin.title.as_str(), Cow::Borrowed(run.sentence.as_str())),
        };
        text += &format!(
            "<tr><td>{}</td><td><a href=\"#run-{n}\">{}</a><br><span class=\"faint\">{}</span></td><td>{}</td></tr>\n",
            verdict(one.outcome()),
            html(one.file()),
            html(title),
            prose(&why)
        );
    }
    text + "</tbody></table></div>\n"
}

fn word(outcome: Outcome) -> &'static str {
    headline(outcome).1
}

/// The outcome as a word in its colour.
fn verdict(outcome: Outcome) -> String {
    format!("<span class=\"verdict {}\">{}</span>", outcome.word(), word(outcome))
}

/// The beginning of a scenario's section. The page's own heading is that of its only scenario.
fn opening((n, many): (usize, bool), title: &str) -> String {
    let level = if many { 2 } else { 1 };
    format!("<section class=\"run\" id=\"run-{n}\"><h{level} class=\"title\">{}</h{level}>\n", html(title))
}

fn not_valid(at: (usize, bool), invalid: &Invalid) -> String {
    let why: Vec<String> = invalid.why.lines().map(html).collect();
    format!(
        "{}<p class=\"lead\">{} it is not valid</p><pre>{}</pre></section>",
        opening(at, &invalid.file),
        verdict(Outcome::Invalid),
        why.join("\n")
    )
}

/// The course of the earlier run.
fn earlier(compared: Option<&Compared>) -> Option<&Series> {
    compared?.partner.as_ref().ok().map(|partner| &partner.series)
}

fn never_run(at: (usize, bool), not_run: &NotRun) -> String {
    format!(
        "{}<p class=\"lead\">{} {}</p></section>",
        opening(at, &not_run.file),
        verdict(Outcome::Interrupted),
        prose(&not_run.words())
    )
}

fn section(
    at: (usize, bool),
    result: &ScenarioResult,
    run: &Run,
    seen: &Seen,
    compared: Option<&Compared>,
) -> String {
    let begin = &run.begin;
    let title = if begin.title.is_empty() { &begin.file } else { &begin.title };
    let (_, many) = at;
    let mut text = format!(
        "{}<p class=\"lead\">{} {}</p>\n\
         <p class=\"faint\">{}, {}</p>\n<p class=\"faint\"><time>{}</time> by chaos {}{}</p>\n",
        opening(at, title),
        verdict(result.outcome()),
        prose(&run.sentence),
        html(&begin.file),
        html(&made(begin)),
        words::moment(begin.unix_ms),
        html(&begin.chaos),
        if many { " · <a href=\"#top\">all scenarios</a>" } else { "" }
    );
    text += &parts::reasons(run);
    for (title, body) in [
        ("Against its earlier run", since::section(compared)),
        ("Services that died", parts::deaths(run)),
        ("Expectations", parts::expectations(run)),
        ("Proofs", parts::guards(run)),
        ("Course", course::of(&seen.state)),
        ("What clients saw", parts::timeline(&seen.state, &seen.series, earlier(compared))),
        ("Phases", parts::phases(&seen.state)),
        ("Faults", parts::faults(&seen.state, &seen.met)),
        ("The system", picture::of(&begin.plan.system, &begin.faults)),
        ("Logs", parts::logs(run)),
        ("Again, with the same draws", parts::again(run)),
    ] {
        if !body.is_empty() {
            let level = if many { 3 } else { 2 };
            text += &format!("<h{level} class=\"part\">{title}</h{level}>\n{body}\n");
        }
    }
    text + "</section>\n"
}
