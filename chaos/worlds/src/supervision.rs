//! The supervision that every run has which makes things on this machine, from its first moment to its last: a
//! supervisor, a run label, a folder.

use crate::{
    run_folder,
    run_label::{RunLabel, Runner},
    supervisor::{Supervisor, SupervisorError, sweep},
};
use chaos_run::WorldError;
use std::{path::Path, time::Duration};

/// A run's supervisor and run label, once it has them.
#[derive(Default)]
pub(crate) struct Supervision {
    pub(crate) supervisor: Option<Supervisor>,
    pub(crate) label: Option<RunLabel>,
}

impl Supervision {
    /// Starts the supervisor, tells it of the run's folder, and makes that.
    pub(crate) async fn prepare(&mut self, executable: &Path, temp: &Path, now: Duration) -> Result<(), WorldError> {
        let runner = Runner::this().map_err(WorldError::machine("can't tell what marks this run's processes"))?;
        let label = RunLabel { folder: run_folder::free(temp, now), runner };
        let mut supervisor = Supervisor::start(executable, &label).map_err(supervisor_failed)?;
        supervisor.own(label.folder.clone()).await.map_err(supervisor_failed)?;
        self.supervisor = Some(supervisor);
        self.label = Some(label.clone());
        let place = label.folder.display();
        let refused = WorldError::machine(format!("can't make {place} (TMPDIR names another place)"));
        run_folder::make(&label).map_err(refused)
    }

    /// The supervisor.
    pub(crate) fn supervisor(&mut self) -> Result<&mut Supervisor, WorldError> {
        self.supervisor.as_mut().ok_or_else(|| WorldError::CannotGive("the supervisor of this run is gone".to_owned()))
    }

    /// The run's folder; that of the runner before there is one.
    pub(crate) fn folder(&self) -> &Path {
        self.label.as_ref().map_or(Path::new(""), |label| &label.folder)
    }

    /// Has the supervisor end and remove what it knows of, or does that alone where it is gone; gives what is left.
    pub(crate) async fn stop(&mut self, keep_logs: bool) -> Vec<String> {
        let stopped = match self.supervisor.take() {
            Some(supervisor) => supervisor.stop(keep_logs).await.ok(),
            None => None,
        };
        let Some(label) = self.label.take() else { return stopped.unwrap_or_default() };
        if let Some(left) = stopped {
            return left;
        }
        let mut left = sweep(&label).await;
        #[cfg(feature = "docker")]
        {
            let broken = crate::broken::read(&label.folder);
            if !broken.is_empty() {
                // Its folder is all that tells of them.
                left.extend(
                    broken.into_iter().map(|of| format!("container {}: the supervisor didn't bring it back", of.name)),
                );
                return left;
            }
        }
        left.extend(run_folder::settle(&label.folder, keep_logs));
        left
    }
}

/// The error of a run whose supervisor failed.
pub(crate) fn supervisor_failed(error: SupervisorError) -> WorldError {
    match error {
        SupervisorError::Gone(source) => {
            WorldError::Machine { what: "the supervisor of this run failed".to_owned(), source }
        }
        SupervisorError::NotLaunched { .. } => WorldError::CannotGive(error.to_string()),
    }
}
