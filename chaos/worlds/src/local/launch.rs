//! From a service to its process: port, command, settings, folder, log.

use super::{LOOPBACK, LocalRuntime, redis::RedisProgram};
use crate::redis_server;
use chaos_model::{Service, Start, system::ListenPorts};
use chaos_run::{InstanceId, LinkAddresses, WorldError};
use chaos_supervise::{
    RunLabel, logs,
    supervisor::{Launch, Program},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

/// A service that was placed.
pub(super) struct Started {
    pub(super) ports: ListenPorts,
    /// Bytes of its log from before it was started last.
    pub(super) said_before: Arc<AtomicU64>,
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
        let ports = self.listen_ports(service)?;
        let port = ports.own;
        let mut env = self.tls.trusting(service, links.settings(service, &ports));
        let (command, what) = match &service.start {
            Start::Command(words) => {
                let address = |to: &str, label: Option<&str>| links.of(&service.name, to, label);
                let command: Vec<_> = words.iter().map(|word| word.render(&ports, address)).collect();
                let what = command.first().cloned().unwrap_or_default();
                (command, what)
            }
            Start::Address(address) => {
                let why = format!("service {} runs already, at {address}: nothing is started", service.name);
                return Err(WorldError::CannotGive(why));
            }
            Start::Image(image) => {
                let (name, image) = (&service.name, &image.reference);
                let why = format!("service {name} is the image {image}, and here services are processes");
                return Err(WorldError::CannotGive(why));
            }
            Start::Compose(_) => {
                let why = format!("service {} is of a Compose file, and here services are processes", service.name);
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
        let what = what + self.tls.caution(service);
        env.extend(self.supervision.label().into_iter().flat_map(RunLabel::of_services));
        let launch = Launch {
            program: Program {
                name: service.name.clone(),
                command,
                env,
                inherit_env: matches!(service.start, Start::Command(_)),
                folder: self.working_folder(service)?,
                log: logs::path(self.supervision.folder(), &service.name),
            },
            stop_signal: service.lifecycle.stop_signal().name().to_owned(),
            stop_grace_ms: u64::try_from(service.lifecycle.stop_grace().as_millis()).unwrap_or(u64::MAX),
        };
        let said_before = Arc::default();
        let started = Started { ports, said_before, launch, service: service.clone(), what, attempts };
        self.services.insert(InstanceId::first(service.name.as_str()), started);
        Ok(())
    }

    /// Free ports for a service. Where its settings don't take a named one from here, it listens where its file says.
    fn listen_ports(&mut self, service: &Service) -> Result<ListenPorts, WorldError> {
        let mut free = || {
            let what = format!("no port for {}", service.name);
            self.ports.free(&self.host).map_err(WorldError::machine(what))
        };
        let own = free()?;
        let named = service.ports.iter().map(|(name, port)| {
            let port = if service.takes_port(name) { free()? } else { *port };
            Ok((name.clone(), port))
        });
        let named = named.collect::<Result<_, WorldError>>()?;
        Ok(ListenPorts { own, named, files: self.tls.files(&service.name) })
    }

    /// Folder that a service runs in: a command beside the file that names it, so that `./server` is found, or where that
    /// says; what is built in has nothing to find.
    fn working_folder(&self, service: &Service) -> Result<PathBuf, WorldError> {
        match service.start {
            Start::Program(_) | Start::Image(_) | Start::Address(_) | Start::Compose(_) => {
                Ok(self.supervision.folder().to_owned())
            }
            Start::Command(_) => self.folder_of_commands(service),
        }
    }

    /// Folder that a service's commands beside its program run in.
    pub(super) fn folder_of_commands(&self, service: &Service) -> Result<PathBuf, WorldError> {
        let own = Path::new(".").join(&service.folder);
        let folder = service.working_dir.as_ref().map_or(own.clone(), |folder| own.join(folder));
        let what = format!("the folder of {}, `{}`", service.name, folder.display());
        let folder = std::path::absolute(folder).map_err(WorldError::machine(what.clone()))?;
        if service.working_dir.is_some() && !folder.is_dir() {
            let none = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such folder");
            return Err(WorldError::machine(what)(none));
        }
        Ok(folder)
    }
}

fn redis_command(path: &Path, port: u16, env: &BTreeMap<String, String>, folder: &Path) -> Vec<String> {
    let (server, folder) = (path.display().to_string(), folder.display().to_string());
    let words = [&*server, "--bind", LOOPBACK, "--dir", &folder].map(str::to_owned);
    words.into_iter().chain(redis_server::options(port, env)).collect()
}
