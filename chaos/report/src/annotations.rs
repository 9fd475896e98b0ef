//! A run as annotations of a dashboard: faults and phases as regions, the verdict as a point.
//!
//! This says what to draw and when; who posts it to Grafana is the command's business. Times are Unix milliseconds,
//! made of the run's beginning and each event's own time.

use crate::{text::html, words};
use chaos_model::{
    Event, Record, Verdict,
    event::{Begin, PhaseFigures},
    phase::PhaseKind,
    quantity::show_duration,
};
use std::collections::BTreeSet;

/// A mark on a dashboard's time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The beginning, in milliseconds since the Unix epoch.
    pub from_ms: u64,
    /// The end, where it is a region whose end is known.
    pub to_ms: Option<u64>,
    /// Tags that dashboards choose by: `chaos`, the kind (`chaos-fault`, `chaos-phase`, `chaos-verdict`), the name.
    pub tags: Vec<String>,
    /// The text, as HTML.
    pub text: String,
}

/// A step for whoever posts annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something is there that has no end yet: a fault, by its name.
    Open(String, Annotation),
    /// The annotation that was opened by this name is over, and becomes this.
    Close(String, Annotation),
    /// Something that is over already.
    Post(Annotation),
}

/// Folds the events of a run, or of several one after another.
#[derive(Debug, Default)]
pub struct Annotations {
    begin: Option<Begin>,
    /// The beginning of the timeline, in milliseconds since the Unix epoch.
    timeline_ms: u64,
    /// The faults that are in place: since when, and what they say.
    open: Vec<(String, Annotation)>,
    expectations: usize,
    failed: Vec<String>,
}

impl Annotations {
    /// Takes an event in, and gives what is to be done now.
    pub fn on(&mut self, record: &Record) -> Vec<Step> {
        if let Event::Begin(begin) = &record.event {
            *self = Self { begin: Some(begin.clone()), ..Self::default() };
        }
        let Some(begin) = &self.begin else { return Vec::new() };
        let now = begin.unix_ms + record.at_us / 1000;
        match &record.event {
            Event::TimelineBegan => self.timeline_ms = now,
            Event::FaultApplied { fault } => return self.applied(fault, now),
            Event::FaultRemoved { fault, fired, .. } => {
                let plan = begin.faults.iter().find(|plan| plan.name == *fault);
                let did = plan.and_then(|plan| words::fired(&plan.effect, fired));
                return self.removed(fault, now, &did.unwrap_or_else(|| "never fired".to_owned()));
            }
            Event::Phase(figures) => return self.phase(begin, figures).into_iter().map(Step::Post).collect(),
            Event::Judged(judged) => {
                self.expectations += 1;
                self.failed.extend((judged.verdict == Verdict::Fail).then(|| judged.that.clone()));
            }
            Event::End { verdict } => return self.ended(*verdict, now),
            _ => {}
        }
        Vec::new()
    }

    fn applied(&mut self, fault: &str, now: u64) -> Vec<Step> {
        let plan = self.begin.iter().flat_map(|begin| &begin.faults).find(|plan| plan.name == fault);
        let does = plan.map(words::fault).unwrap_or_default();
        let text = format!("<b>{}</b>: {}", html(fault), html(&does));
        let annotation = Annotation { from_ms: now, to_ms: None, tags: tags("chaos-fault", fault), text };
        self.open.push((fault.to_owned(), annotation.clone()));
        vec![Step::Open(fault.to_owned(), annotation)]
    }

    fn removed(&mut self, fault: &str, now: u64, did: &str) -> Vec<Step> {
        let Some(at) = self.open.iter().position(|(name, _)| name == fault) else { return Vec::new() };
        let (name, annotation) = self.open.remove(at);
        let text = format!("{}<br>{}", annotation.text, html(did));
        vec![Step::Close(name, Annotation { to_ms: Some(now), text, ..annotation })]
    }

    /// Faults are there already, and what an expectation alone looks at is no phase of the run.
    fn phase(&self, begin: &Begin, figures: &PhaseFigures) -> Option<Annotation> {
        let phase = begin.phases.iter().find(|phase| phase.name == figures.phase)?;
        if !matches!(phase.kind, PhaseKind::Baseline | PhaseKind::Restarting | PhaseKind::Recovery) {
            return None;
        }
        let at = |time: std::time::Duration| self.timeline_ms + u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let available = figures.availability();
        let mut text = format!("<b>{}</b>: {} requests", html(&phase.name), figures.arrivals);
        if figures.arrivals > 0 {
            text += &format!(", {} available", available);
        }
        if let Some(latency) = figures.latency {
            text += &format!(", p99 {}", show_duration(latency.p99));
        }
        let tags = tags("chaos-phase", &phase.name);
        let (from, to) = figures.time.map_or((phase.from, phase.to), |time| (time.from, time.to));
        Some(Annotation { from_ms: at(from), to_ms: Some(at(to)), tags, text })
    }

    fn ended(&mut self, verdict: Option<Verdict>, now: u64) -> Vec<Step> {
        // What was in place as the run was cut off went with it.
        let cut_off: BTreeSet<String> = self.open.iter().map(|(name, _)| name.clone()).collect();
        let mut steps: Vec<Step> =
            cut_off.iter().flat_map(|fault| self.removed(fault, now, "cut off by the run's end")).collect();
        let title = self.begin.as_ref().map_or("", |begin| &begin.title);
        let word = verdict.map_or("no verdict".to_owned(), |verdict| verdict.to_string());
        let mut text = format!("<b>{word}</b>: {}", html(title));
        if !self.failed.is_empty() {
            text += &format!("<br>failed: {}", html(&self.failed.join("; ")));
        } else if verdict == Some(Verdict::Pass) {
            text += &format!("<br>all {} expectations held", self.expectations);
        }
        let tags = tags("chaos-verdict", &word.replace(' ', "-"));
        steps.push(Step::Post(Annotation { from_ms: now, to_ms: None, tags, text }));
        steps
    }
}

fn tags(kind: &str, name: &str) -> Vec<String> {
    ["chaos", kind, name].map(str::to_owned).to_vec()
}
