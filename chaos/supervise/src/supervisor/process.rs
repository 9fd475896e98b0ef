//! The supervisor's own process: `chaos supervisor`, and what a service does before it becomes its program: `chaos
//! service`.

use super::{
    SupervisorProgram,
    program::THIS_PROGRAM,
    protocol::{Ask, Exited, Launch, ServiceSignal, Tell},
};
use crate::{run_folder, run_label};
use rustix::process::{Pid, Signal, kill_process_group, set_child_subreaper, set_parent_process_death_signal};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::Instant,
};

/// Time that killed processes have to be gone from the process table.
const REAP: Duration = Duration::from_secs(2);

/// Runs the supervisor on standard input and output until its runner is gone or asks it to stop. Call it on the main
/// thread of a current-thread runtime: the kernel ties the death signal of the services to the thread that started
/// them.
///
/// # Errors
/// Where the machine refuses what a supervisor needs.
pub async fn keep(program: SupervisorProgram) -> io::Result<()> {
    // Services may start processes of their own and end before them: those become ours, and end with the rest.
    set_child_subreaper(Some(rustix::process::getpid()))?;
    // It ends with its runner and not before: a signal to all of a service or a session is for the runner to hear. And
    // the kernel sends SIGHUP to a process that stands still when its parent ends (and wakes it, which is welcome).
    // Handlers, since services would inherit that a signal is ignored.
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::terminate()] {
        drop(signal(kind)?);
    }
    let mut supervisor = SupervisorProcess::new(program);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (exits, mut exited) = mpsc::unbounded_channel();
    loop {
        let line = tokio::select! {
            biased;
            Some(exit) = exited.recv() => {
                supervisor.note(exit);
                continue;
            }
            line = lines.next_line() => line,
        };
        match line.ok().flatten().map(|line| serde_json::from_str(&line)) {
            Some(Ok(Ask::Own(folder))) => supervisor.folder = Some(folder),
            #[cfg(feature = "docker")]
            Some(Ok(Ask::OwnContainers(label))) => supervisor.containers = Some(label),
            Some(Ok(Ask::Launch(launch))) => supervisor.launch(launch, &exits),
            Some(Ok(Ask::Signal { name, signal })) => supervisor.signal(name, signal),
            Some(Ok(Ask::Stop { grace_ms, keep_folder })) => {
                let grace = Duration::from_millis(grace_ms);
                // Once the runner is gone too, nobody waits for an orderly end, nor knows of logs.
                let is_watched = tokio::select! {
                    biased;
                    () = supervisor.end_in_order(grace, &mut exited) => true,
                    _ = lines.next_line() => false,
                };
                let left = supervisor.stop(is_watched, keep_folder, &mut exited).await;
                tell(&Tell::Stopped { left });
                return Ok(());
            }
            // The pipe is closed, or what comes through it is not from our runner.
            None | Some(Err(_)) => {
                supervisor.stop(false, false, &mut exited).await;
                return Ok(());
            }
        }
    }
}

