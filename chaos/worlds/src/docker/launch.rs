//! Starting the containers: those of a wave at once.

use super::{DockerRuntime, plan};
use chaos_model::Service;
use chaos_run::{InstanceId, LinkAddresses, WorldError};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use std::io;
use testcontainers::runners::AsyncRunner as _;

/// Number of attempts to start a service whose port is taken.
const ATTEMPTS: usize = 4;

impl DockerRuntime {
    /// Makes and starts the containers of these services, all at once. A service whose port was snatched gets another:
    /// the engine may not have let go yet of one that a run had which was killed.
    pub(super) async fn create(&mut self, mut left: Vec<&Service>, links: &LinkAddresses) -> Result<(), WorldError> {
        for attempt in 1.. {
            let snatched = self.create_once(&left, links, attempt < ATTEMPTS).await?;
            left.retain(|service| snatched.contains(&service.name));
            if left.is_empty() {
                break;
            }
            for service in &left {
                // It was made, and not started.
                self.engine()?.remove_container(&plan::container_name(self.network_name(), &service.name)).await;
                self.publish(service)?;
            }
        }
        Ok(())
    }

    /// Gives the names of those whose ports were snatched, where they are to be tried again.
    async fn create_once(
        &mut self,
        wave: &[&Service],
        links: &LinkAddresses,
        is_forgiving: bool,
    ) -> Result<Vec<String>, WorldError> {
        let mut starting = FuturesUnordered::new();
        for service in wave {
            let request = self.request(service, links)?;
            starting.push(async { (service.name.clone(), request.start().await) });
        }
        let mut snatched = Vec::new();
        while let Some((name, result)) = starting.next().await {
            match result {
                Ok(container) => {
                    let instance = InstanceId::first(name.as_str());
                    self.watch(&instance, container.id())?;
                    if let Some(started) = self.services.get_mut(&instance) {
                        started.container = Some(container);
                    }
                }
                Err(error) if is_forgiving && is_of_port(&error.to_string()) => snatched.push(name),
                Err(error) => {
                    let refused = WorldError::machine(format!("{name} can't be started"));
                    return Err(refused(io::Error::other(error)));
                }
            }
        }
        Ok(snatched)
    }
}

/// True where the engine refused a port: it has no code for that, and says either, by who holds it.
fn is_of_port(error: &str) -> bool {
    error.contains("port is already allocated") || error.contains("address already in use")
}
