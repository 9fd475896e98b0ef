//! The end of a run before its time: looks at gates and aborts when they are due, and takes back what there is.

use super::{Drive, MOMENT, stopping::Observations};
use crate::{
    WorldError,
    edges::{self, Edge},
};
use chaos_model::{Event, check::reading::ScrapeSide};
use std::time::Duration;
use tokio::time::Instant;

/// Time that requests of the baseline have to end before a gate looks at them: most are under way for moments. Less than an edge
/// may be late.
const UNDER_WAY: Duration = Duration::from_millis(100);

impl Drive<'_, '_> {
    /// Looks at the system before the first fault, which is due now.
    pub(super) async fn look_at_gates(&mut self, at: Duration) -> Result<(), WorldError> {
        let zero = self.zero.unwrap_or_else(Instant::now);
        if edges::scrapes(self.scenario).next().is_some() {
            self.scraper.ask((at, self.now(), ScrapeSide::Before), MOMENT, &self.deaf);
            let told = self.scraper.rest().await;
            self.tell(told.into_iter().map(Event::Scraped));
        }
        let patience = zero + at + UNDER_WAY;
        while Instant::now() < patience && self.fold.hang((at, self.now()), Duration::ZERO) > 0 {
            self.wait_until(patience.min(Instant::now() + UNDER_WAY / 10)).await?;
        }
        let now = self.now();
        let observed = Observations { scrapes: self.scraper.so_far(), probes: self.probing.so_far() };
        self.stopped = self.stopping.gate((self.scenario, &mut self.fold), &observed, (at, now));
        Ok(())
    }

    /// Takes all faults back and ends the load, before its time. `edges` are those that are not passed yet.
    pub(super) async fn end_early(&mut self, edges: impl Iterator<Item = Duration>) -> Result<(), WorldError> {
        if let Some(stopped) = &self.stopped {
            self.events.emit(Event::EndedEarly(stopped.early.clone()));
        }
        let remove = self.active.iter().copied().collect();
        self.change(&Edge { remove, apply: Vec::new() }).await?;
        // Nothing is done there any more: what ended by now has not to wait for them.
        edges.for_each(|edge| self.fold.pass(edge, None));
        self.stop.cancel();
        self.wait_for_load().await?;
        let told = self.scraper.rest().await;
        self.tell(told.into_iter().map(Event::Scraped));
        self.rest_of_probes().await?;
        self.count(self.now());
        self.away = self.until_all_are_back().await?;
        Ok(())
    }

    /// Looks at what an expectation may end the run by.
    pub(super) fn look_at_aborts(&mut self) {
        let now = self.now();
        if !self.control && self.stopping.is_due(now) {
            let observed = Observations { scrapes: self.scraper.so_far(), probes: self.probing.so_far() };
            self.stopped = self.stopping.abort((self.scenario, &mut self.fold), &observed, now);
        }
    }
}
