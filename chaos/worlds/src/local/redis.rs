//! The Redis of a run.

use chaos_model::{Service, Start, System};
use chaos_run::WorldError;
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// Time that a server may take to say which version it is: it takes milliseconds, and the report alone needs it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The Redis behind the program `redis`: `redis-server` where the machine has it, else the built-in one.
/// `redis-server` and `redis-built-in` ask for either.
pub(super) struct RedisProgram {
    server: Option<(PathBuf, String)>,
}

impl RedisProgram {
    /// The built-in one alone.
    pub(super) fn none() -> Self {
        Self { server: None }
    }

    pub(super) async fn find(server: Option<&Path>, system: &System) -> Self {
        let wanted = |service: &Service| matches!(&service.start, Start::Program(name) if name == "redis" || name == "redis-server");
        let Some(path) = server.filter(|_| system.services.values().any(wanted)) else { return Self { server: None } };
        let version = version(path, PATIENCE).await;
        let version = version.as_deref().unwrap_or("of unknown version");
        Self { server: Some((path.to_owned(), format!("redis-server {version}"))) }
    }

    /// The real server, where this program means it.
    pub(super) fn server_for(&self, program: &str) -> Result<Option<&(PathBuf, String)>, WorldError> {
        match (program, &self.server) {
            ("redis" | "redis-server", Some(server)) => Ok(Some(server)),
            ("redis-server", None) => Err(WorldError::CannotGive(
                "there is no redis-server on the path: install it, or use `redis`".to_owned(),
            )),
            _ => Ok(None),
        }
    }

    /// The name by which `chaos serve` knows the built-in one.
    pub(super) fn built_in(program: &str) -> &str {
        if program == "redis-built-in" { "redis" } else { program }
    }
}

/// The version that a server tells, where it does so in time.
pub async fn version(server: &Path, limit: Duration) -> Option<String> {
    let mut command = Command::new(server);
    let output = command.arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(limit, output).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt as _};

    /// A program that does this.
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("redis-server");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_server_says_which_version_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let server = program(folder.path(), "echo \"Redis server v=7.9.1 sha=00000000:0 bits=64\"");
        assert_eq!(version(&server, Duration::from_secs(20)).await.as_deref(), Some("7.9.1"));
        let other = program(folder.path(), "echo something else");
        assert_eq!(version(&other, Duration::from_secs(20)).await, None);
        assert_eq!(version(Path::new("/nowhere/redis-server"), Duration::from_secs(20)).await, None);
    }

    #[tokio::test]
    async fn one_that_says_nothing_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        // It tells its process id first, to show that it is ended.
        let server = program(folder.path(), "echo $$ > \"${0%/*}/pid\"; exec tail -f /dev/null");
        let pid = folder.path().join("pid");
        while !pid.exists() {
            assert_eq!(version(&server, Duration::from_millis(100)).await, None);
        }
        let proc = PathBuf::from(format!("/proc/{}/exe", fs::read_to_string(&pid).unwrap().trim()));
        while proc.exists() {
            tokio::task::yield_now().await;
        }
    }
}
