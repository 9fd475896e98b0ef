//! Sections of a report, one after the other: each is text made from events, when the last that it needs is known.

use super::{ending, expectations, faults, header, phases, run_state::RunState};
use crate::Style;
use chaos_model::{Event, Record, Sources, quantity::show_duration};

/// The fold behind a terminal's report, without the line of progress.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    style: Style,
    /// The texts in which failures are shown at their place; none where that is no news, or has been done.
    sources: Option<Sources>,
    run: RunState,
}

impl Sections {
    pub(crate) fn new(style: Style) -> Self {
        Self { style, sources: None, run: RunState::default() }
    }

    /// The state of the run so far.
    pub(super) fn run(&self) -> &RunState {
        &self.run
    }

    /// True from the table of phases on.
    pub(crate) fn figures_shown(&self) -> bool {
        self.run.figures_shown && !self.run.figures.is_empty()
    }

    /// The text to print at this event; empty where there is nothing.
    pub(crate) fn on(&mut self, record: &Record) -> String {
        let first = self.run.begin.is_none();
        // The state first: sections are made from what is known with this event.
        self.run.on(record);
        if let Event::Begin(begin) = &record.event {
            // What a guard breaks, or a control, is meant to break: its place in the file is no news.
            let meant = self.run.is_meant_to_break() || begin.plan.sources.0.is_empty();
            self.sources = (!meant).then(|| begin.plan.sources.clone());
        }
        self.section(record, first)
    }

    /// The text that is left to print of a run that was cut off.
    pub(crate) fn rest(&mut self) -> String {
        self.run.cut_off();
        format!("{}{}", self.figures(), self.failures())
    }

    /// The text to print at this event; empty where there is nothing.
    fn section(&mut self, record: &Record, first: bool) -> String {
        let style = self.style;
        match &record.event {
            Event::Begin(begin) => format!("{}{}", if first { "" } else { "\n\n" }, header::title(style, begin)),
            Event::Waiting { holder } => header::waiting(style, *holder),
            Event::Ready { took } => header::ready(style, &self.run, *took),
            Event::ServiceDied { service, how, last_lines } => {
                let unready =
                    if self.run.timeline_us.is_none() { header::services(style, &self.run) } else { String::new() };
                format!("{unready}{}", ending::died(style, &self.run.stamp(record.at_us), service, how, last_lines))
            }
            Event::ServiceKilled { service, after } => {
                ending::killed(style, &self.run.stamp(record.at_us), service, *after)
            }
            Event::ServiceBack { service, took, .. } => {
                format!("{}  {service} is ready again, after {}\n", self.run.stamp(record.at_us), show_duration(*took))
            }
            Event::FaultApplied { fault } => faults::applied(style, &self.run, record.at_us, fault),
            Event::FaultRemoved { fault, .. } => faults::removed(style, &self.run, record.at_us, fault),
            Event::EndedEarly(early) => ending::early(style, &self.run.stamp(record.at_us), early),
            Event::Inconclusive { why, .. } => ending::inconclusive(style, &self.run.stamp(record.at_us), why),
            Event::Judged(judged) => {
                let figures = self.figures();
                format!("{figures}{}", expectations::judged(style, &self.run, judged, self.sources.is_some()))
            }
            Event::TornDown { took, left, unseen, .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!(
                    "{figures}{failures}\n{}",
                    ending::torn_down(style, self.run.world(), *took, (left, unseen.as_deref()))
                )
            }
            Event::Held => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", header::held(style, &self.run))
            }
            Event::End { .. } => {
                let (figures, failures) = (self.figures(), self.failures());
                format!("{figures}{failures}{}", ending::end(style, &self.run, record.at_us))
            }
            _ => String::new(),
        }
    }

    /// Phases and faults, once, when the last of them is known.
    fn figures(&mut self) -> String {
        if std::mem::replace(&mut self.run.figures_shown, true) || self.run.figures.is_empty() {
            return String::new();
        }
        format!("{}{}", phases::table(self.style, &self.run), faults::list(self.style, &self.run))
    }

    /// The failures, each at its place in the file.
    fn failures(&mut self) -> String {
        let Some(sources) = self.sources.take() else { return String::new() };
        let Some(diagnostics) = crate::failures::diagnostics(&self.run.judged, &sources) else {
            return String::new();
        };
        format!("\n{}", diagnostics.render(self.style.colour, self.style.columns()))
    }
}
