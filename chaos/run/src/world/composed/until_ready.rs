//! Waiting until services are ready.

use super::ComposedWorld;
use crate::{Address, Death, Events, Instance, InstanceId, Links, Runtime, World as _, WorldError, ready};
use chaos_model::{Event, Service};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use host::Host;
use std::{collections::BTreeMap, time::Duration};
use tokio::{io::AsyncReadExt as _, time::Instant};

/// Time that a connection has to stay open which somebody else has taken for an instance.
const STAYS_OPEN: Duration = Duration::from_millis(50);

/// An instance that is asked whether it is ready.
#[derive(Clone)]
struct Probed {
    service: Service,
    instance: Instance,
}

impl<R: Runtime, L: Links> ComposedWorld<R, L> {
    /// Waits until all instances of these services are ready, and tells of each.
    pub(super) async fn until_ready(
        &mut self,
        wave: &[&Service],
        began: Instant,
        events: &Events,
    ) -> Result<(), WorldError> {
        let (host, relays) = (self.runtime.host().clone(), self.runtime.relays());
        let mut waiting = FuturesUnordered::new();
        let mut late: BTreeMap<InstanceId, String> = BTreeMap::new();
        for probed in self.probed(wave) {
            late.insert(probed.instance.id.clone(), format!("{}: it did not respond", probed.instance.address));
            waiting.push(ask(host.clone(), relays, probed));
        }
        let deadline = began + self.runtime.patience();
        while !late.is_empty() {
            tokio::select! {
                biased;
                death = self.died() => {
                    let relocated = self.relocated(death?).await?;
                    for probed in self.probed(&[&relocated]) {
                        late.entry(probed.instance.id.clone()).or_default();
                        waiting.push(ask(host.clone(), relays, probed));
                    }
                }
                Some((Probed { service, instance }, result)) = waiting.next() => match result {
                    // Of an address that the instance has no more.
                    _ if self.address(&instance.id).as_ref() != Some(&instance.address) => {}
                    Ok(()) => {
                        late.remove(&instance.id);
                        events.emit(Event::ServiceReady {
                            service: instance.id.to_string(),
                            what: instance.what,
                            address: instance.address.to_string(),
                            took: began.elapsed(),
                        });
                    }
                    Err(why) => {
                        late.insert(instance.id.clone(), format!("{}: {why}", instance.address));
                        waiting.push(ask(host.clone(), relays, Probed { service, instance }));
                    }
                },
                () = tokio::time::sleep_until(deadline) => return Err(self.not_ready(&late).await),
            }
        }
        Ok(())
    }

    /// Starts an instance again, and waits until it is ready or has ended. The run bounds how long that may take.
    pub(super) async fn start_again(&mut self, service: &Service, instance: Instance) -> Result<(), WorldError> {
        self.runtime.start(&instance.id).await?;
        let (host, relays) = (self.runtime.host().clone(), self.runtime.relays());
        let mut probed = Probed { service: service.clone(), instance: instance.clone() };
        let is_ready = async {
            loop {
                let (asked, result) = ask(host.clone(), relays, probed).await;
                if result.is_ok() {
                    return;
                }
                probed = asked;
            }
        };
        tokio::select! {
            biased;
            error = self.links.lost() => return Err(error),
            death = self.runtime.exited_of(&instance.id) => return Err(WorldError::DiedStarting(death?)),
            () = is_ready => {}
        }
        self.runtime.recovered(&instance.id).await
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

    fn probed(&self, services: &[&Service]) -> Vec<Probed> {
        let of = |service: &&Service| {
            let service = (*service).clone();
            self.runtime
                .instances(&service.name)
                .into_iter()
                .map(move |instance| Probed { service: service.clone(), instance })
        };
        services.iter().flat_map(of).collect()
    }

    fn address(&self, id: &InstanceId) -> Option<Address> {
        let mut instances = self.runtime.instances(&id.service).into_iter();
        instances.find(|instance| instance.id == *id).map(|instance| instance.address)
    }

    /// Names all that are not ready, and shows the lines of the first.
    async fn not_ready(&self, late: &BTreeMap<InstanceId, String>) -> WorldError {
        let mut late = late.iter();
        let Some((first, why)) = late.next() else { return WorldError::CannotGive("all are ready".to_owned()) };
        let others: Vec<String> = late.map(|(id, _)| id.to_string()).collect();
        let why = if others.is_empty() { why.clone() } else { format!("{why} (nor were {})", others.join(", ")) };
        let (seconds, last_lines) = (self.runtime.patience().as_secs(), self.runtime.last_lines(first).await);
        WorldError::NotReady { service: first.to_string(), seconds, why, last_lines }
    }
}

/// Asks an instance once whether it is ready.
async fn ask(host: Host, relays: bool, probed: Probed) -> (Probed, Result<(), String>) {
    let Probed { service, instance } = probed;
    let (service, address, result) = ready::wait(host.clone(), service, instance.address.clone()).await;
    let asked_nothing = service.ready.is_none() && !service.protocol.ready.asks_the_program();
    let result = if relays && result.is_ok() && asked_nothing { stays_open(&host, &address).await } else { result };
    (Probed { service, instance }, result)
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
