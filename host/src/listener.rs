use crate::Stream;
use futures_util::future::BoxFuture;
use std::{fmt, io, sync::Arc};

/// The mode of a listener: how it meets those who connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ListenMode {
    /// Connections are taken.
    #[default]
    Accept,
    /// Refuses, as when the program is gone: new connections get `ConnectionRefused`, and those that were not yet
    /// accepted are reset. The port stays bound.
    Refuse,
    /// Connecting completes, but nobody ever takes the connection; those are taken after a return to `Accept`.
    Hang,
    /// Connecting doesn't complete either, as when packets vanish. A pending connect goes through at the client's next
    /// SYN after a return to `Accept` (Linux since 6.5 sends them after 1, 2, 3, 4, 5, 7, 11, 19, 35 and 67 s, before
    /// that after 1, 3, 7, 15, 31 and 63 s).
    Blackhole,
}

/// Attempts to connect that a listener did not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TurnedAway {
    /// Attempts answered with a reset while [`ListenMode::Refuse`] held. On TCP the kernel doesn't count these by
    /// socket: they are the machine's resets in that time, so an upper bound if others are at work.
    pub refused: u64,
    /// Attempts to connect (SYNs, resent ones too) that were dropped while [`ListenMode::Blackhole`] held.
    pub dropped: u64,
}

/// Switch of a listener's mode; the accept loop may be busy or idle meanwhile.
pub trait ListenSwitch: Send + Sync {
    /// Switches. When it returns, the new mode holds. Without effect once the listener is gone.
    ///
    /// # Errors
    /// Whatever the operating system says; the mode is then as it was.
    fn set(&self, mode: ListenMode) -> io::Result<()>;

    /// Attempts that were turned away so far, while this listener lived.
    fn turned_away(&self) -> TurnedAway;
}

/// Listener of a network, from its inside.
pub trait Accept: Send {
    /// The next connection. Safe to drop at any time: no connection is lost by it.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Stream>>;

    /// The port that it listens on.
    fn port(&self) -> u16;

    /// The switch of this listener.
    fn control(&self) -> Arc<dyn ListenSwitch>;
}

/// Takes connections on one port. Dropping it frees the port.
pub struct Listener(Box<dyn Accept>);

impl Listener {
    /// Wraps what a network made.
    pub fn new(accept: impl Accept + 'static) -> Self {
        Self(Box::new(accept))
    }

    /// The next connection. Safe to drop at any time.
    ///
    /// # Errors
    /// `QuotaExceeded` where a connection was reset at once, since the descriptors that are left are set apart: go on. All
    /// others where the machine runs out of descriptors or memory: wait a moment, then go on.
    pub async fn accept(&mut self) -> io::Result<Stream> {
        self.0.accept().await
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The switch of this listener, to be used from anywhere.
    #[must_use]
    pub fn control(&self) -> Arc<dyn ListenSwitch> {
        self.0.control()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({})", self.port())
    }
}
