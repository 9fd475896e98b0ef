//! Exits of instances, in the order in which they were noticed.

use super::InstanceId;
use std::{collections::VecDeque, time::Duration};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The end of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The instance that ended.
    pub instance: InstanceId,
    /// Number of the start that it ended, for runtimes that count them.
    pub start: u64,
    /// The way it ended, as `exit code 137`.
    pub how: String,
    /// The time after which it was killed, where it was asked to end and did not.
    pub killed_after: Option<Duration>,
}

/// A queue of exits, for runtimes that watch each instance by a task of its own.
#[derive(Debug)]
pub struct Exits {
    sender: UnboundedSender<Exit>,
    receiver: UnboundedReceiver<Exit>,
    /// Exits that were told while something else was waited for.
    passed_over: VecDeque<Exit>,
}

impl Default for Exits {
    fn default() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { sender, receiver, passed_over: VecDeque::new() }
    }
}

impl Exits {
    /// The end of the queue that those who watch write to. They may outlive it.
    #[must_use]
    pub fn sender(&self) -> UnboundedSender<Exit> {
        self.sender.clone()
    }

    /// Waits for the next, which stays the next until it is taken. Safe to drop.
    pub async fn next(&mut self) -> Exit {
        if self.passed_over.is_empty()
            && let Some(exit) = self.receiver.recv().await
        {
            self.passed_over.push_back(exit);
        }
        match self.passed_over.front() {
            Some(exit) => exit.clone(),
            // Never: this holds a sender.
            None => std::future::pending().await,
        }
    }

    /// Takes what [`Exits::next`] gave.
    pub fn take(&mut self) {
        self.passed_over.pop_front();
    }

    /// Waits until this instance has ended, and takes that. Safe to drop.
    pub async fn of(&mut self, instance: &InstanceId) -> Exit {
        loop {
            if let Some(index) = self.passed_over.iter().position(|exit| exit.instance == *instance)
                && let Some(exit) = self.passed_over.remove(index)
            {
                return exit;
            }
            if let Some(exit) = self.receiver.recv().await {
                self.passed_over.push_back(exit);
            }
        }
    }
}