/// Becomes a service's program: asks the kernel to be killed with its supervisor, then replaces this process. Only
/// returns if that fails.
pub fn become_service(supervisor: u32, command: &[String]) -> io::Error {
    let [program, arguments @ ..] = command else {
        return io::Error::new(io::ErrorKind::InvalidInput, "a service needs a command");
    };
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

struct SupervisorProcess {
    /// The program whose `service` is each service's first step.
    program: SupervisorProgram,
    /// Running services with their process groups.
    services: BTreeMap<String, Pid>,
    folder: Option<PathBuf>,
    /// The label of the run's containers, where it may have some.
    #[cfg(feature = "docker")]
    containers: Option<run_label::RunLabel>,
}

impl SupervisorProcess {
    fn new(program: SupervisorProgram) -> Self {
        Self {
            program,
            services: BTreeMap::new(),
            folder: None,
            #[cfg(feature = "docker")]
            containers: None,
        }
    }

    fn launch(&mut self, launch: Launch, exits: &mpsc::UnboundedSender<Exited>) {
        let name = launch.name.clone();
        match start(&self.program, &launch) {
            Ok((mut child, group)) => {
                tell(&Tell::Launched { name: name.clone(), pid: group.as_raw_nonzero().get().unsigned_abs() });
                self.services.insert(name.clone(), group);
                let exits = exits.clone();
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the supervisor is a process of its own, not a service's program"
                )]
                tokio::spawn(async move {
                    let how = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
                    // The supervisor ended first.
                    let _ = exits.send(Exited { name, how });
                });
            }
            Err(error) => tell(&Tell::NotLaunched { name, why: error.to_string() }),
        }
    }

    fn signal(&self, name: String, signal: ServiceSignal) {
        let signal = match signal {
            ServiceSignal::Terminate => Signal::TERM,
            ServiceSignal::Kill => Signal::KILL,
            ServiceSignal::Freeze => Signal::STOP,
            ServiceSignal::Continue => Signal::CONT,
        };
        if let Some(group) = self.services.get(&name) {
            // It has just ended by itself: that is told of in a moment.
            let _ = kill_process_group(*group, signal);
        }
        tell(&Tell::Signalled { name });
    }

    fn note(&mut self, exit: Exited) {
        // Others of its group may still be there: a service's children are not to outlive it.
        if let Some(group) = self.services.remove(&exit.name) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        tell(&Tell::Exited(exit));
    }

    /// Asks all services to end, and waits for those that do.
    async fn end_in_order(&mut self, grace: Duration, exited: &mut mpsc::UnboundedReceiver<Exited>) {
        self.signal_all(Signal::TERM);
        // A frozen service hears it only once it goes on.
        self.signal_all(Signal::CONT);
        self.wait_for_exits(grace, exited).await;
    }

    /// Ends what is left, and gives what could not be removed. The folder is kept for a runner alone that still is
    /// there.
    async fn stop(
        &mut self,
        is_watched: bool,
        keep_folder: bool,
        exited: &mut mpsc::UnboundedReceiver<Exited>,
    ) -> Vec<String> {
        let mut left = Vec::new();
        self.signal_all(Signal::KILL);
        self.wait_for_exits(REAP, exited).await;
        left.extend(self.services.keys().map(|service| format!("the process of {service}")));
        kill_adopted().await;
        left.extend(children().into_iter().map(|pid| format!("process {pid}")));
        #[cfg(feature = "docker")]
        if let Some(label) = self.containers.take() {
            left.extend(remove_containers(&label, is_watched).await);
        }
        if let Some(folder) = self.folder.take() {
            #[cfg(feature = "docker")]
            {
                let broken = crate::broken::restore(&folder).await;
                if !broken.is_empty() {
                    // What stands in it is all that tells of them.
                    left.extend(broken);
                    return left;
                }
            }
            left.extend(run_folder::settle(&folder, keep_folder && is_watched));
        }
        left
    }

    fn signal_all(&self, signal: Signal) {
        for group in self.services.values() {
            // It has just ended by itself.
            let _ = kill_process_group(*group, signal);
        }
    }

    async fn wait_for_exits(&mut self, patience: Duration, exited: &mut mpsc::UnboundedReceiver<Exited>) {
        let deadline = Instant::now() + patience;
        while !self.services.is_empty() {
            let Ok(Some(exit)) = tokio::time::timeout_at(deadline, exited.recv()).await else { return };
            if let Some(group) = self.services.remove(&exit.name) {
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
    }
}

/// Removes a run's containers and networks. What a runner asked for that is gone, the engine may still be making.
#[cfg(feature = "docker")]
async fn remove_containers(label: &run_label::RunLabel, is_watched: bool) -> Vec<String> {
    use crate::engine::{Engine, SETTLED};
    match Engine::connect().await {
        Ok(engine) => engine.remove_all(label, if is_watched { Duration::ZERO } else { SETTLED }).await,
        Err(error) => vec![format!("containers, if there are any: no engine answers, {error}")],
    }
}

// Started here, and not by the runner which would then tell of it: so there is no moment in which a service runs and
// nobody would end it.
fn start(program: &SupervisorProgram, launch: &Launch) -> io::Result<(Child, Pid)> {
    let log = File::options().create(true).append(true).open(&launch.log)?;
    let mut command = Command::from(program.command("service"));
    command.arg(std::process::id().to_string()).arg("--").args(&launch.command);
    if !launch.inherit_env {
        command.env_clear();
    }
    command.env_remove(run_label::SUPERVISOR);
    command.envs(&launch.env).current_dir(&launch.folder).process_group(0);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let child = command.spawn()?;
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    pid.map(|pid| (child, pid)).ok_or_else(|| io::Error::other("it ended at once"))
}

/// Kills what was left to us by services that ended before their children, until nothing is.
async fn kill_adopted() {
    let deadline = Instant::now() + REAP;
    while Instant::now() < deadline {
        let children = children();
        if children.is_empty() {
            return;
        }
        for pid in children.into_iter().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Our children, by the kernel's list (proc(5), `/proc/<pid>/task/<tid>/children`).
fn children() -> Vec<i32> {
    let pid = std::process::id();
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

fn tell(tell: &Tell) {
    let Ok(mut line) = serde_json::to_vec(tell) else { return };
    line.push(b'\n');
    // The runner is gone: its pipe says so in a moment.
    let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
}
