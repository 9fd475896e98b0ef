//! The supervisor's own process: `chaos supervisor`.

use super::{
    SupervisorProgram,
    errands::Errands,
    launch::start,
    members::Marks,
    protocol::{Ask, Exited, Launch, STOP_SIGNALS, ServiceSignal, Tell},
    reach::{Goal, Reach, all_children, has_children},
    running::{Running, Stopping},
};
use crate::{cgroup::RunGroup, logs, process, run_folder};
use rustix::process::{Signal, set_child_subreaper};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write as _},
    path::PathBuf,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// Time that killed processes have to be gone from the process table.
const REAP: Duration = Duration::from_secs(2);
/// Time between two looks at processes that are about to end.
const PAUSE: Duration = Duration::from_millis(5);

/// Time between two looks at how much a service has said.
const LISTEN: Duration = Duration::from_millis(100);

/// The end of a main process: the service's name, and how.
type MainEnd = (String, String);

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
    for (_, asked) in STOP_SIGNALS {
        drop(signal(SignalKind::from_raw(asked.as_raw()))?);
    }
    let mut supervisor = SupervisorProcess::new(program);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (ends, mut ended) = mpsc::unbounded_channel();
    loop {
        let next_look = supervisor.next_look();
        let line = tokio::select! {
            biased;
            Some(end) = ended.recv() => {
                supervisor.main_ended(end).await;
                continue;
            }
            line = lines.next_line() => line,
            () = sleep_until(next_look.unwrap_or_else(Instant::now)), if next_look.is_some() => {
                supervisor.look_at_ends().await;
                continue;
            }
        };
        match line.ok().flatten().map(|line| serde_json::from_str(&line)) {
            Some(Ok(Ask::Own(folder))) => supervisor.folder = Some(folder),
            #[cfg(feature = "docker")]
            Some(Ok(Ask::OwnContainers(label))) => supervisor.containers = Some(label),
            Some(Ok(Ask::Launch(launch))) => supervisor.launch(launch, &ends),
            Some(Ok(Ask::Run(errand))) => {
                let SupervisorProcess { errands, program, reach, .. } = &mut supervisor;
                if let Some(ran) = errands.begin(errand, (program, reach), &ends) {
                    tell(&Tell::Ran(ran));
                }
            }
            Some(Ok(Ask::Owe { service, errands })) => supervisor.errands.owe(service, errands),
            Some(Ok(Ask::Signal { name, signal })) => supervisor.signal(name, signal).await,
            Some(Ok(Ask::End { name })) => supervisor.end(&name).await,
            Some(Ok(Ask::Stop { keep_folder })) => {
                // Once the runner is gone too, nobody waits for an orderly end, nor knows of logs.
                let is_watched = tokio::select! {
                    biased;
                    () = supervisor.end_in_order(&mut ended) => true,
                    _ = lines.next_line() => false,
                };
                let left = supervisor.stop(is_watched, keep_folder, (&ends, &mut ended)).await;
                tell(&Tell::Stopped { left });
                return Ok(());
            }
            // The pipe is closed, or what comes through it is not from our runner.
            None | Some(Err(_)) => {
                supervisor.stop(false, false, (&ends, &mut ended)).await;
                return Ok(());
            }
        }
    }
}

struct SupervisorProcess {
    /// The program whose `service` is each service's first step.
    program: SupervisorProgram,
    running: BTreeMap<String, Running>,
    errands: Errands,
    reach: Reach,
    /// The logs that are kept from growing.
    logs: BTreeSet<PathBuf>,
    /// The run's control group, once it was tried to make one.
    group: Option<Option<RunGroup>>,
    folder: Option<PathBuf>,
    /// The label of the run's containers, where it may have some.
    #[cfg(feature = "docker")]
    containers: Option<crate::run_label::RunLabel>,
}

