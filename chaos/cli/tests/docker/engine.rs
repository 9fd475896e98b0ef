//! The engine's own word, past the command.

use crate::support::{Chaos, Sandbox, processes::wait_until, scenarios};
use futures_util::StreamExt as _;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};
use testcontainers::{
    bollard::{
        Docker,
        exec::StartExecResults,
        models::ExecConfig,
        query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder, ListVolumesOptionsBuilder},
    },
    core::client::docker_client_instance,
};

/// The image of the gateway alone, as `scripts/images` calls it.
pub(crate) const GATEWAY: &str = "chaos-local/gateway:latest";

/// An engine with all the images that these tests need.
pub(crate) struct Engine {
    pub(crate) docker: Docker,
    /// The file of their names, if there is one.
    names: Option<PathBuf>,
    pub(crate) images: BTreeMap<&'static str, String>,
}

impl Engine {
    /// The engine, or why these tests can't be run.
    pub(crate) async fn find() -> Result<Self, String> {
        let docker = docker_client_instance().await.map_err(|error| error.to_string())?;
        docker.ping().await.map_err(|error| format!("no container engine answers: {error}"))?;
        let names = scenarios::shipped().join("../.images.env");
        let names = names.exists().then_some(names);
        let images = images(names.as_deref());
        for image in images.values().map(String::as_str).chain([GATEWAY]) {
            docker
                .inspect_image(image)
                .await
                .map_err(|_| format!("there is no image {image}: scripts/images makes it"))?;
        }
        Ok(Self { docker, names, images })
    }

    /// `chaos` with these arguments and the images of this engine.
    pub(crate) fn chaos(&self, sandbox: &Sandbox, arguments: &str) -> Chaos {
        let images = self.names.as_ref().map(|file| format!(" --images {}", file.display()));
        sandbox.chaos(&format!("{arguments} --world docker{}", images.unwrap_or_default()))
    }

    /// The names of all containers, networks and volumes of runs in this sandbox.
    pub(crate) async fn resources(&self, sandbox: &Sandbox) -> Vec<String> {
        let is_here = |labels: Option<&String>| labels.is_some_and(|run| Path::new(run).starts_with(sandbox.tmp()));
        let containers = ListContainersOptionsBuilder::new().all(true).build();
        let containers = self.docker.list_containers(Some(containers)).await.expect("the engine lists containers");
        let containers = containers
            .into_iter()
            .filter_map(|of| is_here(of.labels?.get("chaos.run")).then(|| of.names.unwrap_or_default().join(" ")));
        let networks = self.docker.list_networks(Some(ListNetworksOptionsBuilder::new().build())).await;
        let networks = networks.expect("the engine lists networks").into_iter();
        let networks =
            networks.filter_map(|of| is_here(of.labels?.get("chaos.run")).then(|| of.name.unwrap_or_default()));
        let volumes = self.docker.list_volumes(Some(ListVolumesOptionsBuilder::new().build())).await;
        let volumes = volumes.expect("the engine lists volumes").volumes.unwrap_or_default().into_iter();
        let volumes = volumes.filter_map(|of| is_here(of.labels.get("chaos.run")).then_some(of.name));
        containers.chain(networks).chain(volumes).collect()
    }

    /// The container of a service of this run, by its name.
    pub(crate) async fn container(&self, sandbox: &Sandbox, service: &str) -> String {
        let resources = self.resources(sandbox).await;
        let container =
            resources.iter().find(|name| name.ends_with(&format!("-{service}"))).expect("it has a container");
        container.trim_start_matches('/').to_owned()
    }

    /// The output of a command in a container.
    pub(crate) async fn exec(&self, container: &str, command: &[&str]) -> String {
        let config = ExecConfig {
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            ..ExecConfig::default()
        };
        let exec = self.docker.create_exec(container, config).await.expect("it runs");
        let started = self.docker.start_exec(&exec.id, None).await.expect("it is there");
        let StartExecResults::Attached { mut output, .. } = started else { panic!("it was not attached") };
        let mut said = String::new();
        // It ends with its container, if that ends first.
        while let Some(Ok(part)) = output.next().await {
            said += &part.to_string();
        }
        said
    }

    /// Waits until nothing of any run in this sandbox is left: no container, no network, no process, no file.
    pub(crate) async fn wait_until_clean(&self, sandbox: &Sandbox, patience: Duration) {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let left = self.resources(sandbox).await;
            if left.is_empty() {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "left after {patience:?}: {left:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The supervisor looks a while longer, and removes the folder last.
        wait_until("files are gone", patience, || sandbox.left().is_empty()).await;
        assert_eq!(self.resources(sandbox).await, Vec::<String>::new(), "something came after all");
    }
}

/// The images by variable, as the command finds them.
pub(crate) fn images(file: Option<&Path>) -> BTreeMap<&'static str, String> {
    let text = file.map(|file| std::fs::read_to_string(file).expect("it is there")).unwrap_or_default();
    let of = |(name, usual): (&'static str, &str)| {
        #[expect(clippy::disallowed_methods, reason = "the command hears the environment of these tests")]
        let named = std::env::var(name).ok();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let image = named.as_deref().or(line).filter(|image| !image.is_empty()).unwrap_or(usual);
        (name, image.to_owned())
    };
    [("CHAOS_IMAGE", "chaos-local/chaos:latest"), ("REDIS_IMAGE", "redis:7.2-bookworm")].map(of).into()
}
