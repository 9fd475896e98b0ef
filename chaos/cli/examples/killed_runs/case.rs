//! One run that is killed.

use crate::{LIMIT, machine, scenario};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// No run takes so long, unless it waits for others on this machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The process that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Runner,
    Supervisor,
    Both,
}

impl Victim {
    pub(crate) const ALL: [Self; 3] = [Self::Runner, Self::Supervisor, Self::Both];
}

/// A run to be killed.
pub(crate) struct Case {
    pub(crate) chaos: PathBuf,
    pub(crate) victim: Victim,
    /// After its begin.
    pub(crate) after: Duration,
    /// True where it has a service that ends by no SIGTERM.
    pub(crate) is_stubborn: bool,
}

/// The end of a case.
pub(crate) struct Ended {
    /// The process that was killed in the end: there may be no supervisor yet. None where the run was over.
    pub(crate) killed: Option<Victim>,
    /// The number of the run's processes.
    pub(crate) processes: usize,
    /// The time from the kill until nothing was left.
    pub(crate) gone_after: Duration,
    /// True where it took `chaos cleanup`.
    pub(crate) healed: bool,
}

/// The folder of one run and what it is started with.
struct Sandbox {
    folder: TempDir,
    chaos: PathBuf,
}

impl Sandbox {
    fn new(chaos: &Path, is_stubborn: bool) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let made = std::fs::create_dir(folder.path().join("tmp"));
        let written = std::fs::write(folder.path().join("run.toml"), scenario::text(chaos, is_stubborn));
        made.and(written).map_err(|error| error.to_string())?;
        Ok(Self { folder, chaos: chaos.to_owned() })
    }

    fn temp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.chaos);
        command.args(arguments).current_dir(self.folder.path()).env("TMPDIR", self.temp());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts a run, and waits until its turn has come.
    async fn begin(&self) -> Result<Child, String> {
        let mut run = self.command(&["run", "run.toml", "--json", "-"]).spawn().map_err(|error| error.to_string())?;
        let Some(out) = run.stdout.take() else { return Err("it has no output".to_owned()) };
        let mut lines = BufReader::new(out).lines();
        loop {
            let line = timeout(PATIENCE, lines.next_line()).await.map_err(|_| "its turn does not come".to_owned())?;
            match line.ok().flatten() {
                Some(line) if line.contains(r#""event":"waiting""#) => {}
                // The first event is told before the turn is taken.
                Some(line) if line.contains(r#""event":"begin""#) => {
                    // A lock that is free is taken in microseconds, and one that isn't is told of at once.
                    let waits = timeout(Duration::from_millis(1), lines.next_line()).await;
                    if !matches!(waits, Ok(Ok(Some(line))) if line.contains(r#""event":"waiting""#)) {
                        break;
                    }
                }
                Some(_) => break,
                None => return Err("it ended before it began".to_owned()),
            }
        }
        // It goes on writing: nobody stands in its way.
        let mut rest = lines.into_inner();
        #[expect(clippy::disallowed_methods, reason = "this is a program of its own, in no world")]
        drop(tokio::spawn(async move {
            let mut nowhere = Vec::new();
            let _ = rest.read_to_end(&mut nowhere).await;
        }));
        Ok(run)
    }
}

/// The duration of a run that nobody kills, its turn not counted.
pub(crate) async fn whole(chaos: &Path) -> Result<Duration, String> {
    let sandbox = Sandbox::new(chaos, false)?;
    let mut run = sandbox.begin().await?;
    let began = Instant::now();
    let status = timeout(PATIENCE, run.wait()).await.map_err(|_| "it does not end".to_owned())?;
    match status.map(|status| status.code()) {
        Ok(Some(0 | 4)) => Ok(began.elapsed()),
        other => Err(format!("a run that is not killed ends by {other:?}")),
    }
}

impl Case {
    pub(crate) async fn run(&self) -> Result<Ended, String> {
        let sandbox = Sandbox::new(&self.chaos, self.is_stubborn)?;
        let mut run = sandbox.begin().await?;
        sleep(self.after).await;
        let Some(runner) = run.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) else {
            return Err("it has no process id".to_owned());
        };
        let processes = machine::within(sandbox.folder.path());
        let listening = machine::listening(&processes);
        let supervisor = machine::supervisor(&processes, runner.as_raw_nonzero().get());
        let supervisor = supervisor.and_then(|supervisor| Pid::from_raw(supervisor.pid));
        let killed = self.kill(runner, supervisor);
        let at = Instant::now();
        let mut healed = false;
        if killed == Some(Victim::Both) {
            let _ = run.wait().await;
            healed = cleanup(&sandbox, "cleanup").await?;
        }
        let looks = Evidence { sandbox: &sandbox, processes: &processes, listening: &listening };
        let gone_after = looks.until_nothing_is_left(&mut run, killed, at).await?;
        // Logs that the run said it kept.
        cleanup(&sandbox, "cleanup --logs").await?;
        match machine::files(&sandbox.temp(), false).as_slice() {
            [] => Ok(Ended { killed, processes: processes.len(), gone_after, healed }),
            left => Err(format!("kept for ever: {left:?}")),
        }
    }

    /// Kills whom it should, as far as they are there.
    fn kill(&self, runner: Pid, supervisor: Option<Pid>) -> Option<Victim> {
        let kill = |pid: Pid| kill_process(pid, Signal::KILL).is_ok();
        match (self.victim, supervisor) {
            (Victim::Supervisor, Some(supervisor)) => kill(supervisor).then_some(Victim::Supervisor),
            (Victim::Both, Some(supervisor)) => {
                let first = kill(supervisor);
                (kill(runner) && first).then_some(Victim::Both)
            }
            (Victim::Runner, _) | (_, None) => kill(runner).then_some(Victim::Runner),
        }
    }
}

