//! The runner's side of the supervisor.

use super::{
    SupervisorProgram,
    protocol::{Ask, Errand, Exited, Launch, Ran, ServiceSignal, Tell},
};
use crate::run_label::RunLabel;
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        oneshot,
    },
};

/// Time that the supervisor has beyond what services may take, to kill, to remove, and to end itself.
const SPARE: Duration = Duration::from_secs(6);

/// The supervisor said or did something that a supervisor doesn't.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The supervisor is gone, or its pipe is.
    #[error("the supervisor of this run is gone: {0}")]
    Gone(io::Error),
    /// A service could not be started.
    #[error("{name} can't be started: {why}")]
    NotLaunched {
        /// The service's name.
        name: String,
        /// The words of the machine.
        why: String,
    },
    /// A signal did not work on all processes of a service.
    #[error("{service} can't be {what} as a whole: {}", processes.join(", "))]
    Unreached {
        /// The service's name.
        service: String,
        /// The state that they should be in.
        what: &'static str,
        /// The processes, in words.
        processes: Vec<String>,
    },
}

/// A running supervisor. Dropping it closes its pipe, so that it removes everything.
#[derive(Debug)]
pub struct Supervisor {
    process: Child,
    ask: ChildStdin,
    /// Bytes that are on their way to it.
    unsent: Vec<u8>,
    tell: Lines<BufReader<ChildStdout>>,
    /// Exits that it told of while something else was waited for.
    exits: VecDeque<Exited>,
    /// The longest time that a service may take to end.
    grace: Duration,
    /// Time that all commands after the ends of services may take together, by service.
    owed: BTreeMap<String, Duration>,
    /// Errands that others have asked for, and where they are told of.
    asked: (UnboundedSender<Asked>, UnboundedReceiver<Asked>),
    errands: BTreeMap<String, oneshot::Sender<Ran>>,
    /// Number of those errands so far.
    numbered: u64,
}

/// An errand that somebody asks for.
type Asked = (Errand, oneshot::Sender<Ran>);

/// Has errands run by a supervisor while somebody waits for what that tells ([`Supervisor::exited`]).
#[derive(Clone, Debug)]
pub struct ErrandRunner(UnboundedSender<Asked>);

impl ErrandRunner {
    /// Runs a command to its end; none where the supervisor is gone.
    pub async fn run(&self, errand: Errand) -> Option<Ran> {
        let (sender, ran) = oneshot::channel();
        self.0.send((errand, sender)).ok()?;
        ran.await.ok()
    }
}

