//! State of a run so far, which the sections are made from.

use crate::{outcome::Fold, progress::Progress};
use chaos_model::{
    Event, Fault, Link, PhaseKind, PhaseSum, Record,
    carried::Carried,
    event::{Begin, Fired, Judged, PhaseFigures, ProxyCounts},
    ledger::FaultFigures,
    phase,
    quantity::show_duration,
    responses::Marker,
};
use std::{collections::BTreeMap, time::Duration};

/// A service that is ready.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) address: String,
    pub(crate) took: Duration,
}

/// The course of a fault: one that pulses comes and goes several times.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// The number of times that it took effect, and was taken back.
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    /// Counts of what it did in all of these.
    pub(crate) fired: Fired,
    /// The same by link, where it is on several.
    pub(crate) links: BTreeMap<String, Fired>,
}

impl Course {
    /// True where it came and went, as often as it was to.
    pub(crate) fn is_over(&self, plan: &Fault) -> bool {
        self.ended == plan.windows().count() as u64
    }
}

/// State of a run so far.
#[derive(Debug, Default)]
pub(crate) struct RunState {
    pub(crate) begin: Option<Begin>,
    pub(crate) services: Vec<Service>,
    pub(crate) links: Vec<(String, String)>,
    /// The beginning of the timeline, in microseconds since the run's.
    pub(crate) timeline_us: Option<u64>,
    pub(crate) progress: Progress,
    /// The sums of phases so far: the figures of a run that is cut off before it tells them.
    sums: Vec<PhaseSum>,
    /// Counts of proxies so far.
    pub(crate) counts: ProxyCounts,
    /// Counts of what the links of faults carried while these were there.
    pub(crate) carried: Carried,
    /// True where the recording ends before its run does.
    pub(crate) is_cut_off: bool,
    /// The end of the last slice, where the figures of phases are their sums by then.
    pub(crate) so_far: Option<Duration>,
    pub(crate) figures: Vec<PhaseFigures>,
    pub(crate) figures_shown: bool,
    /// Faults that took effect.
    pub(crate) faults: BTreeMap<String, Course>,
    /// Figures of faults, by their names.
    pub(crate) fault_figures: BTreeMap<String, FaultFigures>,
    pub(crate) judged: Vec<Judged>,
    pub(crate) inconclusive: Vec<String>,
    pub(crate) logs: BTreeMap<String, String>,
    /// The reason why the world failed, or the signal that interrupted the run.
    pub(crate) stopped_by: Option<String>,
    /// The first fault of a service's pages of metrics, by service.
    pub(crate) page_faults: BTreeMap<String, String>,
    pub(crate) outcome: Fold,
}

impl RunState {
    /// True where the run is made without its faults.
    pub(crate) fn is_control(&self) -> bool {
        self.begin.as_ref().is_some_and(|begin| begin.control)
    }

    /// True where the run is made without a protection.
    pub(crate) fn is_guard(&self) -> bool {
        self.begin.as_ref().is_some_and(|begin| begin.without.is_some())
    }

    /// True where expectations are meant to break, so that it is no defect where one does.
    pub(crate) fn is_meant_to_break(&self) -> bool {
        self.is_control() || self.is_guard()
    }

    pub(crate) fn on(&mut self, record: &Record) {
        if let Event::Begin(begin) = &record.event {
            let sums = begin.phases.iter().map(PhaseSum::new).collect();
            let links = |fault: &Fault| fault.on.links().iter().map(Link::to_string).collect();
            let carried = Carried::new(&begin.faults, links);
            *self = Self { begin: Some(begin.clone()), sums, carried, ..Self::default() };
        }
        self.outcome.on(&record.event);
        match &record.event {
            Event::ServiceReady { service, what, address, took } => self.services.push(Service {
                name: service.clone(),
                what: what.clone(),
                address: address.clone(),
                took: *took,
            }),
            Event::LinkReady { link, address } => self.links.push((link.clone(), address.clone())),
            Event::TimelineBegan => self.timeline_us = Some(record.at_us),
            Event::FaultApplied { fault } => {
                self.faults.entry(fault.clone()).or_default().begun += 1;
            }
            Event::FaultRemoved { fault, fired, times, links } => {
                let course = self.faults.entry(fault.clone()).or_default();
                course.ended += times;
                // Of those that a recording puts together, no beginning is told.
                course.begun = course.begun.max(course.ended);
                course.fired += *fired;
                links.iter().for_each(|(link, fired)| *course.links.entry(link.clone()).or_default() += *fired);
            }
            Event::Slice(slice) => {
                self.progress.add(slice);
                self.sums.iter_mut().for_each(|sum| sum.add(slice));
            }
            Event::Scraped(scraped) => {
                let mut faults = scraped.scrapes.iter().flat_map(|scrape| &scrape.faults);
                if let Some(fault) = faults.next() {
                    self.page_faults.entry(scraped.service.clone()).or_insert_with(|| fault.clone());
                }
            }
            Event::Counted(counted) => {
                self.counts.update(&counted.counts);
                self.carried.on(counted.at, &self.counts);
            }
            Event::Phase(figures) => self.figures.push(figures.clone()),
            Event::FaultFigures(figures) => {
                self.fault_figures.insert(figures.fault.clone(), figures.clone());
            }
            Event::Judged(judged) => self.judged.push(judged.clone()),
            Event::Inconclusive { why, .. } => self.inconclusive.push(why.clone()),
            Event::Interrupted { by: why } | Event::WorldFailed { why } => {
                self.stopped_by.get_or_insert_with(|| why.clone());
            }
            Event::TornDown { logs, .. } => self.logs.clone_from(logs),
            _ => {}
        }
    }

