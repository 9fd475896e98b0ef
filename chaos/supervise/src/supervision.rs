//! The supervision that every run has which makes things on this machine, from its first moment to its last: a
//! supervisor, a run label, a folder.

use crate::{
    adoption,
    process::Process,
    run_folder,
    run_label::{RunLabel, Runner},
    supervisor::{ErrandRunner, Exited, Supervisor, SupervisorError, SupervisorProgram, sweep},
};
use std::{collections::BTreeSet, io, path::Path, time::Duration};

/// A run's supervisor and run label, once it has them.
#[derive(Debug, Default)]
pub struct Supervision {
    supervisor: Option<Supervisor>,
    label: Option<RunLabel>,
    /// The supervisor's process, whether or not it runs still.
    process: Option<Process>,
    /// Children of this process that were there before it.
    own: BTreeSet<Process>,
    /// Services whose teardown went with a supervisor that was lost.
    owed: Vec<String>,
}

/// Leftovers of a run that was stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Things that could not be removed, in words.
    pub known: Vec<String>,
    /// The reason for which there may be others that can't be seen; none where there are none.
    pub unseen: Option<String>,
}

/// The reason for which something may be left that nobody sees.
const UNSEEN: &str = "the supervisor was lost, and what services started may have left its marks behind";

/// A failure to supervise a run.
#[derive(Debug, thiserror::Error)]
pub enum SupervisionError {
    /// The machine refused something.
    #[error("{what}: {source}")]
    Machine {
        /// The action that was tried.
        what: String,
        /// The machine's error.
        source: io::Error,
    },
    /// The supervisor ended before its run did.
    #[error("the supervisor of this run failed: {0}")]
    Failed(io::Error),
    /// A service could not be started.
    #[error("{service} can't be started: {why}")]
    NotLaunched {
        /// The service's name.
        service: String,
        /// The reason, in words.
        why: String,
    },
    /// A fault did not reach all processes of a service; in words.
    #[error("{0}")]
    Unreached(String),
    /// There is no supervisor any more.
    #[error("the supervisor of this run is gone")]
    Gone,
}

impl From<SupervisorError> for SupervisionError {
    fn from(error: SupervisorError) -> Self {
        match error {
            SupervisorError::Gone(source) => Self::Failed(source),
            SupervisorError::NotLaunched { name, why } => Self::NotLaunched { service: name, why },
            SupervisorError::Unreached { .. } => Self::Unreached(error.to_string()),
        }
    }
}

impl Supervision {
    /// Starts the supervisor, tells it of the run's folder, and makes that.
    /// `temp` is the folder in which the run's is made, `now` the time since the Unix epoch.
    ///
    /// # Errors
    /// Where one of these can't be had.
    pub async fn prepare(
        &mut self,
        program: &SupervisorProgram,
        temp: &Path,
        now: Duration,
    ) -> Result<(), SupervisionError> {
        let machine = |what: &str| {
            let what = what.to_owned();
            move |source| SupervisionError::Machine { what, source }
        };
        let runner = Runner::this().map_err(machine("can't tell what marks this run's processes"))?;
        let label = RunLabel { folder: run_folder::free(temp, now), runner };
        self.own = adoption::children();
        let mut supervisor = Supervisor::start(program, &label)?;
        self.process = supervisor.pid().and_then(Process::find);
        supervisor.own(label.folder.clone()).await?;
        self.supervisor = Some(supervisor);
        self.label = Some(label.clone());
        let place = label.folder.display();
        let refused = machine(&format!("can't make {place} (TMPDIR names another place)"));
        run_folder::make(&label).map_err(refused)
    }

    /// Tells the supervisor that the run will have containers and networks with its label, before any is made.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    #[cfg(feature = "docker")]
    pub async fn own_containers(&mut self) -> Result<(), SupervisionError> {
        let label = self.label.clone().ok_or(SupervisionError::Gone)?;
        Ok(self.supervisor()?.own_containers(&label).await?)
    }

    /// The supervisor.
    ///
    /// # Errors
    /// [`SupervisionError::Gone`] before it was started, and after it was lost.
    pub fn supervisor(&mut self) -> Result<&mut Supervisor, SupervisionError> {
        self.supervisor.as_mut().ok_or(SupervisionError::Gone)
    }

    /// Has errands run for whoever asks; none where there is no supervisor.
    #[must_use]
    pub fn errand_runner(&self) -> Option<ErrandRunner> {
        self.supervisor.as_ref().map(Supervisor::errand_runner)
    }

    /// The run's label, once it has one.
    #[must_use]
    pub fn label(&self) -> Option<&RunLabel> {
        self.label.as_ref()
    }

    /// Waits for a service to end that nobody asked to; for ever where there is no supervisor. Safe to drop.
    ///
    /// # Errors
    /// Where the supervisor is lost, and its services with it.
    pub async fn exited(&mut self) -> Result<Exited, SupervisionError> {
        let Some(supervisor) = &mut self.supervisor else { return std::future::pending().await };
        let exited = supervisor.exited().await;
        if matches!(exited, Err(SupervisorError::Gone(_))) {
            self.owed = supervisor.owes().map(str::to_owned).collect();
            self.supervisor = None;
        }
        Ok(exited?)
    }

    /// The run's folder; that of the runner before there is one.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.label.as_ref().map_or(Path::new(""), |label| &label.folder)
    }

    /// Has the supervisor end and remove what it knows of, or does that alone where it is gone; gives what is left.
    pub async fn stop(&mut self, keep_logs: bool) -> Leftovers {
        let mut owed: Vec<String> = std::mem::take(&mut self.owed);
        let stopped = match self.supervisor.take() {
            Some(supervisor) => {
                owed.extend(supervisor.owes().map(str::to_owned));
                supervisor.stop(keep_logs).await.ok()
            }
            None => None,
        };
        let Some(label) = self.label.take() else {
            return Leftovers { known: stopped.unwrap_or_default(), unseen: None };
        };
        if let Some(known) = stopped {
            return Leftovers { known, unseen: None };
        }
        let unseen = (!adoption::adopts()).then(|| UNSEEN.to_owned());
        let mut left = self.end_orphans().await;
        left.extend(sweep(&label).await);
        let not_run =
            |service: &String| format!("what the teardown of {service} removes: the supervisor was lost before it");
        left.extend(owed.iter().map(not_run));
        #[cfg(feature = "docker")]
        {
            let broken = crate::broken::read(&label.folder);
            if !broken.is_empty() {
                // Its folder is all that tells of them.
                left.extend(
                    broken.into_iter().map(|of| format!("container {}: the supervisor didn't bring it back", of.name)),
                );
                return Leftovers { known: left, unseen };
            }
        }
        left.extend(run_folder::settle(&label.folder, keep_logs));
        Leftovers { known: left, unseen }
    }

    /// Ends what the services of a supervisor started that is lost, as far as this process has adopted it.
    async fn end_orphans(&mut self) -> Vec<String> {
        if !adoption::adopts() {
            return Vec::new();
        }
        let mut own = std::mem::take(&mut self.own);
        if let Some(supervisor) = self.process.take() {
            // Not a moment before: what is below it is its own until then.
            adoption::until_gone(supervisor).await;
            own.insert(supervisor);
        }
        adoption::end_adopted(&own).await
    }
}
