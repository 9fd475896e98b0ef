//! A run as Prometheus metrics: what is going on now, and at its end what came of it.
//!
//! The text that [`Metrics::write`] gives is all of it at that moment, in Prometheus's text format and without
//! timestamps, as the textfile collector of its node exporter wants it. What lasts no longer than a scrape is seen all
//! the same: counts only grow within a run, and what was judged stays until the next run begins.

mod text;

use crate::progress::Progress;
use chaos_model::{
    Event, Record, Share, Verdict,
    event::{Begin, Judged, PhaseFigures},
};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    time::Duration,
};
use text::Text;

/// Folds the events of a run, or of several one after another: the metrics are those of the last that began.
#[derive(Debug, Default)]
pub struct Metrics {
    run: Option<CurrentRun>,
}

/// State of the run that is told of.
#[derive(Debug)]
struct CurrentRun {
    begin: Begin,
    /// Since the timeline began; none before.
    timeline: Option<Duration>,
    progress: Progress,
    /// By fault: whether it is in place, and how often it had fired when it was last taken back.
    faults: BTreeMap<String, (bool, u64)>,
    phases: Vec<PhaseFigures>,
    judged: Vec<Judged>,
    ended: bool,
    verdict: Option<Verdict>,
}

impl Metrics {
    /// Takes an event in. Gives whether [`Self::write`] would now write something else.
    pub fn on(&mut self, record: &Record) -> bool {
        if let Event::Begin(begin) = &record.event {
            self.run = Some(CurrentRun::new(begin.clone()));
            return true;
        }
        self.run.as_mut().is_some_and(|run| run.on(&record.event))
    }

    /// Writes the metrics as they are now: nothing before the first run began.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(run) = &self.run else { return Ok(()) };
        let mut text = Text::new(out);
        run.write_progress(&mut text)?;
        run.write_faults(&mut text)?;
        run.write_judgement(&mut text)
    }
}

impl CurrentRun {
    fn new(begin: Begin) -> Self {
        let faults = begin.faults.iter().map(|fault| (fault.name.clone(), (false, 0))).collect();
        Self {
            begin,
            timeline: None,
            progress: Progress::default(),
            faults,
            phases: Vec::new(),
            judged: Vec::new(),
            ended: false,
            verdict: None,
        }
    }

    fn on(&mut self, event: &Event) -> bool {
        match event {
            Event::TimelineBegan => self.timeline = Some(Duration::ZERO),
            Event::FaultApplied { fault } => self.faults.entry(fault.clone()).or_default().0 = true,
            Event::FaultRemoved { fault, fired, .. } => {
                let state = self.faults.entry(fault.clone()).or_default();
                state.0 = false;
                state.1 += fired.chunks + fired.resets + fired.closes + fired.refused + fired.dropped;
                state.1 += fired.messages + fired.services;
            }
            Event::Slice(slice) => {
                self.progress.add(slice);
                self.timeline = Some(slice.to);
            }
            Event::Phase(figures) => self.phases.push(figures.clone()),
            Event::Judged(judged) => self.judged.push(judged.clone()),
            Event::End { verdict } => {
                // What was in place as a run was cut off is no more: the world is down.
                self.faults.values_mut().for_each(|(active, _)| *active = false);
                // No phase is on any more; what was judged stays until the next run begins, for scrapes that come late.
                (self.timeline, self.ended, self.verdict) = (None, true, *verdict);
            }
            _ => return false,
        }
        true
    }

    fn write_progress(&self, text: &mut Text<'_, impl Write>) -> io::Result<()> {
        let Begin { file, title, world, seed, unix_ms, .. } = &self.begin;
        text.gauge("chaos_run_info", "Which run this is")?;
        text.value(&[("file", file), ("title", title), ("world", world), ("seed", &seed.to_string())], 1)?;
        text.gauge("chaos_run_start_time_seconds", "When it began, since the Unix epoch")?;
        text.value(&[], format_args!("{}.{:03}", unix_ms / 1000, unix_ms % 1000))?;
        text.gauge("chaos_run_active", "1 while it is under way")?;
        text.value(&[], u8::from(!self.ended))?;
        text.gauge("chaos_run_phase_active", "1 for the phases that are on")?;
        for phase in &self.begin.phases {
            let on = self.timeline.is_some_and(|at| phase.contains(at));
            text.value(&[("phase", &phase.name)], u8::from(on))?;
        }
        text.counter("chaos_run_due_total", "Requests that were due since the timeline began")?;
        text.value(&[], self.progress.due)?;
        text.counter("chaos_run_requests_total", "Requests by outcome: a good response, or none")?;
        text.value(&[("outcome", "good")], self.progress.good)?;
        text.value(&[("outcome", "bad")], self.progress.bad)?;
        let Some(p99) = self.progress.p99 else { return Ok(()) };
        text.gauge("chaos_run_p99_seconds", "99th percentile of the last stretch, from when a request was due")?;
        text.value(&[], p99.as_secs_f64())
    }