    /// Takes note that nothing follows, though the run went on. Figures that it did not tell are the sums so far.
    pub(crate) fn cut_off(&mut self) {
        self.is_cut_off = true;
        let at = self.progress.at;
        if self.figures.len() < self.sums.len() && !at.is_zero() {
            let phases = self.begin.iter().flat_map(|begin| &begin.phases);
            let begun = phases.zip(&self.sums).filter(|(phase, sum)| phase.from < at && sum.is_told());
            let markers = self.markers();
            self.figures = begun.map(|(_, sum)| sum.figures(markers)).collect();
            self.so_far = Some(at);
        }
    }

    /// The world's name.
    pub(crate) fn world(&self) -> &str {
        self.begin.as_ref().map_or("", |begin| &begin.world)
    }

    /// The markers that the system's responses have.
    pub(crate) fn markers(&self) -> &[Marker] {
        self.begin.as_ref().map_or(&[], |begin| &begin.plan.system.markers)
    }

    /// The faults that are planned.
    pub(crate) fn plans(&self) -> &[Fault] {
        self.begin.as_ref().map_or(&[], |begin| &begin.faults)
    }

    /// The plan of the fault of this name.
    pub(crate) fn plan(&self, name: &str) -> Option<&Fault> {
        self.plans().iter().find(|plan| plan.name == name)
    }

    /// Length of the timeline.
    pub(crate) fn duration(&self) -> Duration {
        let phases = self.begin.iter().flat_map(|begin| &begin.phases);
        phases.map(|phase| phase.to).max().unwrap_or_default()
    }

    /// A moment for people, in seven columns: seconds into the timeline (`   4.0s`), or that it has not begun.
    pub(crate) fn stamp(&self, at_us: u64) -> String {
        match self.timeline_us {
            Some(began) => {
                let at = Duration::from_micros(at_us.saturating_sub(began));
                format!("{:>6.1}s", at.as_secs_f64())
            }
            None => "  start".to_owned(),
        }
    }

    /// The phase at this moment: the faults that act then, or else what lies between them. `restarting` has those whose
    /// services are not back.
    pub(crate) fn phase_at(&self, at: Duration, restarting: &[String]) -> String {
        let phases = self.begin.as_ref().map_or(&[][..], |begin| &begin.phases);
        let of = |wanted: PhaseKind| {
            let now = phases.iter().filter(move |phase| phase.kind == wanted && phase.contains(at));
            now.map(|phase| phase.name.as_str()).collect::<Vec<_>>()
        };
        let acting = Some(of(PhaseKind::Fault)).filter(|names| !names.is_empty());
        if let (None, [_, ..]) = (&acting, restarting) {
            return restarting.iter().map(|fault| phase::restarting(fault)).collect::<Vec<_>>().join(" + ");
        }
        let kinds = [PhaseKind::Baseline, PhaseKind::Recovery];
        let names = acting.or_else(|| kinds.into_iter().map(of).find(|names| !names.is_empty()));
        match names {
            Some(names) => names.join(" + "),
            None if at >= self.duration() => "end".to_owned(),
            None => "between faults".to_owned(),
        }
    }

    /// From when to when a phase lasts: `4s..8s`, and how long.
    pub(crate) fn window(&self, figures: &PhaseFigures) -> Option<(String, Duration)> {
        let phase = self.begin.as_ref()?.phases.iter().find(|candidate| candidate.name == figures.phase)?;
        let (from, to) = figures.time.map_or((phase.from, phase.to), |time| (time.from, time.to));
        let to = self.so_far.map_or(to, |at| to.min(at));
        let words = format!("{}..{}", show_duration(from), show_duration(to));
        Some((words, to.saturating_sub(from)))
    }
}
