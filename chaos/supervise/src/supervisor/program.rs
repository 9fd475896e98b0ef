//! The program that is a supervisor.

use std::{os::unix::process::CommandExt as _, path::PathBuf, process::Command};

/// Path of this program itself, and not of what may have its path by now: an upgrade in mid-run must not mix two
/// versions.
pub(super) const THIS_PROGRAM: &str = "/proc/self/exe";

/// The program that supervises runs, handed in by whoever makes them: `chaos`, or another that has it built in.
///
/// With `supervisor` behind its arguments it calls [`keep`](super::keep); with `service PID [--cgroup
/// FOLDER] -- COMMAND…` it calls [`become_service`](super::become_service) with that process id, folder and command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorProgram {
    /// The path of the program.
    pub path: PathBuf,
    /// Arguments before `supervisor` and `service`, as those of an interpreter.
    pub arguments: Vec<String>,
}

impl SupervisorProgram {
    /// A program that takes `supervisor` and `service` as its first argument, as `chaos` does.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), arguments: Vec::new() }
    }

    /// This process's own program. It may be replaced on disk meanwhile: what runs is what runs here.
    #[must_use]
    pub fn this() -> Self {
        Self::new(THIS_PROGRAM)
    }

    /// The command that does `what`.
    pub(super) fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.path);
        if self.path.as_os_str() == THIS_PROGRAM {
            // Else it would go by the name of the link.
            command.arg0("chaos");
        }
        command.args(&self.arguments).arg(what);
        command
    }
}
