//! Containers that are somebody else's and that a run breaks: they are written into the run's folder before that, so
//! that the runner, its supervisor and `chaos cleanup` alike find them and bring them back.

use crate::engine::{Engine, SETTLED};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path, time::Duration};

/// In the run's folder.
const FILE: &str = "broken.json";
/// Name of the file while it is written, before it takes that name.
const UNFINISHED: &str = "broken.new";

/// A container that is broken, or about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The engine's id of it.
    pub id: String,
    /// The container's name, for people.
    pub name: String,
    /// True where the engine was asked to change it and has not answered: it goes on when whoever asked is gone.
    pub changing: bool,
    /// Milliseconds that it has to end, where it was asked to.
    pub grace_ms: u64,
}

// Before anything is broken, and into the folder: runner, supervisor and cleanup read the same file, so nobody has to
// be told, and the supervisor needs no message for it.
/// Writes down all that is broken, in place of what was there.
///
/// # Errors
/// Where the folder can't be written to.
pub fn write(folder: &Path, broken: &[Broken]) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    fs::write(&unfinished, serde_json::to_vec(broken)?)?;
    fs::rename(unfinished, folder.join(FILE))
}

/// Reads what a run's folder says of containers of others. Most runs break none.
pub(crate) fn read(folder: &Path) -> Vec<Broken> {
    let text = fs::read(folder.join(FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Brings back what stands written in a run's folder, and gives what could not be brought back, in words.
pub(crate) async fn restore(folder: &Path) -> Vec<String> {
    let broken = read(folder);
    if broken.is_empty() {
        return Vec::new();
    }
    match Engine::connect().await {
        Ok(engine) => restore_all(&engine, &broken).await.into_iter().map(|(_, why)| why).collect(),
        Err(error) => broken.iter().map(|of| format!("container {}: no engine answers, {error}", of.name)).collect(),
    }
}

/// Brings these back, all at once, and gives those that are still broken, with why, in words.
pub async fn restore_all(engine: &Engine, broken: &[Broken]) -> Vec<(Broken, String)> {
    let restored = broken.iter().map(async |of| {
        // It may end at any moment of that.
        let grace = Duration::from_millis(of.grace_ms);
        let settled = if of.changing { grace + SETTLED } else { Duration::ZERO };
        let why = engine.restore(&of.id, settled).await.err()?;
        Some((of.clone(), format!("container {}: {why}", of.name)))
    });
    join_all(restored).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()), []);
        let broken = Broken { id: "4f5a".to_owned(), name: "redis".to_owned(), changing: true, grace_ms: 3000 };
        write(folder.path(), std::slice::from_ref(&broken)).unwrap();
        assert_eq!(read(folder.path()), [broken]);
        write(folder.path(), &[]).unwrap();
        assert_eq!(read(folder.path()), []);
        assert!(!folder.path().join(UNFINISHED).exists());
    }
}
