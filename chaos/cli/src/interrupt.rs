//! Interrupts: the first Ctrl-C, SIGTERM or SIGHUP ends a run in good order; the second ends the process at once, and
//! the supervisor tidies.

use host::Host;
use std::io;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Tells of the signals that end a run. All clones tell the same.
#[derive(Clone)]
pub(crate) struct Interrupts(watch::Receiver<Option<&'static str>>);

/// The exit code that a shell expects of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

impl Interrupts {
    /// Listens from now on.
    pub(crate) fn listen(host: &Host) -> io::Result<Self> {
        let (int, term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        // Asked before there is a handler, which is there in any case: what a run starts would inherit that it is ignored.
        let outlives_its_terminal = hangup_is_ignored();
        let hangup = signal(SignalKind::hangup())?;
        #[expect(clippy::disallowed_methods, reason = "the order in which an interrupt is noticed is nowhere seen")]
        let (sender, receiver) = watch::channel(None);
        drop(host.spawn(forward(int, term, (hangup, outlives_its_terminal), sender)));
        Ok(Self(receiver))
    }

    /// Waits for the first signal, and gives its name.
    pub(crate) async fn first(mut self) -> String {
        let name = self.0.wait_for(Option::is_some).await.map(|name| name.unwrap_or_default().to_owned());
        match name {
            Ok(name) => name,
            // Nobody listens any more: the process is ending.
            Err(_) => std::future::pending().await,
        }
    }

    /// Tells if there was one.
    pub(crate) fn came(&self) -> bool {
        self.0.borrow().is_some()
    }
}

async fn forward(
    mut int: Signal,
    mut term: Signal,
    (mut hangup, outlives_its_terminal): (Signal, bool),
    sender: watch::Sender<Option<&'static str>>,
) {
    loop {
        let name = tokio::select! {
            biased;
            _ = int.recv() => "SIGINT",
            _ = term.recv() => "SIGTERM",
            _ = hangup.recv() => "SIGHUP",
        };
        if name == "SIGHUP" && outlives_its_terminal {
            eprintln!("SIGHUP: the terminal is gone, and the run goes on, as it was started to ignore that");
            continue;
        }
        if sender.borrow().is_some() {
            std::process::exit(INTERRUPTED);
        }
        sender.send_replace(Some(name));
    }
}

/// Under nohup a process is to outlive its terminal: bit 0 of `SigIgn` (proc(5)) is SIGHUP's.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & 1 == 1)
}
