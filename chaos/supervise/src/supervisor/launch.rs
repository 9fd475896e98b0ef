//! The start of a service, and what it does before it becomes its program: `chaos service`.

use super::{SupervisorProgram, lookup, program::THIS_PROGRAM, protocol::Program};
use crate::{cgroup, logs::LogFile, run_label};
use rustix::process::{Signal, set_parent_process_death_signal};
use std::{io, os::unix::process::CommandExt as _, path::Path, process::Stdio};
use tokio::process::{Child, Command};

/// Starts a service as a child of this process, in a control group where there is one; gives its process id too.
// Started here, and not by the runner which would then tell of it: so there is no moment in which a service runs and
// nobody would end it.
pub(super) fn start(program: &SupervisorProgram, process: &Program, group: Option<&Path>) -> io::Result<(Child, u32)> {
    if let Some(first) = process.command.first() {
        lookup::find(first, &process.folder, lookup::path(&process.env, process.inherit_env))?;
    }
    let log = LogFile::of(&process.log)?.append_or_make()?;
    let mut command = Command::from(program.command("service"));
    command.arg(std::process::id().to_string());
    if let Some(group) = group {
        command.arg("--cgroup").arg(group);
    }
    command.arg("--").args(&process.command);
    if !process.inherit_env {
        command.env_clear();
    }
    command.env_remove(run_label::SUPERVISOR);
    command.envs(&process.env).env(run_label::SERVICE, &process.name).current_dir(&process.folder).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = command.spawn()?;
    child.id().map(|pid| (child, pid)).ok_or_else(|| io::Error::other("it ended at once"))
}

/// Becomes a service's program: enters the control group, asks the kernel to be killed with its supervisor, then replaces
/// this process. Only returns if that fails.
pub fn become_service(supervisor: u32, group: Option<&Path>, command: &[String]) -> io::Error {
    let [program, arguments @ ..] = command else {
        return io::Error::new(io::ErrorKind::InvalidInput, "a service needs a command");
    };
    // Outside of it, its processes are known by their other marks.
    let _ = group.map(cgroup::join);
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    // The supervisor may have ended before the request was in place: then nobody would send the signal.
    let parent = rustix::process::getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if parent != Some(supervisor) {
        return io::Error::new(io::ErrorKind::NotFound, "the supervisor is gone");
    }
    let mut command = std::process::Command::new(program);
    if program == THIS_PROGRAM {
        // Else it would go by the name of the link.
        command.arg0("chaos");
    }
    command.args(arguments).exec()
}
