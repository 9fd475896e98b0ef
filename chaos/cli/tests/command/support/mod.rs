//! The command as a process, in a sandbox: a folder of its own for its files and its `TMPDIR`, in which it also runs, so
//! that every process that a run leaves behind is known by where it stands.

pub(crate) mod ask;
pub(crate) mod processes;
pub(crate) mod recorded;
pub(crate) mod scenarios;

use rustix::process::{Pid, Signal, kill_process};
use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::timeout,
};

/// No command takes so long, unless it hangs. Runs wait for all others on this machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// A folder for one test.
pub(crate) struct Sandbox {
    folder: TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("tmp")).expect("a folder for the runs");
        Self { folder }
    }

    /// The folder of scenarios, in which commands run.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder in which runs have theirs.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.path().join("tmp")
    }

    /// Writes a file, and gives its name as a command in here knows it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<str>) -> String {
        std::fs::write(self.path().join(name), text.as_ref()).expect("a file can be written");
        name.to_owned()
    }

    /// `chaos` with these arguments, apart by single spaces.
    pub(crate) fn chaos(&self, arguments: &str) -> Chaos {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chaos"));
        command.args(arguments.split(' ')).current_dir(self.path()).env("TMPDIR", self.tmp());
        // What was measured on this machine is no business of tests.
        command.env("XDG_STATE_HOME", self.path().join("state"));
        for name in ["NO_COLOR", "TERM", "COLUMNS", "RUST_LOG", "GITHUB_ACTIONS"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Chaos(command)
    }

    /// Leftovers of runs.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.tmp()).expect("the folder is there");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// Nothing is left of any run: no process, no file.
    pub(crate) fn assert_clean(&self) {
        assert_eq!(processes::within(self.path()), [], "processes are left");
        assert_eq!(self.left(), Vec::<PathBuf>::new(), "files are left");
    }
}

/// A command that is not started yet.
pub(crate) struct Chaos(Command);

impl Chaos {
    /// One more argument, whatever is in it.
    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.0.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// The same where its terminal may go, as under nohup.
    pub(crate) fn ignoring_hangups(self) -> Self {
        self.after("trap '' HUP")
    }

    /// The same with so many descriptors at most.
    pub(crate) fn with_descriptors(self, most: u32) -> Self {
        self.after(&format!("ulimit -n {most}"))
    }

    /// The same in a shell that has done this before.
    fn after(self, first: &str) -> Self {
        let plain = self.0.as_std();
        let mut command = Command::new("sh");
        let script = format!("{first}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(plain.get_program()).args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(plain.get_current_dir().expect("the sandbox"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self(command)
    }

    pub(crate) fn start(mut self) -> Running {
        handle_what_is_ignored();
        let mut child = self.0.spawn().expect("the command starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut err = child.stderr.take().expect("a pipe");
        #[expect(clippy::disallowed_methods, reason = "the test's own task, in no world")]
        let err = tokio::spawn(async move {
            let mut text = String::new();
            // What is no UTF-8 shows as missing.
            let _ = err.read_to_string(&mut text).await;
            text
        });
        Running { child, out, err, seen: String::new() }
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> Finished {
        self.start().finish().await
    }
}

/// Handles the signals that these tests were started to ignore (under nohup, or in the background): what is handled here is as
/// usual for those that are started, and what is ignored stays so (execve(2)).
fn handle_what_is_ignored() {
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("proc(5)");
    let ignored = u64::from_str_radix(ignored.trim(), 16).expect("a mask");
    for kind in [SignalKind::hangup(), SignalKind::interrupt(), SignalKind::quit(), SignalKind::terminate()] {
        if ignored >> (kind.as_raw_value() - 1) & 1 == 1 {
            drop(signal(kind).expect("it can be handled"));
        }
    }
}

/// A command that runs. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: JoinHandle<String>,
    seen: String,
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        let pid = self.child.id().expect("it has not ended");
        i32::try_from(pid).expect("a process id")
    }

    /// Waits for a line that contains `text`, and gives it.
    pub(crate) async fn line(&mut self, text: &str) -> String {
        loop {
            match self.next_line().await {
                Some(line) if line.contains(text) => return line,
                Some(_) => {}
                None => panic!("it ended before it said `{text}`:\n{}", self.seen),
            }
        }
    }

    async fn next_line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.out.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("it says nothing more:\n{}", self.seen)).expect("lines of text");
        if let Some(line) = &line {
            self.seen += line;
            self.seen.push('\n');
        }
        line
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).expect("a process id"), signal).expect("it is there");
    }

    /// Waits for its end.
    pub(crate) async fn finish(mut self) -> Finished {
        while self.next_line().await.is_some() {}
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("it can be waited for");
        let err = timeout(PATIENCE, self.err).await.expect("standard error ends").expect("the reader ends");
        Finished { code: status.code(), out: self.seen, err }
    }
}

/// A command that ended.
pub(crate) struct Finished {
    /// None where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn exited(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Asserts a text on standard output.
    #[track_caller]
    pub(crate) fn said(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "it did not say `{text}`:\n{self}");
        self
    }

    /// Asserts a text on standard error.
    #[track_caller]
    pub(crate) fn complained(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "it did not complain `{text}`:\n{self}");
        self
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}, standard output:\n{}\nstandard error:\n{}", self.code, self.out, self.err)
    }
}
