//! Logs of the services: the engine keeps them until their containers are removed.

use chaos_model::Pattern;
use chaos_run::{InstanceId, Question};
use chaos_supervise::{
    engine::Engine,
    logs::{self, LINES, MOST, path},
};
use futures_util::{FutureExt as _, StreamExt as _, future::join_all};
use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use testcontainers::bollard::query_parameters::{LogsOptions, LogsOptionsBuilder};

fn options() -> LogsOptionsBuilder {
    LogsOptionsBuilder::new().stdout(true).stderr(true)
}

async fn read(engine: &Engine, id: &str, options: LogsOptions) -> io::Result<Vec<u8>> {
    let mut frames = Box::pin(engine.client().logs(id, Some(options)));
    let mut bytes = Vec::new();
    while let Some(frame) = frames.next().await {
        bytes.extend_from_slice(&frame.map_err(io::Error::other)?.into_bytes());
    }
    Ok(bytes)
}

/// A service's last lines; none where the engine has none.
pub(crate) async fn last_lines(engine: &Engine, id: &str) -> Vec<String> {
    let options = options().tail(&LINES.to_string()).build();
    let bytes = read(engine, id, options).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// Bytes that a service has said by now.
pub(crate) async fn length(engine: &Engine, id: &str) -> u64 {
    let bytes = read(engine, id, options().build()).await.unwrap_or_default();
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Asks whether a service has said a line like this, behind what it had said before.
pub(crate) fn says(engine: Engine, id: String, line: Pattern, said_before: Arc<AtomicU64>) -> Question {
    Arc::new(move || {
        let (engine, id, line) = (engine.clone(), id.clone(), line.clone());
        let from = usize::try_from(said_before.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        async move {
            let bytes = read(&engine, &id, options().build()).await.map_err(|error| error.to_string())?;
            // The engine keeps the last of it alone: where it has let go of some, all that is left counts.
            let said = String::from_utf8_lossy(bytes.get(from..).unwrap_or(&bytes));
            let says = said.lines().any(|said| line.matches(said.as_bytes()));
            says.then_some(()).ok_or_else(|| format!("it has not written `{}` yet", line.0.trim_matches('*')))
        }
        .boxed()
    })
}

/// A log, and a line before it where the engine kept no more.
fn told(bytes: Vec<u8>) -> Vec<u8> {
    // It keeps two files of half as much, and begins anew when both are full; its own record of each line is in that too.
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) < MOST / 4 {
        return bytes;
    }
    let note = format!("[chaos: the engine keeps {} MiB of a log: what came before may be missing]\n", MOST >> 20);
    [note.as_bytes(), &bytes].concat()
}

/// Writes what each of these containers has said to a file in the run's folder, and gives the files by instance.
pub(crate) async fn keep(
    engine: &Engine,
    containers: impl Iterator<Item = (&InstanceId, &str)>,
    folder: &Path,
) -> BTreeMap<String, String> {
    let keep = containers.map(async |(name, id)| {
        let name = name.to_string();
        let file = path(folder, &name);
        let written = match read(engine, id, options().build()).await {
            Ok(bytes) => logs::write(&file, &told(bytes)),
            Err(error) => Err(error),
        };
        written.ok().map(|()| (name, file.display().to_string()))
    });
    join_all(keep).await.into_iter().flatten().collect()
}
