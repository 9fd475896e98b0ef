//! `html`: the results as one page that needs nothing else: no script, no request to anywhere.
//!
//! Its figures are those of the terminal, by the same functions; its charts are drawn from the slices.

mod chart;
mod parts;
mod picture;
mod since;

use super::{Report, Row};
use crate::{
    Outcome,
    against::{Against, Compared},
    results::{Invalid, Results, Run, ScenarioResult},
    series::Series,
    terminal::{RunState, headline},
    text::html,
};
use chaos_model::{Event, Record};
use std::io::{self, Write};

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
                _ => {}
            }
        }
        Ok(())
    }

    fn invalid(&mut self, invalid: &Invalid) {
        self.results.invalid(invalid.clone());
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
            let section = match result {
                ScenarioResult::Invalid(invalid) => not_valid(n, invalid),
                ScenarioResult::Run(run) => seen.next().map_or_else(String::new, |seen| {
                    let compared = self.results.compared().and_then(|against| against.of(&run.begin));
                    section(n, result, run, seen, compared)
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
    text += &format!("<h1>{passed} of {} scenarios passed</h1>\n", all.len());
    text += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"all scenarios\"><table><thead><tr><th scope=\"col\">outcome</th><th scope=\"col\">scenario</th><th scope=\"col\">why</th></tr></thead><tbody>\n";
    for (n, one) in all.iter().enumerate() {
        let (title, why) = match one {
            ScenarioResult::Invalid(_) => ("", "it is not valid"),
            ScenarioResult::Run(run) => (run.begin.title.as_str(), run.sentence.as_str()),
        };
        text += &format!(
            "<tr><td>{}</td><td><a href=\"#run-{n}\">{}</a><br><span class=\"faint\">{}</span></td><td>{}</td></tr>\n",
            verdict(one.outcome()),
            html(one.file()),
            html(title),
            html(why)
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

fn not_valid(n: usize, invalid: &Invalid) -> String {
    let why: Vec<String> = invalid.why.lines().map(html).collect();
    format!(
        "<section class=\"run\" id=\"run-{n}\"><h2>{}</h2><p class=\"lead\">{} it is not valid</p><pre>{}</pre></section>",
        html(&invalid.file),
        verdict(Outcome::Invalid),
        why.join("\n")
    )
}

/// The course of the earlier run.
fn earlier(compared: Option<&Compared>) -> Option<&Series> {
    compared?.partner.as_ref().ok().map(|partner| &partner.series)
}

fn section(n: usize, result: &ScenarioResult, run: &Run, seen: &Seen, compared: Option<&Compared>) -> String {
    let begin = &run.begin;
    let title = if begin.title.is_empty() { &begin.file } else { &begin.title };
    let began = std::time::UNIX_EPOCH + std::time::Duration::from_millis(begin.unix_ms);
    let mut text = format!(
        "<section class=\"run\" id=\"run-{n}\"><h2>{}</h2>\n<p class=\"lead\">{} {}</p>\n\
         <p class=\"faint\">{}, world {}, seed {}, {} · <time>{}</time> · chaos {}</p>\n",
        html(title),
        verdict(result.outcome()),
        html(&run.sentence),
        html(&begin.file),
        html(&begin.world),
        begin.seed,
        html(&begin.plan.load.rates().to_string()),
        humantime::format_rfc3339_seconds(began),
        html(&begin.chaos)
    );
    text += &parts::reasons(run);
    text += &since::section(compared);
    text += &parts::expectations(run);
    text += &parts::guards(run);
    text += &parts::timeline(&seen.state, &seen.series, earlier(compared));
    text += &parts::phases(&seen.state);
    text += &parts::faults(&seen.state);
    text += &format!("<h3>The system</h3>\n{}\n", picture::of(&begin.plan.system, &begin.faults));
    text += &parts::services(run);
    text + &parts::again(run) + "</section>\n"
}
