//! What every run that makes things on this machine has from its first moment to its last: a keeper, a mark, a folder.

use crate::{
    keeper::{Keeper, KeeperError, sweep},
    mark::{Mark, Runner},
    run_folder,
};
use chaos_run::WorldError;
use std::{path::Path, time::Duration};

/// A run's keeper and mark, once it has them.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) keeper: Option<Keeper>,
    pub(crate) mark: Option<Mark>,
}

impl Kept {
    /// Starts the keeper, tells it of the run's folder, and makes that.
    pub(crate) async fn prepare(&mut self, executable: &Path, temp: &Path, now: Duration) -> Result<(), WorldError> {
        let runner = Runner::this().map_err(WorldError::machine("can't tell what marks this run's processes"))?;
        let mark = Mark { folder: run_folder::free(temp, now), runner };
        let mut keeper = Keeper::start(executable, &mark).map_err(keeper_failed)?;
        keeper.own(mark.folder.clone()).await.map_err(keeper_failed)?;
        self.keeper = Some(keeper);
        self.mark = Some(mark.clone());
        let place = mark.folder.display();
        let refused = WorldError::machine(format!("can't make {place} (TMPDIR names another place)"));
        run_folder::make(&mark).map_err(refused)
    }

    /// The keeper.
    pub(crate) fn keeper(&mut self) -> Result<&mut Keeper, WorldError> {
        self.keeper.as_mut().ok_or_else(|| WorldError::CannotGive("the keeper of this run is gone".to_owned()))
    }

    /// The run's folder; that of the runner before there is one.
    pub(crate) fn folder(&self) -> &Path {
        self.mark.as_ref().map_or(Path::new(""), |mark| &mark.folder)
    }

    /// Has the keeper end and remove what it knows of, or does that alone where it is gone; gives what is left.
    pub(crate) async fn stop(&mut self, keep_logs: bool) -> Vec<String> {
        let stopped = match self.keeper.take() {
            Some(keeper) => keeper.stop(keep_logs).await.ok(),
            None => None,
        };
        let Some(mark) = self.mark.take() else { return stopped.unwrap_or_default() };
        if let Some(left) = stopped {
            return left;
        }
        let mut left = sweep(&mark).await;
        #[cfg(feature = "docker")]
        {
            let broken = crate::broken::read(&mark.folder);
            if !broken.is_empty() {
                // Its folder is all that tells of them.
                left.extend(
                    broken.into_iter().map(|of| format!("container {}: the keeper didn't bring it back", of.name)),
                );
                return left;
            }
        }
        left.extend(run_folder::settle(&mark.folder, keep_logs));
        left
    }
}

/// What a run says of it.
pub(crate) fn keeper_failed(error: KeeperError) -> WorldError {
    match error {
        KeeperError::Gone(source) => WorldError::Machine { what: "the keeper of this run failed".to_owned(), source },
        KeeperError::NotLaunched { .. } => WorldError::CannotGive(error.to_string()),
    }
}
