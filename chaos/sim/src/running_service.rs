//! A service: a program on a host of its own, which starts, stops, crashes and freezes as a process does.

use crate::{logs::Logs, programs::Outcome, trace::Tracer};
use chaos_run::{Exit, InstanceId};
use futures_util::future::BoxFuture;
use host::{Host, Settings, Task, TaskGroup, memory::MemoryNetwork};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc::UnboundedSender, time::timeout};
use tracing::instrument::WithSubscriber as _;

/// The launch of a service, the same each time.
#[derive(Clone)]
pub(crate) struct Launch {
    pub(crate) name: String,
    /// The program, for people.
    pub(crate) program: String,
    pub(crate) run: Arc<dyn Fn(Host) -> BoxFuture<'static, Outcome> + Send + Sync>,
    pub(crate) settings: Settings,
}

/// A service that was started.
pub(crate) struct RunningService {
    id: InstanceId,
    launch: Launch,
    /// The number of its start. Exits of earlier ones are no news.
    start: u64,
    running: Option<Running>,
}

struct Running {
    host: Host,
    tasks: TaskGroup,
    /// None once somebody waits for it to end.
    program: Option<Task<()>>,
    is_over: bool,
}

impl RunningService {
    /// A service that doesn't run yet.
    pub(crate) fn new(id: InstanceId, launch: Launch) -> Self {
        Self { id, launch, start: 0, running: None }
    }

    /// Starts the program on a new host of this name: it knows nothing of an earlier one. How it ends, where it ends by
    /// itself, goes to `exits`; `watcher` is a host that outlives the service. One that was started and not ended stays
    /// as it is: a second one would find its ports taken.
    pub(crate) fn start(
        &mut self,
        network: &MemoryNetwork,
        watcher: &Host,
        (logs, tracer): (&Logs, Option<&Tracer>),
        exits: UnboundedSender<Exit>,
    ) {
        if self.running.is_some() {
            return;
        }
        self.start += 1;
        let (host, tasks) = network.node(&self.launch.name, self.launch.settings.clone());
        let (result, ended) = tokio::sync::oneshot::channel();
        let run = (self.launch.run)(host.clone()).with_subscriber(logs.dispatch(&host, tracer));
        let program = host.spawn(async move {
            // Nobody waits for a service that was crashed.
            let _ = result.send(run.await);
        });
        let (instance, start) = (self.id.clone(), self.start);
        drop(watcher.spawn(async move {
            let how = match ended.await {
                Ok(Ok(())) => "it returned".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it panicked".to_owned(),
            };
            // The world has gone.
            let _ = exits.send(Exit { instance, start, how, killed_after: None });
        }));
        self.running = Some(Running { host, tasks, program: Some(program), is_over: false });
    }

    /// The program that runs there.
    pub(crate) fn program(&self) -> &str {
        &self.launch.program
    }

    /// True where this is news: an exit of what runs now.
    pub(crate) fn is_news(&self, exit: &Exit) -> bool {
        self.running.as_ref().is_some_and(|running| !running.is_over) && self.start == exit.start
    }

    /// Ends it as SIGTERM does, and SIGKILL where that doesn't end it in this time. When it returns, ports and connections are gone.
    pub(crate) async fn stop(&mut self, grace: Duration) {
        let Some(running) = &mut self.running else { return };
        running.host.shutdown().cancel();
        if let Some(program) = &mut running.program {
            // Whether it ended, was stopped or takes too long: it is gone afterwards.
            let _ = timeout(grace, program).await;
        }
        self.kill().await;
    }

    /// Begins to end it in the same way, and doesn't wait. That it has ended goes to `exits`, and ports and connections are
    /// gone then.
    pub(crate) fn terminate(&mut self, grace: Duration, watcher: &Host, exits: UnboundedSender<Exit>) {
        let Some(running) = &mut self.running else { return };
        let Some(program) = running.program.take() else { return };
        running.host.shutdown().cancel();
        // What the watcher of its start tells is no news from here on.
        self.start += 1;
        let (instance, start, tasks) = (self.id.clone(), self.start, running.tasks.clone());
        drop(watcher.spawn(async move {
            let is_late = timeout(grace, program).await.is_err();
            crash(&tasks).await;
            let how = if is_late { "it did not end by itself" } else { "it was asked to end" }.to_owned();
            // The world has gone.
            let _ = exits.send(Exit { instance, start, how, killed_after: is_late.then_some(grace) });
        }));
    }

    /// Takes note of an exit that is news. What the program has left behind on its host stays until it is ended.
    pub(crate) fn has_exited(&mut self) {
        self.running.iter_mut().for_each(|running| running.is_over = true);
    }

    /// True where the program has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_over)
    }

    /// Ends it as SIGKILL does. When it returns, ports and connections are gone.
    pub(crate) async fn kill(&mut self) {
        let Some(running) = self.running.take() else { return };
        crash(&running.tasks).await;
    }

    /// Freezes it as SIGSTOP does; says whether there was anything to freeze.
    #[must_use]
    pub(crate) fn freeze(&self) -> bool {
        self.running.iter().for_each(|running| running.tasks.freeze());
        self.running.is_some()
    }

    /// Lets it go on, as SIGCONT does.
    pub(crate) fn thaw(&self) {
        self.running.iter().for_each(|running| running.tasks.thaw());
    }
}

/// Ends all tasks of a host. When it returns, they are gone.
async fn crash(tasks: &TaskGroup) {
    tasks.crash();
    while tasks.running() > 0 {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Programs, block_on};
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn what_runs_is_not_started_again_and_what_does_not_is_not_frozen() {
        let programs = Programs::new().with("shop", async |host: Host| {
            let _port = host.listen(80)?;
            host.shutdown().cancelled().await;
            Ok(())
        });
        block_on(async move {
            let (network, logs) = (MemoryNetwork::new(1), Logs::default());
            let (watcher, (exits, mut ended)) = (network.host("client"), unbounded_channel());
            let run = programs.find("shop").unwrap();
            let launch =
                Launch { name: "shop".to_owned(), program: "shop".to_owned(), run, settings: Settings::default() };
            let mut service = RunningService::new(InstanceId::first("shop"), launch);
            assert!(!service.freeze());
            for _ in 0..2 {
                service.start(&network, &watcher, (&logs, None), exits.clone());
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert!(ended.try_recv().is_err());
            }
            assert!(service.freeze());
            service.kill().await;
            assert!(!service.freeze());
        })
        .unwrap();
    }
}