impl Supervisor {
    /// Starts the program as a supervisor, in a process group of its own, so that a Ctrl-C in the terminal doesn't reach
    /// it. It carries the label of the run that it keeps.
    ///
    /// # Errors
    /// Where it can't be started.
    pub(crate) fn start(program: &SupervisorProgram, label: &RunLabel) -> Result<Self, SupervisorError> {
        let mut command = Command::from(program.command("supervisor"));
        command
            .envs(label.of_supervisor())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let mut process = command.spawn().map_err(SupervisorError::Gone)?;
        let (Some(ask), Some(tell)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(SupervisorError::Gone(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self {
            process,
            ask,
            unsent: Vec::new(),
            tell: BufReader::new(tell).lines(),
            exits: VecDeque::new(),
            grace: Duration::ZERO,
            owed: BTreeMap::new(),
            asked: unbounded_channel(),
            errands: BTreeMap::new(),
            numbered: 0,
        })
    }

    /// Its process id, while it was not seen to end.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    /// Tells it of the run's folder, before that is made.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    pub async fn own(&mut self, folder: PathBuf) -> Result<(), SupervisorError> {
        self.send(&Ask::Own(folder)).await
    }

    /// Tells it whose containers and networks are the run's, before any is made.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    #[cfg(feature = "docker")]
    pub(crate) async fn own_containers(&mut self, label: &RunLabel) -> Result<(), SupervisorError> {
        self.send(&Ask::OwnContainers(label.clone())).await
    }

    /// Starts services, all at once, and gives their process ids.
    ///
    /// # Errors
    /// Where one can't be started.
    pub async fn launch(&mut self, launches: Vec<Launch>) -> Result<BTreeMap<String, u32>, SupervisorError> {
        let count = launches.len();
        for launch in launches {
            self.grace = self.grace.max(Duration::from_millis(launch.stop_grace_ms));
            self.send(&Ask::Launch(launch)).await?;
        }
        let mut pids = BTreeMap::new();
        while pids.len() < count {
            match self.receive().await? {
                Tell::Launched { name, pid } => drop(pids.insert(name, pid)),
                Tell::NotLaunched { name, why } => return Err(SupervisorError::NotLaunched { name, why }),
                Tell::Exited(exit) => self.exits.push_back(exit),
                Tell::Signalled { .. } | Tell::Ending { .. } | Tell::Ran(_) => {}
                Tell::Stopped { .. } => return Err(SupervisorError::Gone(io::ErrorKind::UnexpectedEof.into())),
            }
        }
        Ok(pids)
    }

    /// Has errands run for whoever asks.
    #[must_use]
    pub fn errand_runner(&self) -> ErrandRunner {
        ErrandRunner(self.asked.0.clone())
    }

    /// Runs a command to its end, and waits for that.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    pub async fn run(&mut self, errand: Errand) -> Result<Ran, SupervisorError> {
        let of = errand.program.name.clone();
        self.send(&Ask::Run(errand)).await?;
        loop {
            match self.receive().await? {
                Tell::Ran(ran) if ran.name == of => return Ok(ran),
                Tell::Exited(exit) => self.exits.push_back(exit),
                _ => {}
            }
        }
    }

