//! The programs of a simulation, by name: functions of a [`Host`].

use futures_util::future::BoxFuture;
use host::Host;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The error of a program that can't go on.
pub type ProgramError = Box<dyn std::error::Error + Send + Sync>;

/// The result of a program: it ends when it is asked to, or says why it can't go on.
pub type Outcome = Result<(), ProgramError>;

type Run = dyn Fn(Host) -> BoxFuture<'static, Outcome> + Send + Sync;

/// The programs that services can run, by the name that a scenario's system gives them.
#[derive(Clone, Default)]
pub struct Programs(BTreeMap<String, Arc<Run>>);

impl Programs {
    /// No programs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program. It is called anew for each start of a service, with a host whose settings are the service's,
    /// `PORT` (on which it is to listen) among them. It returns when [`Host::shutdown`] was cancelled and its work is
    /// done.
    #[must_use]
    pub fn with<F, R>(mut self, name: &str, run: F) -> Self
    where
        F: Fn(Host) -> R + Send + Sync + 'static,
        R: Future<Output = Outcome> + Send + 'static,
    {
        self.0.insert(name.to_owned(), Arc::new(move |host| Box::pin(run(host))));
        self
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn find(&self, name: &str) -> Option<Arc<Run>> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