/// Signs of a run that are looked for.
struct Evidence<'a> {
    sandbox: &'a Sandbox,
    processes: &'a [machine::Process],
    listening: &'a BTreeSet<u64>,
}

impl Evidence<'_> {
    async fn until_nothing_is_left(
        &self,
        run: &mut Child,
        killed: Option<Victim>,
        at: Instant,
    ) -> Result<Duration, String> {
        let limit = if killed.is_none() { PATIENCE } else { LIMIT };
        loop {
            // Else it stays in the table of processes.
            let _ = run.try_wait();
            let left = self.left();
            if left.is_empty() {
                return Ok(at.elapsed());
            }
            if at.elapsed() > limit {
                return Err(format!("left after {limit:?}:\n  {}", left.join("\n  ")));
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn left(&self) -> Vec<String> {
        let now = machine::within(self.sandbox.folder.path());
        let before = self.processes.iter().filter(|process| process.is_alive() && !now.contains(process));
        let alive = now.iter().chain(before).map(|process| format!("process {}: {}", process.pid, process.command));
        let all = machine::all_listening();
        let sockets = self.listening.intersection(&all).map(|inode| format!("socket {inode} listens"));
        // Logs are kept by a run that has come to its end without its supervisor, or without a verdict.
        let files = machine::files(&self.sandbox.temp(), true);
        let files = files.iter().map(|path| path.display().to_string());
        alive.chain(sockets).chain(files).collect()
    }
}

/// Runs `chaos cleanup`, which must succeed, and says whether there was anything to do.
async fn cleanup(sandbox: &Sandbox, command: &str) -> Result<bool, String> {
    let arguments: Vec<&str> = command.split(' ').collect();
    let healed = sandbox.command(&arguments).output().await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&healed.stdout).into_owned();
    if healed.status.success() { Ok(text.contains("removed ")) } else { Err(format!("chaos {command} fails:\n{text}")) }
}
