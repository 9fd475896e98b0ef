//! Waiting until services are ready.

use super::ComposedWorld;
use crate::{
    Address, AskReady, Death, Events, Instance, InstanceId, InstanceState, Links, Question, Runtime, WorldError,
    ready as readiness,
};
use chaos_model::{Event, Readiness, Service};
use futures_util::{
    FutureExt as _, StreamExt as _, TryFutureExt as _,
    future::{BoxFuture, ready, try_join_all},
    stream::FuturesUnordered,
};
use host::Host;
use std::{collections::BTreeMap, time::Duration};
use tokio::{io::AsyncReadExt as _, time::Instant};

/// Time that a connection has to stay open which somebody else has taken for an instance.
const STAYS_OPEN: Duration = Duration::from_millis(50);

/// Time between two questions that a runtime answers, which cost an engine more than a connection does.
const AT_ITS_RUNTIME: Duration = Duration::from_millis(25);

/// An instance that is asked whether it is ready.
#[derive(Clone)]
pub(super) struct Probed {
    service: Service,
    instance: Instance,
    /// The machine that asks it over TLS, where it is asked so.
    secured: Option<Host>,
    /// The question that its runtime has for it, if there is one.
    question: Option<Question>,
    /// The question of what its runtime knows without asking the instance, where that knows something.
    asks: Option<AskReady>,
}

impl<R: Runtime, L: Links> ComposedWorld<R, L> {
    /// Waits until all instances of these services are ready, which were launched at the second of these moments, and tells of
    /// each, with the time since the first.
    pub(super) async fn until_ready(
        &mut self,
        wave: &[&Service],
        (began, launched): (Instant, Instant),
        events: &Events,
    ) -> Result<(), WorldError> {
        let (host, relays) = (self.runtime.host().clone(), self.runtime.relays());
        let mut waiting = FuturesUnordered::new();
        let mut late: BTreeMap<InstanceId, Late> = BTreeMap::new();
        for probed in self.probed(wave) {
            let timeout = probed.service.lifecycle.start_timeout.unwrap_or(self.runtime.patience());
            let why = format!("{}: it did not respond", probed.instance.address);
            late.insert(probed.instance.id.clone(), Late { deadline: launched + timeout, timeout, why });
            waiting.push(ask(host.clone(), relays, probed));
        }
        while let Some(deadline) = late.values().map(|late| late.deadline).min() {
            tokio::select! {
                biased;
                death = self.first_exit() => {
                    let relocated = self.relocated(death?).await?;
                    for probed in self.probed(&[&relocated]) {
                        waiting.push(ask(host.clone(), relays, probed));
                    }
                }
                Some((probed, result)) = waiting.next() => match result {
                    // Of an address that the instance has no more.
                    _ if self.address(&probed.instance.id).as_ref() != Some(&probed.instance.address) => {}
                    Ok(()) => {
                        let instance = probed.instance;
                        late.remove(&instance.id);
                        if !self.runtime.runs_already() {
                            self.changes.started_first(&instance.id, launched.elapsed());
                        }
                        events.emit(Event::ServiceReady {
                            service: instance.id.to_string(),
                            what: instance.what,
                            address: instance.address.to_string(),
                            took: began.elapsed(),
                        });
                    }
                    Err(why) => {
                        let why = format!("{}: {why}", probed.instance.address);
                        late.entry(probed.instance.id.clone()).and_modify(|late| late.why = why);
                        waiting.push(ask(host.clone(), relays, probed));
                    }
                },
                () = tokio::time::sleep_until(deadline) => return Err(self.not_ready(&late).await),
            }
        }
        Ok(())
    }

    /// Waits for an instance to end. Safe to drop.
    async fn first_exit(&mut self) -> Result<Death, WorldError> {
        tokio::select! {
            biased;
            error = self.links.lost() => Err(error),
            death = self.runtime.exited() => death,
        }
    }

    /// The service of an instance that ended while starting and was given another address; all else is its own fault.
    async fn relocated(&mut self, death: Death) -> Result<Service, WorldError> {
        let Some(service) = self.services.get(&death.instance.service).cloned() else {
            return Err(WorldError::DiedStarting(death));
        };
        if !self.runtime.relocate(&death, &self.addresses).await? {
            return Err(WorldError::DiedStarting(death));
        }
        self.lead_to(&service.name);
        Ok(service)
    }

