//! The laboratory: cases are read and simulated on all cores, and what came of them is told in the order in which they were asked
//! for, whichever ended first.

use crate::{error::Error, seen::Seen};
use chaos_model::{Diagnostics, Record, Scenario};
use chaos_run::{Heard, Options};
use chaos_sim::{Programs, Wanted};
use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::mpsc::UnboundedSender;

/// Reads the text of a scenario as if it lay beside the one that is explored.
pub type ReadText<'a> = dyn Fn(&str) -> Result<Scenario, Diagnostics> + 'a;

/// A run that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) text: String,
    pub(crate) seed: u64,
    /// Without its faults, and judged as if they had been there.
    pub(crate) control: bool,
}

/// A place where cases are run.
pub(crate) struct Lab<'a> {
    read: &'a ReadText<'a>,
    programs: Programs,
    /// Runs so far.
    pub(crate) runs: AtomicUsize,
}

/// A job that was read, and its result.
struct Bench {
    scenario: Result<Scenario, String>,
    seen: Mutex<Option<Result<Seen, String>>>,
}

impl<'a> Lab<'a> {
    pub(crate) fn new(read: &'a ReadText<'a>, programs: Programs) -> Self {
        Self { read, programs, runs: AtomicUsize::new(0) }
    }

    // Who reads scenarios need not be shared by threads: what they share is this.
    fn means(&self) -> Means<'_> {
        Means { programs: &self.programs, runs: &self.runs }
    }

    /// Runs these, as many at once as there are cores. What can't be read is told by its first mistake.
    pub(crate) fn run(&self, jobs: &[Job]) -> Vec<Result<Seen, String>> {
        let read = |job: &Job| (self.read)(&job.text).map_err(|wrong| first_mistake(&wrong));
        let benches: Vec<Bench> =
            jobs.iter().map(|job| Bench { scenario: read(job), seen: Mutex::new(None) }).collect();
        let (next, means) = (AtomicUsize::new(0), self.means());
        let work = || {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some((job, bench)) = jobs.get(nth).zip(benches.get(nth)) else { return };
                let seen = match &bench.scenario {
                    Ok(scenario) => means.caught(job, scenario.clone()).map(|records| Seen::of(&records)),
                    Err(wrong) => Err(wrong.clone()),
                };
                *bench.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..cores.min(jobs.len()) {
                scope.spawn(work);
            }
        });
        let told = |bench: Bench| bench.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lost = || Err("its simulation did not end".to_owned());
        benches.into_iter().map(|bench| told(bench).unwrap_or_else(lost)).collect()
    }

    /// Runs one on this thread, and gives its events. The listener hears all responses.
    pub(crate) fn events(
        &self,
        job: &Job,
        listener: Option<UnboundedSender<Heard>>,
    ) -> Result<(Scenario, Vec<Record>), Error> {
        let scenario = (self.read)(&job.text).map_err(|wrong| Error::Invalid(Box::new(wrong)))?;
        let (means, own) = (self.means(), scenario.clone());
        let run = move || means.run(job, own, listener);
        // A simulation is a runtime with a clock of its own, which can't share a thread with another one.
        let records = std::thread::scope(|scope| scope.spawn(run).join());
        let records = records.unwrap_or_else(|_| Err("its simulation panicked".to_owned())).map_err(Error::Unwell)?;
        Ok((scenario, records))
    }
}

/// The means of a run, which threads share.
#[derive(Clone, Copy)]
struct Means<'a> {
    programs: &'a Programs,
    runs: &'a AtomicUsize,
}

impl Means<'_> {
    /// Runs one; where that panics, which says so itself, the others go on.
    fn caught(self, job: &Job, scenario: Scenario) -> Result<Vec<Record>, String> {
        let run = std::panic::AssertUnwindSafe(|| self.run(job, scenario, None));
        std::panic::catch_unwind(run).unwrap_or_else(|_| Err("its simulation panicked".to_owned()))
    }

    fn run(
        self,
        job: &Job,
        scenario: Scenario,
        listener: Option<UnboundedSender<Heard>>,
    ) -> Result<Vec<Record>, String> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (scenario, elsewhere) = scenario.in_world("sim");
        let options = Options { seed: job.seed, control: job.control, elsewhere, listener, ..Options::default() };
        let never = Box::pin(std::future::pending());
        let run = chaos_sim::simulate(&scenario, &options, self.programs.clone(), Wanted::default(), never);
        run.map(|run| run.records).map_err(|error| format!("the machine gives no runtime: {error}"))
    }
}

fn first_mistake(wrong: &Diagnostics) -> String {
    wrong.list.first().map_or_else(|| "it is not valid".to_owned(), |first| first.message.clone())
}
