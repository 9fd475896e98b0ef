//! Interrupts: the first Ctrl-C or SIGTERM ends a run in good order; the second ends the process at once, and the keeper
//! tidies. SIGHUP is left as it came: under nohup it is ignored, else it ends the process, and the keeper tidies.

use host::Host;
use std::io;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Tells of the signals that end a run. All clones tell the same.
#[derive(Clone)]
pub(crate) struct Interrupts(watch::Receiver<Option<&'static str>>);

/// What a shell expects of a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

impl Interrupts {
    /// Listens from now on.
    pub(crate) fn listen(host: &Host) -> io::Result<Self> {
        let (int, term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(None);
        drop(host.spawn(forward([int, term], sender)));
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

    /// Whether there was one.
    pub(crate) fn came(&self) -> bool {
        self.0.borrow().is_some()
    }
}

async fn forward([mut int, mut term]: [Signal; 2], sender: watch::Sender<Option<&'static str>>) {
    loop {
        let name = tokio::select! {
            biased;
            _ = int.recv() => "SIGINT",
            _ = term.recv() => "SIGTERM",
        };
        if sender.borrow().is_some() {
            std::process::exit(INTERRUPTED);
        }
        sender.send_replace(Some(name));
    }
}