    /// Asks all instances of a service once; in words why the first is not ready that isn't. None where no address of a system
    /// that runs already is known.
    pub(super) fn probe_once(&self, name: &str) -> Option<BoxFuture<'static, Result<(), String>>> {
        let service = self.services.get(name)?;
        let (host, relays) = (self.runtime.host().clone(), self.runtime.relays());
        let probed = self.probed(&[service]);
        if probed.is_empty() {
            let gone = || ready(Err("it does not run".to_owned())).boxed();
            return (!self.runtime.runs_already()).then(gone);
        }
        let all = probed.into_iter().map(move |probed| ask(host.clone(), relays, probed).map(|(_, result)| result));
        Some(try_join_all(all).map_ok(drop).boxed())
    }

    fn probed(&self, services: &[&Service]) -> Vec<Probed> {
        let of = |service: &&Service| {
            let service = (*service).clone();
            let instances = self.runtime.instances(&service.name).into_iter();
            instances.map(move |instance| self.probed_of(service.clone(), instance))
        };
        services.iter().flat_map(of).collect()
    }

    /// An instance, with what it is asked.
    pub(super) fn probed_of(&self, service: Service, instance: Instance) -> Probed {
        let of_runtime = matches!(service.ready, Some(Readiness::Command(_) | Readiness::Log(_)));
        let question = of_runtime.then(|| self.runtime.question(&service, &instance.id, &self.addresses)).flatten();
        let asks = self.runtime.asks(&service, &instance.id);
        let secured = self.secured.get(&service.name).filter(|_| readiness::is_over_tls(&service)).cloned();
        Probed { service, instance, secured, question, asks }
    }

    fn address(&self, id: &InstanceId) -> Option<Address> {
        let mut instances = self.runtime.instances(&id.service).into_iter();
        instances.find(|instance| instance.id == *id).map(|instance| instance.address)
    }

    /// Names all that are not ready, and shows the lines of the first.
    async fn not_ready(&self, late: &BTreeMap<InstanceId, Late>) -> WorldError {
        let due = late.iter().min_by_key(|(_, late)| late.deadline);
        let Some((first, Late { timeout, why, .. })) = due else {
            return WorldError::CannotGive("all are ready".to_owned());
        };
        let others: Vec<String> = late.keys().filter(|id| *id != first).map(ToString::to_string).collect();
        let why = if others.is_empty() { why.clone() } else { format!("{why} (nor were {})", others.join(", ")) };
        let last_lines = self.runtime.last_lines(first).await;
        WorldError::NotReady { service: first.to_string(), after: *timeout, why, last_lines }
    }
}

/// Waits until an instance responds that was started again. Nothing bounds how long that may take.
pub(super) async fn ready_again(host: Host, relays: bool, mut probed: Probed) {
    loop {
        let (asked, result) = ask(host.clone(), relays, probed).await;
        if result.is_ok() {
            return;
        }
        probed = asked;
    }
}

/// An instance that is not ready yet.
struct Late {
    /// The moment by which it has to be.
    deadline: Instant,
    /// Time from its start until then.
    timeout: Duration,
    /// The last reason why it was not.
    why: String,
}

/// Asks an instance once whether it is ready.
async fn ask(host: Host, relays: bool, probed: Probed) -> (Probed, Result<(), String>) {
    let known = match &probed.asks {
        Some(ask) => ask().await,
        None => Ok(InstanceState::Runs),
    };
    match known {
        Ok(InstanceState::Runs) => {}
        Ok(InstanceState::Ready) => return (probed, Ok(())),
        Err(why) => {
            tokio::time::sleep(AT_ITS_RUNTIME).await;
            return (probed, Err(why));
        }
    }
    let Probed { service, instance, secured, question, .. } = &probed;
    let result = readiness::wait(secured.as_ref().unwrap_or(&host), service, instance, question.as_ref()).await;
    let port = match &service.ready {
        None if !service.protocol.ready.asks_the_program() => Some(None),
        Some(Readiness::Connection(port)) => Some(port.as_deref()),
        _ => None,
    };
    let accepted = port.filter(|_| relays && result.is_ok()).and_then(|port| instance.at(port));
    let result = match accepted {
        Some(address) => stays_open(&host, &address).await,
        None => result,
    };
    (probed, result)
}

/// Asks by a connection where one that is accepted says nothing: whoever accepts on the instance's behalf closes it at once
/// where nobody listens behind.
async fn stays_open(host: &Host, at: &Address) -> Result<(), String> {
    let mut stream = host.dial(&at.host, at.port).await.map_err(|error| error.to_string())?;
    match tokio::time::timeout(STAYS_OPEN, stream.read(&mut [0])).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err("it closed the connection at once".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
    }
}
