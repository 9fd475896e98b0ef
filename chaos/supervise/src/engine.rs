//! The container engine, as far as it concerns whose containers and networks are whose: what a run makes carries the
//! run's label as labels of its own, so that the runner, its supervisor and `chaos cleanup` alike find and remove it.
//! What is somebody else's is found by its name, and brought back by its id.

use crate::run_label::RunLabel;
use futures_util::{StreamExt as _, future::join_all};
use std::{io, time::Duration};
use testcontainers::{
    bollard::{
        Docker,
        errors::Error as EngineError,
        models::ContainerState,
        query_parameters::{
            KillContainerOptionsBuilder, ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
            ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveVolumeOptionsBuilder,
        },
    },
    core::client::docker_client_instance,
};
use tokio::time::Instant;

/// Time that all of a run's containers have to be gone.
const PATIENCE: Duration = Duration::from_secs(8);
/// Time after one look at which the next is due.
const EVERY: Duration = Duration::from_millis(50);
/// Time in which nothing may have appeared where the engine may still be making what a runner asked for that is gone.
pub const SETTLED: Duration = Duration::from_secs(1);
/// An engine that answers.
#[derive(Clone)]
pub struct Engine(Docker);

/// The kind of a [`Resource`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    Container,
    Network,
    Volume,
}

/// Something that a run has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) kind: ResourceKind,
    pub(crate) id: String,
    pub(crate) name: String,
    /// The label of the run that made it; none where its labels can't be read.
    pub(crate) label: Option<RunLabel>,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            ResourceKind::Container => "container",
            ResourceKind::Network => "network",
            ResourceKind::Volume => "volume",
        };
        write!(f, "{kind} {}", self.name)
    }
}

impl Engine {
    /// The engine's client, for what concerns no run but one's own.
    #[must_use]
    pub fn client(&self) -> &Docker {
        &self.0
    }

    /// The engine that `DOCKER_HOST` or the properties of testcontainers name, else that of this machine.
    ///
    /// # Errors
    /// Where none answers.
    pub async fn connect() -> io::Result<Self> {
        let docker = docker_client_instance().await.map_err(io::Error::other)?;
        docker.ping().await.map_err(io::Error::other)?;
        Ok(Self(docker))
    }

    /// The engine's version.
    ///
    /// # Errors
    /// Where it does not say.
    pub async fn version(&self) -> io::Result<String> {
        let version = self.0.version().await.map_err(io::Error::other)?;
        Ok(version.version.unwrap_or_else(|| "of a version that it doesn't tell".to_owned()))
    }

