//! Simulated runs: each on a thread of its own with a clock of its own, as many at once as there are cores, and told in
//! the order in which they were asked for.

use crate::{bundle::Bundle, interrupt::Interrupts};
use chaos_model::{Record, Scenario};
use chaos_report::Trace;
use chaos_run::Options;
use chaos_sim::{Run, Tracer};
use futures_util::{Stream, StreamExt as _, stream};
use std::{collections::BTreeMap, num::NonZero, sync::Arc};
use tokio::sync::oneshot;

/// One run to be made.
pub(crate) struct Job {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) options: Options,
}

/// Results that are wanted of each run besides its events.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// Keep the services' logs.
    pub(crate) logs: bool,
    /// Trace the request with this number.
    pub(crate) trace: Option<u64>,
}

/// The result of a simulated run.
#[derive(Default)]
pub(crate) struct Simulated {
    /// The run's events.
    pub(crate) records: Vec<Record>,
    /// Log lines of each service, as JSON, where they were wanted.
    pub(crate) logs: BTreeMap<String, Vec<u8>>,
    /// The trace of the request that was asked for, if there was one.
    pub(crate) trace: Option<Trace>,
    /// The last request that there was, where one was asked for.
    pub(crate) last: Option<u64>,
}

/// The targets of the spans by which built-in programs tell of requests.
const SPANS: [&str; 1] = ["gateway::spans"];

/// Makes these runs, several at once; their results come in the order of the jobs.
pub(crate) fn all<'a>(
    jobs: impl Iterator<Item = Job> + 'a,
    bundle: Bundle,
    wanted: Wanted,
    interrupts: &'a Interrupts,
) -> impl Stream<Item = (Job, Simulated)> + 'a {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    stream::iter(jobs)
        .map(move |job| {
            let interrupts = interrupts.clone();
            async move {
                let simulated = one(Arc::clone(&job.scenario), job.options.clone(), bundle, wanted, interrupts).await;
                (job, simulated)
            }
        })
        .buffered(cores)
}

/// Makes one run.
async fn one(
    scenario: Arc<Scenario>,
    options: Options,
    bundle: Bundle,
    Wanted { logs, trace }: Wanted,
    interrupts: Interrupts,
) -> Simulated {
    let (give, result) = oneshot::channel();
    // A simulation is a runtime with a clock of its own, which can't share a thread with another one.
    std::thread::spawn(move || {
        let tracer = trace.map(|n| (n, Tracer::new(&SPANS)));
        let wanted = chaos_sim::Wanted { logs, tracer: tracer.as_ref().map(|(_, tracer)| tracer) };
        let interrupt = Box::pin(interrupts.first());
        let run = chaos_sim::simulate(&scenario, &options, bundle.simulated(), wanted, interrupt);
        let simulated = run.map(|Run { records, logs, .. }| {
            let last = tracer.as_ref().and_then(|(_, tracer)| tracer.last());
            let trace = tracer.and_then(|(n, tracer)| tracer.trace(n, &records));
            Simulated { records, logs, trace, last }
        });
        // The session was interrupted for good: nobody listens.
        let _ = give.send(simulated.unwrap_or_default());
    });
    // A simulation that panicked has said so, and leaves no events: no verdict.
    result.await.unwrap_or_default()
}
