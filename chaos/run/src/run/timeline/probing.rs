//! Probes of services in the course of a run: whether they are ready, once a second, where an expectation asks.

use crate::World;
use chaos_model::{Scenario, check::PROBE_EVERY, event::Probed};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use host::{Host, Stopped, Task};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// The first probe: half a second in, since most edges of a timeline are at whole seconds, and a probe belongs to the phase in
/// which it began and ended.
const FIRST: Duration = Duration::from_millis(500);

/// Probes of the services that expectations ask about.
pub(super) struct Probing {
    host: Host,
    services: BTreeSet<String>,
    /// The moment of the timeline at which the next ones begin.
    next: Duration,
    /// The end of the timeline: none begin from then on.
    end: Duration,
    running: FuturesUnordered<Task<Probed>>,
    seen: BTreeMap<String, Vec<Probed>>,
}

impl Probing {
    pub(super) fn new(scenario: &Scenario, host: &Host) -> Self {
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        Self {
            host: host.clone(),
            services: checks.filter_map(|check| check.subject.probes()).map(str::to_owned).collect(),
            next: FIRST,
            end: scenario.timeline.duration,
            running: FuturesUnordered::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Waits until a probe has ended, and gives it, or until the next ones are due on a timeline that began at `zero`: none.
    /// For ever where nothing of it comes. Safe to drop.
    pub(super) async fn next(&mut self, zero: Option<Instant>) -> Option<Probed> {
        let due = zero.filter(|_| !self.services.is_empty() && self.next < self.end).map(|zero| zero + self.next);
        let due = async move {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let mut due = std::pin::pin!(due);
        loop {
            tokio::select! {
                biased;
                Some(ended) = self.running.next() => if let Some(probed) = self.note(ended) {
                    return Some(probed);
                },
                () = &mut due => return None,
            }
        }
    }

    /// Begins a probe of each service, at this moment of the timeline. Nothing waits for it.
    pub(super) fn begin(&mut self, now: Duration, world: &dyn World) {
        for service in &self.services {
            let Some(asked) = world.probe(service) else { continue };
            let service = service.clone();
            self.running.push(self.host.spawn(async move {
                let began = Instant::now();
                let why = asked.await.err();
                Probed { service, at: now, took: began.elapsed(), why }
            }));
        }
        // Those that a late runner missed are left out: one says how it is now, and not how it was.
        while self.next <= now {
            self.next += PROBE_EVERY;
        }
    }

    /// True while probes have not ended: each does within seconds.
    pub(super) fn is_under_way(&self) -> bool {
        !self.running.is_empty()
    }

    /// Waits for the next end of a probe, and gives that, unless it was lost; none where none is under way. Safe to drop.
    pub(super) async fn ended(&mut self) -> Option<Probed> {
        let ended = self.running.next().await?;
        self.note(ended)
    }

    /// Takes note of a probe. One that was lost says nothing.
    fn note(&mut self, probed: Result<Probed, Stopped>) -> Option<Probed> {
        let probed = probed.ok()?;
        self.seen.entry(probed.service.clone()).or_default().push(probed.clone());
        Some(probed)
    }

    /// The probes that have ended, by service.
    pub(super) fn so_far(&self) -> &BTreeMap<String, Vec<Probed>> {
        &self.seen
    }

    /// All probes, by service, in the order in which they began.
    pub(super) fn finish(mut self) -> BTreeMap<String, Vec<Probed>> {
        self.seen.values_mut().for_each(|probes| probes.sort_by_key(|probe| probe.at));
        self.seen
    }
}
