//! From a service to its process: port, command, settings, folder, log.

use super::{LOOPBACK, LocalRuntime, redis::RedisProgram};
use crate::redis_server;
use chaos_model::{Service, Start};
use chaos_run::{InstanceId, LinkAddresses, WorldError};
use chaos_supervise::{RunLabel, logs, supervisor::Launch};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A service that was placed.
pub(super) struct Started {
    pub(super) port: u16,
    /// The launch, to start it again.
    pub(super) launch: Launch,
    /// The service as the system describes it, to give it another port.
    pub(super) service: Service,
    /// The program that runs there, for people.
    pub(super) what: String,
    /// The number of ports that it was given.
    pub(super) attempts: usize,
}

impl LocalRuntime {
    /// Gives a service its port and makes its command.
    pub(super) fn plan(&mut self, service: &Service, links: &LinkAddresses, attempts: usize) -> Result<(), WorldError> {
        let port = self.ports.free(&self.host).map_err(WorldError::machine(format!("no port for {}", service.name)))?;
        let mut env = links.settings(service, port);
        let (command, what) = match &service.start {
            Start::Command(words) => {
                let address = |to: &str, label: Option<&str>| links.of(&service.name, to, label);
                let command: Vec<_> = words.iter().map(|word| word.render(port, address)).collect();
                let what = command.first().cloned().unwrap_or_default();
                (command, what)
            }
            Start::Image(image) => {
                let (name, image) = (&service.name, &image.reference);
                let why = format!("service {name} is the image {image}, and here services are processes");
                return Err(WorldError::CannotGive(why));
            }
            Start::Program(program) => match self.redis.server_for(program)? {
                Some((path, version)) => (redis_command(path, port, &env, self.supervision.folder()), version.clone()),
                None => {
                    env.insert("PORT".to_owned(), port.to_string());
                    env.insert("CHAOS_SEED".to_owned(), self.seed.to_string());
                    let program = RedisProgram::built_in(program);
                    let built_in = self.config.built_in.display().to_string();
                    (vec![built_in, "serve".to_owned(), program.to_owned()], format!("{program} (built in)"))
                }
            },
        };
        env.extend(self.supervision.label().into_iter().flat_map(RunLabel::of_services));
        let launch = Launch {
            name: service.name.clone(),
            command,
            env,
            inherit_env: matches!(service.start, Start::Command(_)),
            folder: self.working_folder(service)?,
            log: logs::path(self.supervision.folder(), &service.name),
            stop_signal: service.lifecycle.stop_signal().name().to_owned(),
            stop_grace_ms: u64::try_from(service.lifecycle.stop_grace().as_millis()).unwrap_or(u64::MAX),
        };
        let started = Started { port, launch, service: service.clone(), what, attempts };
        self.services.insert(InstanceId::first(service.name.as_str()), started);
        Ok(())
    }

    /// Folder that a service runs in: a command beside the file that names it, so that `./server` is found; what is
    /// built in has nothing to find.
    fn working_folder(&self, service: &Service) -> Result<PathBuf, WorldError> {
        match service.start {
            Start::Program(_) | Start::Image(_) => Ok(self.supervision.folder().to_owned()),
            Start::Command(_) => {
                let what = format!("the folder of {}, `{}`", service.name, service.folder.display());
                std::path::absolute(Path::new(".").join(&service.folder)).map_err(WorldError::machine(what))
            }
        }
    }
}

fn redis_command(path: &Path, port: u16, env: &BTreeMap<String, String>, folder: &Path) -> Vec<String> {
    let (server, folder) = (path.display().to_string(), folder.display().to_string());
    let words = [&*server, "--bind", LOOPBACK, "--dir", &folder].map(str::to_owned);
    words.into_iter().chain(redis_server::options(port, env)).collect()
}