    /// Has commands run after the end of a service, once the run ends, however it does.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    pub async fn owe(&mut self, service: &str, errands: Vec<Errand>) -> Result<(), SupervisorError> {
        let limits = errands.iter().map(|errand| Duration::from_millis(errand.limit_ms)).sum();
        self.owed.insert(service.to_owned(), limits);
        self.send(&Ask::Owe { service: service.to_owned(), errands }).await
    }

    /// The services after whose ends commands are to be run.
    pub(crate) fn owes(&self) -> impl Iterator<Item = &str> {
        self.owed.keys().map(String::as_str)
    }

    /// Sends a signal to all processes of a service. When it returns, they were seen to be as it wants them.
    ///
    /// # Errors
    /// Where some are not, or the supervisor is gone.
    pub async fn signal(&mut self, service: &str, signal: ServiceSignal) -> Result<(), SupervisorError> {
        self.send(&Ask::Signal { name: service.to_owned(), signal }).await?;
        loop {
            match self.receive().await? {
                Tell::Signalled { name, unreached } if name == service => {
                    return reached(name, signal.words(), unreached);
                }
                Tell::Exited(exit) => self.exits.push_back(exit),
                _ => {}
            }
        }
    }

    /// Asks a service to end, by its own signal. It is killed if it has not after its own grace; [`Self::exited_of`] tells
    /// when all its processes are gone.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    pub async fn end(&mut self, service: &str) -> Result<(), SupervisorError> {
        self.send(&Ask::End { name: service.to_owned() }).await?;
        loop {
            match self.receive().await? {
                Tell::Ending { name } if name == service => return Ok(()),
                Tell::Exited(exit) => self.exits.push_back(exit),
                _ => {}
            }
        }
    }

    /// Waits until this service has ended.
    ///
    /// # Errors
    /// Where some of its processes could not be killed, or the supervisor is gone.
    pub async fn exited_of(&mut self, service: &str) -> Result<Exited, SupervisorError> {
        loop {
            if let Some(index) = self.exits.iter().position(|exit| exit.name == service)
                && let Some(exit) = self.exits.remove(index)
            {
                reached(exit.name.clone(), "ended", exit.unreached.clone())?;
                return Ok(exit);
            }
            if let Tell::Exited(exit) = self.receive().await? {
                self.exits.push_back(exit);
            }
        }
    }

    /// Waits for a service to end. Safe to drop.
    ///
    /// # Errors
    /// Where the supervisor is gone.
    pub async fn exited(&mut self) -> Result<Exited, SupervisorError> {
        loop {
            if let Some(exit) = self.exits.pop_front() {
                reached(exit.name.clone(), "ended", exit.unreached.clone())?;
                return Ok(exit);
            }
            if let Tell::Exited(exit) = self.receive().await? {
                self.exits.push_back(exit);
            }
        }
    }

    /// Ends every service and the supervisor, and gives what could not be removed.
    ///
    /// # Errors
    /// Where the supervisor is gone, or does not end: then it is killed, and what its services started may be left.
    pub async fn stop(mut self, keep_folder: bool) -> Result<Vec<String>, SupervisorError> {
        let patience = self.grace.saturating_add(SPARE).saturating_add(self.owed.values().sum());
        let stopped = async {
            self.send(&Ask::Stop { keep_folder }).await?;
            loop {
                if let Tell::Stopped { left } = self.receive().await? {
                    return Ok(left);
                }
            }
        };
        let late = |_| Err(SupervisorError::Gone(io::ErrorKind::TimedOut.into()));
        let left = tokio::time::timeout(patience, stopped).await.unwrap_or_else(late);
        drop(self.ask);
        if left.is_err() || tokio::time::timeout(SPARE, self.process.wait()).await.is_err() {
            // Its services go with it, by the kernel's hand.
            let _ = self.process.start_kill();
            let _ = tokio::time::timeout(SPARE, self.process.wait()).await;
        }
        left
    }

    async fn send(&mut self, ask: &Ask) -> Result<(), SupervisorError> {
        let mut line = serde_json::to_vec(ask).map_err(|error| SupervisorError::Gone(error.into()))?;
        line.push(b'\n');
        self.unsent.append(&mut line);
        while !self.unsent.is_empty() {
            write(&mut self.ask, &mut self.unsent).await?;
        }
        Ok(())
    }

    /// The next thing that it tells, but for what others wait for. Safe to drop.
    async fn receive(&mut self) -> Result<Tell, SupervisorError> {
        loop {
            let is_sending = !self.unsent.is_empty();
            let line = tokio::select! {
                biased;
                Some((mut errand, to)) = self.asked.1.recv() => {
                    // Two may be asked for at once that have one name.
                    self.numbered += 1;
                    errand.program.name = format!("{}.{}", errand.program.name, self.numbered);
                    self.errands.insert(errand.program.name.clone(), to);
                    let mut line =
                        serde_json::to_vec(&Ask::Run(errand)).map_err(|error| SupervisorError::Gone(error.into()))?;
                    line.push(b'\n');
                    self.unsent.append(&mut line);
                    continue;
                }
                line = self.tell.next_line() => line,
                written = write(&mut self.ask, &mut self.unsent), if is_sending => {
                    written?;
                    continue;
                }
            };
            let line = line.map_err(SupervisorError::Gone)?;
            let line = line.ok_or_else(|| SupervisorError::Gone(io::ErrorKind::UnexpectedEof.into()))?;
            match serde_json::from_str(&line).map_err(|error| SupervisorError::Gone(error.into()))? {
                Tell::Ran(ran) => match self.errands.remove(&ran.name) {
                    // Whoever asked may not want to know any more.
                    Some(to) => drop(to.send(ran)),
                    None => return Ok(Tell::Ran(ran)),
                },
                tell => return Ok(tell),
            }
        }
    }
}

/// Writes some of what is on its way. Safe to drop: what was written is known to be.
async fn write(to: &mut ChildStdin, unsent: &mut Vec<u8>) -> Result<(), SupervisorError> {
    match to.write(unsent).await.map_err(SupervisorError::Gone)? {
        0 => Err(SupervisorError::Gone(io::ErrorKind::WriteZero.into())),
        written => {
            unsent.drain(..written);
            Ok(())
        }
    }
}

fn reached(service: String, what: &'static str, processes: Vec<String>) -> Result<(), SupervisorError> {
    if processes.is_empty() { Ok(()) } else { Err(SupervisorError::Unreached { service, what, processes }) }
}
