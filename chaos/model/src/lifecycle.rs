//! The lifecycle of a service's program: how long it may take to be ready, and how it is asked to end.

use std::{fmt, time::Duration};

/// Rules of a service's start and end. Where one is not given, the world's own holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// Time from its start in which it has to be ready.
    pub start_timeout: Option<Duration>,
    /// Signal that asks it to end; SIGTERM, or what its image says.
    pub stop_signal: Option<StopSignal>,
    /// Time that it has to end then, before SIGKILL.
    pub stop_grace: Option<Duration>,
}

impl Lifecycle {
    /// Time that a service has to end where it doesn't say.
    pub const GRACE: Duration = Duration::from_secs(3);

    /// The signal that asks a process to end.
    #[must_use]
    pub fn stop_signal(&self) -> StopSignal {
        self.stop_signal.unwrap_or(StopSignal::Term)
    }

    /// Time that it has to end, before SIGKILL.
    #[must_use]
    pub fn stop_grace(&self) -> Duration {
        self.stop_grace.unwrap_or(Self::GRACE)
    }
}

/// A signal by which programs are asked to end (signal(7)): those that servers are known to take for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: what nearly all take.
    Term,
    /// SIGINT: `PostgreSQL`'s fast shutdown; what Ctrl-C sends.
    Int,
    /// SIGQUIT: nginx's graceful shutdown.
    Quit,
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGWINCH: Apache's graceful shutdown.
    Winch,
}

impl StopSignal {
    /// All of them, in the order in which people are told of them.
    pub const ALL: [Self; 7] = [Self::Term, Self::Int, Self::Quit, Self::Hup, Self::Usr1, Self::Usr2, Self::Winch];

    /// The name, as Compose and Docker know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Hup => "SIGHUP",
            Self::Usr1 => "SIGUSR1",
            Self::Usr2 => "SIGUSR2",
            Self::Winch => "SIGWINCH",
        }
    }
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