    fn write_faults(&self, text: &mut Text<'_, impl Write>) -> io::Result<()> {
        text.gauge("chaos_run_fault_active", "1 while the fault is in place")?;
        for fault in &self.begin.faults {
            let (active, _) = self.faults.get(&fault.name).copied().unwrap_or_default();
            let (on, effect) = (fault.on.to_string(), fault.effect.words());
            text.value(&[("fault", &fault.name), ("on", &on), ("effect", &effect)], u8::from(active))?;
        }
        text.counter("chaos_run_fault_fired_total", "How often the fault fired, told whenever it is taken back")?;
        for (fault, (_, fired)) in &self.faults {
            text.value(&[("fault", fault)], fired)?;
        }
        Ok(())
    }

    /// The share of responses with a marker, where the system declares it.
    fn write_marked(
        &self,
        text: &mut Text<'_, impl Write>,
        (name, about): (&'static str, &str),
        pick: fn(&PhaseFigures) -> Option<u64>,
    ) -> io::Result<()> {
        let known = self.phases.iter().filter(|phase| phase.arrivals > 0);
        let known: Vec<_> = known.filter_map(|phase| Some((phase, pick(phase)?))).collect();
        if known.is_empty() {
            return Ok(());
        }
        text.gauge(name, about)?;
        for (phase, parts) in known {
            text.value(&[("phase", &phase.phase)], Share { parts, whole: phase.arrivals }.as_f64())?;
        }
        Ok(())
    }

    fn write_judgement(&self, text: &mut Text<'_, impl Write>) -> io::Result<()> {
        text.gauge("chaos_run_verdict", "1 for what came of the run, once it has ended")?;
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive];
        for verdict in verdicts {
            text.value(&[("verdict", &verdict.to_string())], u8::from(self.verdict == Some(verdict)))?;
        }
        text.value(&[("verdict", "none")], u8::from(self.ended && self.verdict.is_none()))?;
        text.gauge("chaos_run_expectation", "1 for what came of the expectation, once it is judged")?;
        for Judged { that, when, verdict, .. } in &self.judged {
            for each in verdicts {
                let labels = [("that", that.as_str()), ("when", when), ("verdict", &each.to_string())];
                text.value(&labels, u8::from(*verdict == each))?;
            }
        }
        text.gauge("chaos_run_phase_requests", "Requests that the phase is judged by")?;
        for phase in &self.phases {
            text.value(&[("phase", &phase.phase)], phase.arrivals)?;
        }
        text.gauge("chaos_run_phase_available_ratio", "Share of the phase's requests that got a good response")?;
        for phase in self.phases.iter().filter(|phase| phase.arrivals > 0) {
            text.value(&[("phase", &phase.phase)], phase.availability().as_f64())?;
        }
        let partial = ("chaos_run_phase_partial_ratio", "Share of the phase's requests whose response was partial");
        self.write_marked(text, partial, |phase| phase.partial)?;
        let stale = ("chaos_run_phase_stale_ratio", "Share of the phase's requests whose response was stale");
        self.write_marked(text, stale, |phase| phase.stale)?;
        text.gauge("chaos_run_phase_latency_seconds", "Latency in the phase, from when a request was due")?;
        for phase in &self.phases {
            let Some(latency) = phase.latency else { continue };
            for (percentile, time) in [("50", latency.p50), ("90", latency.p90), ("99", latency.p99)] {
                text.value(&[("phase", &phase.phase), ("percentile", percentile)], time.as_secs_f64())?;
            }
        }
        Ok(())
    }
}
