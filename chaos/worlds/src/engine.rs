//! The container engine, as far as it concerns whose containers and networks are whose: what a run makes carries the run's
//! mark as labels, so that the runner, its keeper and `chaos heal` alike find and remove it.

use crate::mark::Mark;
use futures_util::{StreamExt as _, future::join_all};
use std::{io, time::Duration};
use testcontainers::{
    bollard::{
        Docker,
        query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder},
    },
    core::client::docker_client_instance,
};
use tokio::time::Instant;

/// How long all of a run's containers have to be gone.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long after one look the next is due.
const EVERY: Duration = Duration::from_millis(50);
/// How long nothing may have appeared where the engine may still be making what a runner asked for that is gone.
pub(crate) const SETTLED: Duration = Duration::from_secs(1);

/// An engine that answers.
#[derive(Clone)]
pub(crate) struct Engine(pub(crate) Docker);

/// What a [`Resource`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Container,
    Network,
}

/// Something that a run has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whose it is; nothing where its labels can't be read.
    pub(crate) mark: Option<Mark>,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Container => "container",
            Kind::Network => "network",
        };
        write!(f, "{kind} {}", self.name)
    }
}

impl Engine {
    /// The engine that `DOCKER_HOST` or the properties of testcontainers name, else that of this machine.
    pub(crate) async fn connect() -> io::Result<Self> {
        let docker = docker_client_instance().await.map_err(io::Error::other)?;
        docker.ping().await.map_err(io::Error::other)?;
        Ok(Self(docker))
    }

    /// What this run has made, or any.
    pub(crate) async fn resources(&self, of: Option<&Mark>) -> io::Result<Vec<Resource>> {
        let labels = match of {
            Some(mark) => mark.labels().map(|(key, value)| format!("{key}={value}")).to_vec(),
            None => vec![crate::mark::FOLDER_LABEL.to_owned()],
        };
        #[expect(clippy::disallowed_types, reason = "bollard wants one, and it has one key")]
        let filters = std::collections::HashMap::from([("label", labels)]);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let containers = self.0.list_containers(Some(containers)).await.map_err(io::Error::other)?;
        let networks = self.0.list_networks(Some(networks)).await.map_err(io::Error::other)?;
        let containers = containers.into_iter().map(|of| {
            let name = of.names.and_then(|names| names.into_iter().next()).unwrap_or_default();
            let mark = of.labels.and_then(|labels| Mark::of_labels(|key| labels.get(key)));
            let name = name.trim_start_matches('/').to_owned();
            Resource { kind: Kind::Container, id: of.id.unwrap_or_default(), name, mark }
        });
        let networks = networks.into_iter().map(|of| {
            let mark = of.labels.and_then(|labels| Mark::of_labels(|key| labels.get(key)));
            let name = of.name.unwrap_or_default();
            Resource { kind: Kind::Network, id: of.id.unwrap_or_default(), name, mark }
        });
        Ok(containers.chain(networks).collect())
    }

    /// Removes all that a run has made, running, frozen or not, until there has been nothing of it for as long as `settled`.
    /// Gives what is left, in words.
    pub(crate) async fn remove_all(&self, of: &Mark, settled: Duration) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut empty_since = None;
        loop {
            let found = self.resources(Some(of)).await;
            let left = match &found {
                Ok(found) => found.iter().map(ToString::to_string).collect(),
                Err(error) => vec![format!("what containers there are, the engine doesn't say: {error}")],
            };
            let now = Instant::now();
            if left.is_empty() && now.duration_since(*empty_since.get_or_insert(now)) >= settled {
                return left;
            }
            if now > deadline {
                return left;
            }
            if let Ok(found) = found
                && !found.is_empty()
            {
                empty_since = None;
                self.remove(&found).await;
                // What is gone is seen at once.
                continue;
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Removes these, all containers at once and then the networks, which must be empty. What is refused is still there at
    /// the next look.
    async fn remove(&self, resources: &[Resource]) {
        let (containers, networks): (Vec<_>, Vec<_>) = resources.iter().partition(|of| of.kind == Kind::Container);
        let refused = join_all(containers.iter().map(|of| self.remove_container(&of.id))).await.contains(&false);
        let refused =
            join_all(networks.iter().map(|of| self.0.remove_network(&of.id))).await.iter().any(Result::is_err)
                || refused;
        if refused {
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Ends a container, by its id or name, and removes it with its volumes; says whether the engine did.
    pub(crate) async fn remove_container(&self, id: &str) -> bool {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        self.0.remove_container(id, Some(options)).await.is_ok()
    }

    /// Waits until a container has ended, and says how it did.
    pub(crate) async fn ended(&self, id: &str) -> String {
        let ended = Box::pin(self.0.wait_container(id, None)).next().await;
        drop(ended);
        let inspected = self.0.inspect_container(id, None).await;
        let state = match inspected {
            Ok(container) => container.state.unwrap_or_default(),
            Err(error) => return format!("the engine does not say how: {error}"),
        };
        let code = state.exit_code.unwrap_or_default();
        if state.oom_killed == Some(true) {
            return format!("exit code {code}, out of memory");
        }
        match state.error.filter(|error| !error.is_empty()) {
            Some(error) => format!("exit code {code}, {error}"),
            None => format!("exit code {code}"),
        }
    }
}