impl SupervisorProcess {
    fn new(program: SupervisorProgram) -> Self {
        Self {
            program,
            running: BTreeMap::new(),
            errands: Errands::default(),
            reach: Reach::default(),
            logs: BTreeSet::new(),
            group: None,
            folder: None,
            #[cfg(feature = "docker")]
            containers: None,
        }
    }

    fn launch(&mut self, launch: Launch, ends: &UnboundedSender<MainEnd>) {
        let name = launch.program.name.clone();
        let folder = self.folder.as_deref();
        let run_group = self.group.get_or_insert_with(|| folder.and_then(RunGroup::make));
        let group = run_group.as_ref().and_then(|run_group| run_group.of_service(&name));
        match start(&self.program, &launch.program, group.as_deref()) {
            Ok((mut child, pid)) => {
                self.reach.marks.insert(name.clone(), Marks { main: pid, group, log: launch.program.log.clone() });
                self.running.insert(name.clone(), Running::new(&launch));
                self.keep_short(launch.program.log);
                tell(&Tell::Launched { name: name.clone(), pid });
                let ends = ends.clone();
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the supervisor is a process of its own, not a service's program"
                )]
                tokio::spawn(async move {
                    let how = child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string());
                    // The supervisor ended first.
                    let _ = ends.send((name, how));
                });
            }
            Err(error) => tell(&Tell::NotLaunched { name, why: error.to_string() }),
        }
    }

    /// Keeps a log from growing for ever, as long as this process lives.
    fn keep_short(&mut self, log: PathBuf) {
        if !self.logs.insert(log.clone()) {
            return;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the supervisor is a process of its own, not a service's program"
        )]
        tokio::spawn(async move {
            loop {
                sleep(LISTEN).await;
                // A log that is gone went with its folder.
                let _ = logs::shorten(&log);
            }
        });
    }

    async fn signal(&mut self, name: String, signal: ServiceSignal) {
        let goal = match signal {
            ServiceSignal::Kill => Goal::Gone,
            ServiceSignal::Freeze => Goal::Stopped,
            ServiceSignal::Continue => Goal::Running,
        };
        let is_there = self.running.contains_key(&name);
        // Where it has just ended by itself, that is told of in a moment.
        let unreached = if is_there { self.reach.bring(&name, goal).await } else { Vec::new() };
        tell(&Tell::Signalled { name, unreached });
    }

    /// Asks a service to end. That it has is told of once all its processes are gone.
    async fn end(&mut self, name: &str) {
        if let Some(running) = self.running.get_mut(name) {
            running.stopping = Some(Stopping { deadline: Instant::now() + running.grace, was_killed: false });
            let signal = running.stop_signal;
            self.reach.tell(name, signal).await;
        }
        tell(&Tell::Ending { name: name.to_owned() });
    }

    async fn main_ended(&mut self, (name, how): MainEnd) {
        if let Some(ran) = self.errands.ended(&name, &how, &mut self.reach) {
            return tell(&Tell::Ran(ran));
        }
        let Some(running) = self.running.get_mut(&name) else { return };
        running.main_end = Some(how);
        self.look_at(&name).await;
    }

    /// The moment at which somebody has to look whether services have ended.
    fn next_look(&self) -> Option<Instant> {
        let services = self.running.values().filter_map(|running| running.next_look(Instant::now()));
        services.chain(self.errands.next_look()).min()
    }

    async fn look_at_ends(&mut self) {
        for ran in self.errands.end_late(&mut self.reach).await {
            tell(&Tell::Ran(ran));
        }
        let names: Vec<String> = self.running.keys().cloned().collect();
        for name in names {
            self.look_at(&name).await;
        }
    }

    /// Tells of a service that has ended: its main process has, and all others, which it may leave behind for some time.
    async fn look_at(&mut self, name: &str) {
        let Some(running) = self.running.get_mut(name) else { return };
        let now = Instant::now();
        if running.is_late(now) {
            running.was_killed();
            let unreached = self.reach.bring(name, Goal::Gone).await;
            return self.tell_exited(name, unreached);
        }
        let Some(leaves_others) = running.leaves_others() else { return };
        if self.reach.is_gone(name).await {
            self.tell_exited(name, Vec::new());
        } else if !leaves_others {
            // Others of it may still be there: a service's children are not to outlive it.
            let unreached = self.reach.bring(name, Goal::Gone).await;
            self.tell_exited(name, unreached);
        }
    }

    /// Tells of a service that has ended, once that of its main process is known.
    fn tell_exited(&mut self, name: &str, unreached: Vec<String>) {
        let Some(running) = self.running.get(name) else { return };
        let Some(how) = running.main_end.clone() else { return };
        let killed_after_ms = running.killed_after().map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        self.running.remove(name);
        tell(&Tell::Exited(Exited { name: name.to_owned(), how, killed_after_ms, unreached }));
    }

    /// Asks all services to end, and waits for those that do, as long as each may take.
    async fn end_in_order(&mut self, ended: &mut UnboundedReceiver<MainEnd>) {
        let services: Vec<(String, Signal)> =
            self.running.iter().map(|(name, running)| (name.clone(), running.stop_signal)).collect();
        for (name, signal) in &services {
            self.reach.tell(name, *signal).await;
            // A frozen service hears it only once it goes on.
            self.reach.bring(name, Goal::Running).await;
        }
        let grace = self.running.values().map(|running| running.grace).max().unwrap_or_default();
        let deadline = Instant::now() + grace;
        while Instant::now() < deadline {
            // Somebody has to hear it, so that they are no zombies.
            while ended.try_recv().is_ok() {}
            let members = self.reach.look();
            if services.iter().all(|(name, _)| members.has_none(name)) {
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// Ends what is left, and gives what could not be removed. The folder is kept for a runner alone that still is
    /// there.
    async fn stop(
        &mut self,
        is_watched: bool,
        keep_folder: bool,
        (ends, ended): (&UnboundedSender<MainEnd>, &mut UnboundedReceiver<MainEnd>),
    ) -> Vec<String> {
        kill_all(ended).await;
        let mut left = self.errands.run_due((&self.program, &mut self.reach), ends, ended).await;
        // What they have left running ends with them.
        kill_all(ended).await;
        if has_children() {
            let seen = all_children();
            left.extend(seen.iter().map(|pid| format!("process {pid}: {}", process::command(*pid))));
            left.extend(seen.is_empty().then(|| "a process that can't be seen".to_owned()));
        }
        if keep_folder {
            // One that can't be made whole can still be read.
            self.logs.iter().for_each(|log| drop(logs::shorten(log).and_then(|()| logs::close(log))));
        }
        left.extend(self.group.take().flatten().and_then(|group| group.remove()));
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
}

/// Removes a run's containers and networks. What a runner asked for that is gone, the engine may still be making.
#[cfg(feature = "docker")]
async fn remove_containers(label: &crate::run_label::RunLabel, is_watched: bool) -> Vec<String> {
    use crate::engine::{Engine, SETTLED};
    match Engine::connect().await {
        Ok(engine) => engine.remove_all(label, if is_watched { Duration::ZERO } else { SETTLED }).await,
        Err(error) => vec![format!("containers, if there are any: no engine answers, {error}")],
    }
}

/// Kills all children until there are none: whatever services started becomes one when what started it ends.
async fn kill_all(ended: &mut UnboundedReceiver<MainEnd>) {
    let deadline = Instant::now() + REAP;
    while Instant::now() < deadline {
        if !has_children() {
            return;
        }
        for pid in all_children().into_iter().filter_map(process::raw) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::NOHANG);
        }
        // Main processes have somebody who waits for them.
        let _ = timeout_at(Instant::now() + PAUSE, ended.recv()).await;
    }
}

fn tell(tell: &Tell) {
    let Ok(mut line) = serde_json::to_vec(tell) else { return };
    line.push(b'\n');
    // The runner is gone: its pipe says so in a moment.
    let _ = io::stdout().write_all(&line).and_then(|()| io::stdout().flush());
}
