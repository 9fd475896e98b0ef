//! Worlds, where a system runs: [`local`], real processes on this machine, [`docker`], containers, and [`attach`], a
//! system that runs already. [`compose`] is the world `docker` for a Compose file. Each is a runtime, made into a world with
//! links.

pub mod attach;
#[cfg(feature = "docker")]
pub mod compose;
#[cfg(feature = "docker")]
pub mod docker;
pub mod local;
mod offers;
mod others;
mod ports;
mod redis_server;
#[cfg(feature = "tls")]
mod tls;
#[cfg(not(feature = "tls"))]
#[path = "without_tls.rs"]
mod tls;

pub use offers::OFFERS;
pub use others::Others;

use chaos_run::WorldError;
use chaos_supervise::SupervisionError;

/// The error of a run whose supervision failed.
fn supervised(error: impl Into<SupervisionError>) -> WorldError {
    match error.into() {
        SupervisionError::Machine { what, source } => WorldError::Machine { what, source },
        SupervisionError::Failed(source) => {
            WorldError::Machine { what: "the supervisor of this run failed".to_owned(), source }
        }
        SupervisionError::NotLaunched { service, why } => WorldError::NotStarted { service, why },
        error @ (SupervisionError::Unreached(_) | SupervisionError::Gone) => WorldError::CannotGive(error.to_string()),
    }
}