    /// True where the engine has an image.
    ///
    /// # Errors
    /// Where it does not say.
    pub async fn has_image(&self, image: &str) -> io::Result<bool> {
        match self.0.inspect_image(image).await {
            Ok(_) => Ok(true),
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => Ok(false),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Containers, networks and volumes that this run has made, or any run.
    pub(crate) async fn resources(&self, of: Option<&RunLabel>) -> io::Result<Vec<Resource>> {
        let labels = match of {
            Some(label) => label.engine_labels().map(|(key, value)| format!("{key}={value}")).to_vec(),
            None => vec![crate::run_label::FOLDER_LABEL.to_owned()],
        };
        #[expect(clippy::disallowed_types, reason = "bollard wants one, and it has one key")]
        let filters = std::collections::HashMap::from([("label", labels)]);
        let containers = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let networks = ListNetworksOptionsBuilder::new().filters(&filters).build();
        let volumes = ListVolumesOptionsBuilder::new().filters(&filters).build();
        let containers = self.0.list_containers(Some(containers)).await.map_err(io::Error::other)?;
        let networks = self.0.list_networks(Some(networks)).await.map_err(io::Error::other)?;
        let volumes = self.0.list_volumes(Some(volumes)).await.map_err(io::Error::other)?;
        let containers = containers.into_iter().map(|of| {
            let name = of.names.and_then(|names| names.into_iter().next()).unwrap_or_default();
            let label = of.labels.and_then(|labels| RunLabel::of_labels(|key| labels.get(key)));
            let name = name.trim_start_matches('/').to_owned();
            Resource { kind: ResourceKind::Container, id: of.id.unwrap_or_default(), name, label }
        });
        let networks = networks.into_iter().map(|of| {
            let label = of.labels.and_then(|labels| RunLabel::of_labels(|key| labels.get(key)));
            let name = of.name.unwrap_or_default();
            Resource { kind: ResourceKind::Network, id: of.id.unwrap_or_default(), name, label }
        });
        let volumes = volumes.volumes.unwrap_or_default().into_iter().map(|of| {
            let label = RunLabel::of_labels(|key| of.labels.get(key));
            Resource { kind: ResourceKind::Volume, id: of.name.clone(), name: of.name, label }
        });
        Ok(containers.chain(networks).chain(volumes).collect())
    }

    // testcontainers removes what its handles let go, and nothing of a run that was killed. So runner, supervisor and
    // `chaos cleanup` share this one way, by label. After a kill the supervisor looks until nothing has appeared for a
    // while, since the engine finishes what it was asked for.
    /// Removes all that a run has made, running, frozen or not, until there has been nothing of it for as long as
    /// `settled`. Gives what is left, in words.
    pub async fn remove_all(&self, of: &RunLabel, settled: Duration) -> Vec<String> {
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

    /// Removes these, all containers at once and then what these have used: networks must be empty. What is refused is still
    /// there at the next look.
    async fn remove(&self, resources: &[Resource]) {
        let (containers, others): (Vec<_>, Vec<_>) =
            resources.iter().partition(|of| of.kind == ResourceKind::Container);
        let refused = join_all(containers.iter().map(|of| self.remove_container(&of.id))).await.contains(&false);
        let remove = async |of: &&Resource| match of.kind {
            ResourceKind::Volume => {
                let options = RemoveVolumeOptionsBuilder::new().force(true).build();
                self.0.remove_volume(&of.id, Some(options)).await
            }
            ResourceKind::Network | ResourceKind::Container => self.0.remove_network(&of.id).await,
        };
        let refused = join_all(others.iter().map(remove)).await.iter().any(Result::is_err) || refused;
        if refused {
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Ends a container, by its id or name, and removes it with its volumes; says whether the engine did.
    pub async fn remove_container(&self, id: &str) -> bool {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        self.0.remove_container(id, Some(options)).await.is_ok()
    }

    /// Waits until a container has ended, and says how it did.
    pub async fn ended(&self, id: &str) -> String {
        let ended = Box::pin(self.0.wait_container(id, None)).next().await;
        drop(ended);
        let inspected = self.0.inspect_container(id, None).await;
        let state = match inspected {
            Ok(container) => container.state.unwrap_or_default(),
            Err(error) => return format!("the engine does not say how: {error}"),
        };
        let code = state.exit_code.unwrap_or_default();
        // Told, and not healed: a service that the kernel ends under a limit stays away, as it does for whoever runs the
        // system.
        if state.oom_killed == Some(true) {
            return format!("exit code {code}, out of memory");
        }
        match state.error.filter(|error| !error.is_empty()) {
            Some(error) => format!("exit code {code}, {error}"),
            None => format!("exit code {code}"),
        }
    }

    /// The id of a container that runs, by its name or id.
    ///
    /// # Errors
    /// In words: there is none, or it does not run.
    pub async fn running(&self, container: &str) -> Result<String, String> {
        let inspected = match self.0.inspect_container(container, None).await {
            Ok(inspected) => inspected,
            Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => {
                return Err(format!("the engine of this machine has no container {container}"));
            }
            Err(error) => return Err(error.to_string()),
        };
        let state = inspected.state.unwrap_or_default();
        if !is_sound(&state) {
            return Err(format!("the container {container} does not run: it is {}", in_words(&state)));
        }
        Ok(inspected.id.unwrap_or_default())
    }

    /// Freezes all processes of a container.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn pause(&self, id: &str) -> io::Result<()> {
        self.0.pause_container(id).await.map_err(io::Error::other)
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn unpause(&self, id: &str) -> io::Result<()> {
        self.0.unpause_container(id).await.map_err(io::Error::other)
    }

    /// Asks a container to end, by this signal or by that of its image. One that has ended need not be asked.
    ///
    /// # Errors
    /// What the engine says.
    // Engines have a call that stops a container as a whole; it says nothing of whether they had to kill it.
    pub async fn ask_to_end(&self, id: &str, signal: Option<&str>) -> io::Result<()> {
        let inspected = self.0.inspect_container(id, None).await.map_err(io::Error::other)?;
        let own = inspected.config.and_then(|config| config.stop_signal);
        let signal = signal.or(own.as_deref()).unwrap_or("SIGTERM");
        let options = KillContainerOptionsBuilder::new().signal(signal).build();
        match self.0.kill_container(id, Some(options)).await {
            Err(EngineError::DockerResponseServerError { status_code: 409, .. }) => Ok(()),
            result => result.map_err(io::Error::other),
        }
    }

    /// Waits until a container has ended that was asked to, and kills it where it has not in this time. Gives how it ended, and
    /// whether it was killed.
    pub async fn end_within(&self, id: &str, grace: Duration) -> (String, bool) {
        if let Ok(how) = tokio::time::timeout(grace, self.ended(id)).await {
            return (how, false);
        }
        match self.kill(id).await {
            Ok(()) => (self.ended(id).await, true),
            Err(error) => (format!("it does not end: {error}"), false),
        }
    }

    /// Ends a container without asking; when this returns, it has ended.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn kill(&self, id: &str) -> io::Result<()> {
        let options = KillContainerOptionsBuilder::new().signal("SIGKILL").build();
        self.0.kill_container(id, Some(options)).await.map_err(io::Error::other)?;
        self.ended(id).await;
        Ok(())
    }

    /// Starts a container that has ended.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn start(&self, id: &str) -> io::Result<()> {
        self.0.start_container(id, None).await.map_err(io::Error::other)
    }

    /// Sees to it that a container runs, whatever was done to it, and has done so for as long as `settled`. One that was
    /// removed is nothing to be brought back.
    ///
    /// # Errors
    /// The reason that it does not run, in words.
    pub async fn restore(&self, id: &str, settled: Duration) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE + settled;
        let (mut sound_since, mut settled) = (None, settled);
        loop {
            let inspected = self.0.inspect_container(id, None).await;
            let why = match inspected {
                Ok(inspected) => {
                    let state = inspected.state.unwrap_or_default();
                    let now = Instant::now();
                    if !is_sound(&state) {
                        sound_since = None;
                    } else if now.duration_since(*sound_since.get_or_insert(now)) >= settled {
                        return Ok(());
                    }
                    let brought_back = match () {
                        () if state.paused == Some(true) => self.unpause(id).await,
                        () if state.running != Some(true) => {
                            // It may end at once.
                            settled = settled.max(SETTLED);
                            self.start(id).await
                        }
                        () => Ok(()),
                    };
                    // What is sound now is seen at the next look.
                    brought_back.err().map_or_else(|| in_words(&state), |error| error.to_string())
                }
                Err(EngineError::DockerResponseServerError { status_code: 404, .. }) => return Ok(()),
                Err(error) => error.to_string(),
            };
            if Instant::now() > deadline {
                return Err(why);
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// True for a container that runs and is not frozen.
fn is_sound(state: &ContainerState) -> bool {
    state.running == Some(true) && state.paused != Some(true) && state.restarting != Some(true)
}

/// The state of a container in the words of `docker ps`.
fn in_words(state: &ContainerState) -> String {
    state.status.map(|status| status.to_string()).unwrap_or_default()
}
