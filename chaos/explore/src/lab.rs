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

/// Reads the text of a scenario as if it lay beside the one that is explored. Several threads do so at once.
pub type ReadText<'a> = dyn Fn(&str) -> Result<Scenario, Diagnostics> + Sync + 'a;

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

impl<'a> Lab<'a> {
    pub(crate) fn new(read: &'a ReadText<'a>, programs: Programs) -> Self {
        Self { read, programs, runs: AtomicUsize::new(0) }
    }

    /// Runs these, as many at once as there are cores. What can't be read is told by its first mistake.
    pub(crate) fn run(&self, jobs: &[Job]) -> Vec<Result<Seen, String>> {
        let places: Vec<Mutex<Option<Result<Seen, String>>>> = jobs.iter().map(|_| Mutex::default()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                let Some((job, place)) = jobs.get(nth).zip(places.get(nth)) else { return };
                let seen = self.seen(job);
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..cores.min(jobs.len()) {
                scope.spawn(work);
            }
        });
        let told = |place: Mutex<_>| place.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lost = || Err("its simulation did not end".to_owned());
        places.into_iter().map(|place| told(place).unwrap_or_else(lost)).collect()
    }

    /// Reads one and runs it on this thread; where that panics, which says so itself, the others go on.
    fn seen(&self, job: &Job) -> Result<Seen, String> {
        let scenario = (self.read)(&job.text).map_err(|wrong| first_mistake(&wrong))?;
        let run = std::panic::AssertUnwindSafe(|| self.simulated(job, scenario, None));
        let records = std::panic::catch_unwind(run).unwrap_or_else(|_| Err("its simulation panicked".to_owned()))?;
        Ok(Seen::of(&records))
    }

    /// Runs one, and gives its events. The listener hears all responses.
    pub(crate) fn events(
        &self,
        job: &Job,
        listener: Option<UnboundedSender<Heard>>,
    ) -> Result<(Scenario, Vec<Record>), Error> {
        let scenario = (self.read)(&job.text).map_err(|wrong| Error::Invalid(Box::new(wrong)))?;
        let own = scenario.clone();
        let run = move || self.simulated(job, own, listener);
        // A simulation is a runtime with a clock of its own, which can't share a thread with another one.
        let records = std::thread::scope(|scope| scope.spawn(run).join());
        let records = records.unwrap_or_else(|_| Err("its simulation panicked".to_owned())).map_err(Error::Unwell)?;
        Ok((scenario, records))
    }

    fn simulated(
        &self,
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
