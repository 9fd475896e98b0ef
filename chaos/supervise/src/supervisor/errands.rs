//! The errands of a run: commands that are run to their ends on behalf of services, beside their programs.
//!
//! They are children of the supervisor as services are, so that they end with the run however it ends. What comes after the end
//! of a service is told to the supervisor beforehand: it runs that too where the runner is gone.

use super::{
    SupervisorProgram,
    launch::start,
    members::Marks,
    protocol::{Errand, Ran},
    reach::{Goal, Reach},
};
use crate::logs;
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    time::{Instant, timeout_at},
};

/// Status with which a command ends that has done what it was for.
const WELL: &str = "exit status: 0";

/// The errands that run, by name, and those that are due at the end.
#[derive(Debug, Default)]
pub(super) struct Errands {
    running: BTreeMap<String, (Errand, Instant)>,
    /// Those after the ends of services, by service in the order in which these were started.
    due: Vec<(String, Vec<Errand>)>,
}

impl Errands {
    /// Starts one. Its end comes through `ends`; where it can't be started, that is told at once.
    pub(super) fn begin(
        &mut self,
        errand: Errand,
        (program, reach): (&SupervisorProgram, &mut Reach),
        ends: &UnboundedSender<(String, String)>,
    ) -> Option<Ran> {
        let name = errand.program.name.clone();
        let (mut child, pid) = match start(program, &errand.program, None) {
            Ok(started) => started,
            Err(error) => return Some(ran(&errand, format!("can't be started: {error}"), false)),
        };
        reach.marks.insert(name.clone(), Marks { main: pid, group: None, log: errand.program.log.clone() });
        let deadline = Instant::now() + Duration::from_millis(errand.limit_ms);
        self.running.insert(name.clone(), (errand, deadline));
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
        None
    }

    /// Takes note of the end of a process, if it is that of an errand.
    pub(super) fn ended(&mut self, name: &str, how: &str, reach: &mut Reach) -> Option<Ran> {
        let (errand, _) = self.running.remove(name)?;
        // What it has left running ends with the run.
        reach.marks.remove(name);
        Some(ran(&errand, format!("ended with {how}"), how == WELL))
    }

    /// The moment at which the first of them is late.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.running.values().map(|(_, deadline)| *deadline).min()
    }

    /// Ends those that are late, and tells of them.
    pub(super) async fn end_late(&mut self, reach: &mut Reach) -> Vec<Ran> {
        let now = Instant::now();
        let late: Vec<String> =
            self.running.iter().filter(|(_, (_, deadline))| *deadline <= now).map(|(name, _)| name.clone()).collect();
        let mut told = Vec::new();
        for name in late {
            // Where it does not go, it is there still when the run ends, and is told of then.
            let _ = reach.bring(&name, Goal::Gone).await;
            if let Some((errand, _)) = self.running.remove(&name) {
                told.push(ran(&errand, late_words(errand.limit_ms), false));
            }
        }
        told
    }

    /// Keeps what is to be run after the end of a service.
    pub(super) fn owe(&mut self, service: String, errands: Vec<Errand>) {
        self.due.retain(|(name, _)| *name != service);
        self.due.push((service, errands));
    }

    /// Runs all that is due: that of services that were started last first. All services have ended. Gives what failed, in words.
    pub(super) async fn run_due(
        &mut self,
        (program, reach): (&SupervisorProgram, &mut Reach),
        ends: &UnboundedSender<(String, String)>,
        ended: &mut UnboundedReceiver<(String, String)>,
    ) -> Vec<String> {
        let mut failed = Vec::new();
        self.running.clear();
        while let Some((service, errands)) = self.due.pop() {
            for errand in errands {
                let name = errand.program.name.clone();
                let told = match self.begin(errand, (program, &mut *reach), ends) {
                    Some(told) => told,
                    None => self.until_ended(&name, &mut *reach, ended).await,
                };
                failed.extend((!told.is_well).then(|| words(&service, &told)));
            }
        }
        failed
    }

    /// Waits for an errand that was just started.
    async fn until_ended(
        &mut self,
        name: &str,
        reach: &mut Reach,
        ended: &mut UnboundedReceiver<(String, String)>,
    ) -> Ran {
        loop {
            let deadline = self.next_look().unwrap_or_else(Instant::now);
            match timeout_at(deadline, ended.recv()).await {
                // Of a service, or of an errand before: they were ended.
                Ok(Some((other, _))) if other != name => {}
                Ok(Some((_, how))) => {
                    if let Some(told) = self.ended(name, &how, reach) {
                        return told;
                    }
                }
                Ok(None) | Err(_) => {
                    let told = self.end_late(reach).await.into_iter().next();
                    return told.unwrap_or_else(|| Ran {
                        name: name.to_owned(),
                        command: name.to_owned(),
                        how: "was lost".to_owned(),
                        is_well: false,
                        last_lines: Vec::new(),
                    });
                }
            }
        }
    }
}

/// The end of an errand, with the last lines of its output where it failed.
fn ran(errand: &Errand, how: String, is_well: bool) -> Ran {
    let program = &errand.program;
    let last_lines = if is_well { Vec::new() } else { logs::last_lines(&program.log) };
    Ran { name: program.name.clone(), command: program.command.join(" "), how, is_well, last_lines }
}

fn late_words(limit_ms: u64) -> String {
    let (seconds, rest) = (limit_ms / 1000, limit_ms % 1000);
    let limit = if rest == 0 { format!("{seconds}s") } else { format!("{limit_ms}ms") };
    format!("had not ended after {limit} and was killed")
}

/// A command after the end of a service that failed, in words: what it was to remove may be there still.
fn words(service: &str, ran: &Ran) -> String {
    let mut words = format!("what the teardown of {service} removes: `{}` {}", ran.command, ran.how);
    let lines: Vec<&str> = ran.last_lines.iter().map(|line| line.trim()).collect();
    if !lines.is_empty() {
        words.push_str(&format!(", and said: {}", lines.join("; ")));
    }
    // It is told in one line, whatever the command said.
    words.replace(char::is_control, " ")
}
