//! Instances that are between running and running: they end, have ended, or start again. Nobody waits for them: what becomes of
//! them is noticed while the run goes on.

use super::{ComposedWorld, until_ready::ready_again};
use crate::{Death, Instance, InstanceId, Links, News, Notice, Runtime, WorldError};
use chaos_model::{Service, lifecycle::Lifecycle};
use futures_util::{
    future::{BoxFuture, FutureExt as _},
    stream::{FuturesUnordered, StreamExt as _},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Instances that don't run as they did at first, and what is known of their first start.
#[derive(Default)]
pub(super) struct Changes {
    states: BTreeMap<InstanceId, State>,
    /// Time that each took at first until it was ready.
    at_first: BTreeMap<InstanceId, Duration>,
    /// Number of starts that were made again.
    starts: u64,
    /// Questions whether these are ready. The lock is never taken: it makes of what one thread may have what several may see.
    probes: Mutex<FuturesUnordered<BoxFuture<'static, (InstanceId, u64)>>>,
}

/// State of an instance that does not run, or not for sure.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It was asked to end; when it has, it may have to be started.
    Ending {
        start_then: bool,
    },
    Ended,
    /// It was started, with this number, and has not responded yet.
    Starting {
        start: u64,
        since: Instant,
    },
}

impl Changes {
    /// Notes how long an instance took at first until it was ready.
    pub(super) fn started_first(&mut self, instance: &InstanceId, took: Duration) {
        self.at_first.insert(instance.clone(), took);
    }

    fn probes(&mut self) -> &mut FuturesUnordered<BoxFuture<'static, (InstanceId, u64)>> {
        self.probes.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// True for an instance that is started again, or will be.
    pub(super) fn is_restarting(&self, instance: &InstanceId) -> bool {
        matches!(self.states.get(instance), Some(State::Ending { start_then: true } | State::Starting { .. }))
    }
}

impl<R: Runtime, L: Links> ComposedWorld<R, L> {
    /// Asks an instance to end. Once it has, it is started again where that is wanted.
    pub(super) async fn terminate(
        &mut self,
        id: &InstanceId,
        lifecycle: &Lifecycle,
        start_then: bool,
    ) -> Result<(), WorldError> {
        match self.changes.states.get(id) {
            Some(State::Ended) => return Ok(()),
            Some(State::Ending { .. }) => {}
            Some(State::Starting { .. }) | None => self.runtime.terminate(id, lifecycle).await?,
        }
        self.changes.states.insert(id.clone(), State::Ending { start_then });
        Ok(())
    }

    /// Ends an instance at once.
    pub(super) async fn kill(&mut self, id: &InstanceId) -> Result<(), WorldError> {
        if !matches!(self.changes.states.get(id), Some(State::Ended)) {
            self.runtime.kill(id).await?;
            self.changes.states.insert(id.clone(), State::Ended);
        }
        Ok(())
    }

    /// Sees to it that an instance runs again that was ended: at once, or once it has ended.
    pub(super) async fn start_again(&mut self, service: &Service, instance: Instance) -> Result<(), WorldError> {
        match self.changes.states.get_mut(&instance.id) {
            Some(State::Ending { start_then }) => *start_then = true,
            Some(State::Ended) => self.begin(service, instance).await?,
            Some(State::Starting { .. }) | None => {}
        }
        Ok(())
    }

    async fn begin(&mut self, service: &Service, instance: Instance) -> Result<(), WorldError> {
        let since = Instant::now();
        self.runtime.start(&instance.id).await?;
        self.changes.starts += 1;
        let (id, start) = (instance.id.clone(), self.changes.starts);
        self.changes.states.insert(id.clone(), State::Starting { start, since });
        // It may have come back at another address.
        let moved = self.runtime.instances(&id.service).into_iter().find(|now| now.id == id).unwrap_or(instance);
        let probed = self.probed_of(service.clone(), moved);
        let ready = ready_again(self.runtime.host().clone(), self.runtime.relays(), probed);
        self.changes.probes().push(ready.map(move |()| (id, start)).boxed());
        Ok(())
    }

    /// Waits for something to happen to an instance. Safe to drop.
    pub(super) async fn next_notice(&mut self) -> Result<Notice, WorldError> {
        tokio::select! {
            biased;
            error = self.links.lost() => Err(error),
            death = self.runtime.exited() => Ok(Notice::Exited(death?)),
            Some((instance, start)) = self.changes.probes().next() => Ok(Notice::Ready { instance, start }),
        }
    }

    /// Takes note of the end of an instance, and starts it again where that is wanted.
    pub(super) async fn has_exited(&mut self, death: Death) -> Result<Option<News>, WorldError> {
        let id = death.instance.clone();
        let state = self.changes.states.insert(id.clone(), State::Ended);
        let Some(State::Ending { start_then }) = state else {
            // Where it was just started, it is as dead as any other: whether that matters, clients say.
            return Ok(Some(News::Died(death)));
        };
        if start_then {
            let (service, instances) = self.with_instances(&id.service)?;
            if let Some(instance) = instances.into_iter().find(|instance| instance.id == id) {
                self.begin(&service, instance).await?;
            }
        }
        Ok(death.killed_after.map(|after| News::Killed { instance: id, after }))
    }

    /// Takes note that an instance responds, if that is the start that it was made for.
    pub(super) async fn is_ready(&mut self, instance: InstanceId, number: u64) -> Result<Option<News>, WorldError> {
        let Some(State::Starting { start, since }) = self.changes.states.get(&instance).copied() else {
            return Ok(None);
        };
        if start != number {
            return Ok(None);
        }
        self.changes.states.remove(&instance);
        self.runtime.recovered(&instance).await?;
        let (took, at_first) = (since.elapsed(), self.changes.at_first.get(&instance).copied());
        Ok(Some(News::Back { instance, took, at_first }))
    }
}
