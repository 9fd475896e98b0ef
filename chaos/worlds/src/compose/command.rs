//! A command to Compose, as a child of the run's supervisor.

use super::{COMPOSE, ComposeRuntime};
use crate::supervised;
use chaos_run::WorldError;
use chaos_supervise::{
    RunLabel, logs,
    supervisor::{Launch, Program},
};
use std::{path::PathBuf, time::Duration};

/// Has Compose do something with the document, and waits until it has.
pub(super) async fn compose(runtime: &mut ComposeRuntime, words: &[&str], within: Duration) -> Result<(), WorldError> {
    let Some(project) = &runtime.project else {
        return Err(WorldError::CannotGive("there is no document for Compose".to_owned()));
    };
    let folder: PathBuf = runtime.supervision.folder().to_owned();
    let log = logs::path(&folder, COMPOSE);
    let launch = Launch {
        program: Program {
            name: COMPOSE.to_owned(),
            command: runtime.config.tool.command(&project.name, &project.document, words),
            env: runtime.supervision.label().into_iter().flat_map(RunLabel::of_services).collect(),
            // Where the engine is, and how it is spoken to.
            inherit_env: true,
            folder,
            log: log.clone(),
        },
        stop_signal: "SIGTERM".to_owned(),
        stop_grace_ms: 1000,
    };
    runtime.in_flight = true;
    let supervisor = runtime.supervision.supervisor().map_err(supervised)?;
    // Its child, so that it ends with the run however that ends.
    supervisor.launch(vec![launch]).await.map_err(supervised)?;
    let exited = tokio::time::timeout(within, supervisor.exited_of(COMPOSE)).await;
    let how = match exited {
        Ok(exited) => exited.map_err(supervised)?.how,
        Err(_) => format!("it took more than {} s", within.as_secs()),
    };
    if how == "exit status: 0" {
        runtime.in_flight = false;
        // What it said is no service's log.
        let _ = std::fs::remove_file(log);
        return Ok(());
    }
    let said = logs::last_lines(&log).join("\n  ");
    let _ = std::fs::remove_file(log);
    Err(WorldError::CannotGive(format!("`compose {}` failed ({how}):\n  {said}", words.join(" "))))
}
