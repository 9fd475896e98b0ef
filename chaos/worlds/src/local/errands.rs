//! Commands of services beside their programs: before the start, after the end, and to ask whether one is ready. And what a
//! service's output says of that.

use super::LocalRuntime;
use crate::supervised;
use chaos_model::{Pattern, Readiness, Service, Template, system::ListenPorts};
use chaos_run::{InstanceId, LinkAddresses, Question, WorldError};
use chaos_supervise::{
    RunLabel, logs,
    supervisor::{Errand, Program, Ran},
};
use futures_util::FutureExt as _;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Time that a command has which asks whether a service is ready: then it is killed, and run again.
const ASKING: Duration = Duration::from_secs(5);

impl LocalRuntime {
    /// Runs the commands before the start of a service, once those after its end are known to the supervisor: also where one
    /// of the first fails, the second tidy up.
    pub(super) async fn set_up_one(&mut self, service: &Service, links: &LinkAddresses) -> Result<(), WorldError> {
        let errands = &service.errands;
        let Some(started) = self.services.get(&InstanceId::first(service.name.as_str())) else { return Ok(()) };
        let ports = started.ports.clone();
        let make = |commands: &[Vec<Template>], what: &str| {
            let numbered = (1..).zip(commands);
            let one = |(number, words): (usize, &Vec<Template>)| {
                self.errand(service, format!("{what}.{number}"), words, (&ports, links), errands.limit())
            };
            numbered.map(one).collect::<Result<Vec<_>, _>>()
        };
        let (setup, teardown) = (make(&errands.setup, "setup")?, make(&errands.teardown, "teardown")?);
        let supervisor = self.supervision.supervisor().map_err(supervised)?;
        if !teardown.is_empty() {
            supervisor.owe(&service.name, teardown).await.map_err(supervised)?;
        }
        for errand in setup {
            let Ran { command, how, is_well, last_lines, .. } = supervisor.run(errand).await.map_err(supervised)?;
            if !is_well {
                return Err(WorldError::NotSetUp { service: service.name.clone(), command, how, last_lines });
            }
        }
        Ok(())
    }

    fn errand(
        &self,
        service: &Service,
        what: String,
        words: &[Template],
        (ports, links): (&ListenPorts, &LinkAddresses),
        limit: Duration,
    ) -> Result<Errand, WorldError> {
        let mut env = links.settings_of_commands(service, ports);
        env.extend(self.supervision.label().into_iter().flat_map(RunLabel::of_services));
        let name = format!("{}.{what}", service.name);
        let program = Program {
            command: links.command(words, ports),
            env,
            inherit_env: true,
            folder: self.folder_of_commands(service)?,
            log: logs::path(self.supervision.folder(), &name),
            name,
        };
        Ok(Errand { program, limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) })
    }

    /// The question by a command, or of the output.
    pub(super) fn question_of(&self, service: &Service, id: &InstanceId, links: &LinkAddresses) -> Option<Question> {
        match service.ready.as_ref()? {
            Readiness::Http(_) | Readiness::Connection(_) => None,
            Readiness::Log(line) => {
                let started = self.services.get(id)?;
                let log = started.launch.program.log.clone();
                Some(says(log, line.clone(), Arc::clone(&started.said_before)))
            }
            Readiness::Command(words) => {
                let runner = self.supervision.errand_runner()?;
                let ports = self.ports_of(id)?;
                let errand = self.errand(service, "ready".to_owned(), words, (&ports, links), ASKING);
                let errand = errand.map_err(|error| error.to_string());
                Some(Arc::new(move || {
                    let (runner, errand) = (runner.clone(), errand.clone());
                    async move { asked(runner.run(errand?).await) }.boxed()
                }))
            }
        }
    }

    /// The ports of an instance, also of one that others have started.
    fn ports_of(&self, id: &InstanceId) -> Option<ListenPorts> {
        let others = || {
            self.others.get(id).map(|one| ListenPorts {
                own: one.address.port,
                named: one.ports.clone(),
                files: self.tls.files(&id.service),
            })
        };
        self.services.get(id).map(|started| started.ports.clone()).or_else(others)
    }

    /// Notes how much a service has said by now: what it says from here on is of its next start.
    pub(super) fn is_about_to_start(&self, id: &InstanceId) {
        if let Some(started) = self.services.get(id) {
            let said = std::fs::metadata(&started.launch.program.log).map_or(0, |log| log.len());
            started.said_before.store(said, Ordering::Relaxed);
        }
    }
}

/// The response of a service by what its command came to.
fn asked(ran: Option<Ran>) -> Result<(), String> {
    match ran {
        Some(ran) if ran.is_well => Ok(()),
        Some(Ran { command, how, last_lines, .. }) => {
            let said = last_lines.last().map(|line| format!(", and said `{}`", line.trim())).unwrap_or_default();
            Err(format!("`{command}` {how}{said}"))
        }
        None => Err("the supervisor is gone".to_owned()),
    }
}

/// Asks whether a log has a line like this, behind what was in it before.
fn says(log: PathBuf, line: Pattern, said_before: Arc<AtomicU64>) -> Question {
    Arc::new(move || {
        let from = said_before.load(Ordering::Relaxed);
        let says = logs::lines_from(&log, from).iter().any(|said| line.matches(said.as_bytes()));
        let result = if says { Ok(()) } else { Err(format!("it has not written `{}` yet", line.0.trim_matches('*'))) };
        std::future::ready(result).boxed()
    })
}
