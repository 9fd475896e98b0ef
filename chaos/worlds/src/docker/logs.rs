//! Logs of the services: the engine keeps them until their containers are removed.

use super::Started;
use chaos_run::InstanceId;
use chaos_supervise::{
    engine::Engine,
    logs::{self, LINES, MOST, path},
};
use futures_util::{StreamExt as _, future::join_all};
use std::{collections::BTreeMap, io, path::Path};
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
pub(super) async fn last_lines(engine: &Engine, id: &str) -> Vec<String> {
    let options = options().tail(&LINES.to_string()).build();
    let bytes = read(engine, id, options).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
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

/// Writes what each service has said to a file in the run's folder, and gives the files by service.
pub(super) async fn keep(
    engine: &Engine,
    services: &BTreeMap<InstanceId, Started>,
    folder: &Path,
) -> BTreeMap<String, String> {
    let keep = services.iter().filter_map(|(name, service)| Some((name, service.container.as_ref()?.id()))).map(
        async |(name, id)| {
            let name = name.to_string();
            let file = path(folder, &name);
            let written = match read(engine, id, options().build()).await {
                Ok(bytes) => logs::write(&file, &told(bytes)),
                Err(error) => Err(error),
            };
            written.ok().map(|()| (name, file.display().to_string()))
        },
    );
    join_all(keep).await.into_iter().flatten().collect()
}
