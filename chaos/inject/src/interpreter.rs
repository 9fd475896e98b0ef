//! The interpreter: which faults act on a connection, and what they do to it.
//!
//! Pure and synchronous: it knows no clock and no socket. Times are counted by the caller, from whatever moment it
//! likes. A [`Plan`] says what holds for one connection until the faults change; then the caller asks for a new one.
//!
//! Several faults on one link: delays add up (of chunks, of the first bytes, of the end), the lowest rate holds, pieces
//! are the smallest with the longest gap, holding wins over delays, a reset wins over all.
//!
//! `refuse` and `blackhole` are answers of the listener where they are for all ([`Interpreter::listen_mode`]). With a share
//! below 100 % the listener has to accept, since it can't tell connections apart: then those that the draw takes are
//! reset as soon as they are accepted (`refuse`), or accepted and held (`blackhole`).

mod messages;
mod plan;

pub(crate) use messages::Decider;
pub(crate) use plan::{Acts, Plan};

use crate::active::{Active, Connection};
use chaos_model::Nonce;
use host::ListenMode;
use std::sync::Arc;

/// The faults that are on a link.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interpreter {
    /// In the order in which they were applied.
    pub(crate) faults: Vec<Arc<Active>>,
    /// The nonce of the run whose faults they are; none where nobody said.
    pub(crate) nonce: Option<Nonce>,
}

impl Interpreter {
    /// The interpreter of these faults, for tests.
    #[cfg(test)]
    pub(crate) fn of(faults: Vec<Arc<Active>>) -> Self {
        Self { faults, nonce: None }
    }

    /// The way in which the listener treats new connections. `refuse` wins over `blackhole`, as resets win over
    /// holding.
    pub(crate) fn listen_mode(&self) -> ListenMode {
        let any = |mode| self.faults.iter().any(|fault| fault.listen_mode() == mode);
        [ListenMode::Refuse, ListenMode::Blackhole].into_iter().find(|mode| any(*mode)).unwrap_or_default()
    }

    /// Plans what these faults do to a connection. Asked when it is accepted, and again whenever the faults change.
    pub(crate) fn on_connection(&self, connection: Connection) -> Plan {
        Plan::new(connection, self.faults.iter().filter(|fault| fault.meets(connection)).cloned().collect())
    }
}

#[cfg(test)]
mod tests;
