//! Waiting for what is due, while everything else goes on: outcomes, counts, scrapes, probes, services that end.

use super::{Drive, SAMPLE_EVERY, StartedAgain};
use crate::{Death, News, Notice, WorldError, edges::Edge};
use chaos_model::{Event, Service};
use std::time::Duration;
use tokio::time::Instant;

/// Time that a service may take to be ready again at the end of a run, where it doesn't say.
const STARTS_AGAIN: Duration = Duration::from_secs(20);

impl Drive<'_, '_> {
    /// Waits, and meanwhile collects outcomes, tells how it goes, and notices services that end.
    pub(super) async fn wait_until(&mut self, deadline: Instant) -> Result<(), WorldError> {
        self.is_on_time();
        let host = self.world.host().clone();
        let mut sleep = std::pin::pin!(host.sleep_until(deadline));
        loop {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                notice = self.world.notice() => self.attend(notice?).await?,
                Some(outcome) = self.outcomes.recv() => self.take(outcome),
                counted = self.counting.answered() => self.tell_counted(counted),
                told = self.scraper.next() => self.tell(told.into_iter().map(Event::Scraped)),
                probed = self.probing.next(self.zero) => self.probe(probed),
                () = tokio::time::sleep_until(self.next_look) => {
                    self.look();
                    self.look_at_aborts();
                    if self.stopped.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes note that what was just done may have taken its time: an edge, the start of a service. That is no lateness of the
    /// machine's.
    pub(super) fn is_on_time(&mut self) {
        if self.look_every == SAMPLE_EVERY {
            self.next_look = self.next_look.max(Instant::now());
        }
    }

    /// Waits until the load has ended: its side of the channel is closed.
    pub(super) async fn wait_for_load(&mut self) -> Result<(), WorldError> {
        loop {
            tokio::select! {
                biased;
                outcome = self.outcomes.recv() => match outcome {
                    Some(outcome) => self.take(outcome),
                    None => return Ok(()),
                },
                notice = self.world.notice() => self.attend(notice?).await?,
                counted = self.counting.answered() => self.tell_counted(counted),
                told = self.scraper.next() => self.tell(told.into_iter().map(Event::Scraped)),
                probed = self.probing.next(self.zero) => self.probe(probed),
                () = tokio::time::sleep_until(self.next_look) => self.look(),
            }
        }
    }

    /// Waits for the probes that are still under way, and tells of them. The world is noticed meanwhile: it may be the one that
    /// asks a service.
    pub(super) async fn rest_of_probes(&mut self) -> Result<(), WorldError> {
        while self.probing.is_under_way() {
            tokio::select! {
                biased;
                probed = self.probing.ended() => self.tell(probed.map(Event::Probed)),
                notice = self.world.notice() => self.attend(notice?).await?,
            }
        }
        Ok(())
    }

    /// Does what a notice asks for, and tells what is news in it.
    pub(super) async fn attend(&mut self, notice: Notice) -> Result<(), WorldError> {
        let news = self.world.attend(notice).await?;
        self.is_on_time();
        match news {
            Some(News::Died(death)) => {
                let Death { instance, how, last_lines, .. } = death.clone();
                self.events.emit(Event::ServiceDied { service: instance.to_string(), how, last_lines });
                self.deaths.push(death);
            }
            Some(News::Killed { instance, after }) => {
                self.events.emit(Event::ServiceKilled { service: instance.to_string(), after });
            }
            Some(News::Back { instance, took, at_first }) => {
                self.events.emit(Event::ServiceBack { service: instance.to_string(), took, times: 1 });
                // A phase begins here that no edge has foreseen.
                self.count(self.now());
                if !self.world.is_restarting(&instance.service) {
                    self.fold.is_back(&instance.service, |service| self.world.is_restarting(service), self.now());
                    self.disrupting.is_back(&instance.service);
                }
                self.starts.push(StartedAgain { instance, took, at_first });
            }
            None => {}
        }
        Ok(())
    }

    /// Takes note of faults that were taken back at an edge, and whose services are not back yet.
    pub(super) fn note_restarting(&mut self, at: Duration, edge: &Edge) {
        for index in &edge.remove {
            let fault = &self.scenario.faults[*index];
            let is_away = fault.on.services().iter().any(|service| self.world.is_restarting(service));
            if fault.ends_service() && is_away {
                self.fold.restarts(*index, at);
            }
        }
    }

    /// Waits until all services are back that faults have ended, for as long as each may take to start; gives those that are
    /// not.
    pub(super) async fn until_all_are_back(&mut self) -> Result<Vec<String>, WorldError> {
        let longest = |service: &Service| service.lifecycle.start_timeout.unwrap_or(STARTS_AGAIN);
        let patience = self.scenario.system.services.values().map(longest).max().unwrap_or_default();
        let deadline = Instant::now() + patience;
        loop {
            let services = self.scenario.system.services.keys();
            let away: Vec<String> = services.filter(|name| self.world.is_restarting(name)).cloned().collect();
            if away.is_empty() {
                return Ok(away);
            }
            tokio::select! {
                biased;
                notice = self.world.notice() => self.attend(notice?).await?,
                () = tokio::time::sleep_until(deadline) => return Ok(away),
            }
        }
    }
}
