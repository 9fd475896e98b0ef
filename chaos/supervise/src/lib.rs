//! Supervision: what a run makes on a machine ends with it, whoever is killed.
//!
//! - [`supervisor`], a process of its own, is the parent of a run's services. It ends them when its runner's pipe closes.
//! - A [`RunLabel`] is on all that a run starts, in environments and on containers, so that it is known whose it is.
//! - [`cleanup`] finds what is left of runs whose runner and supervisor were killed both, and removes it.
//! - [`RunLock`] lets runs on one machine follow one another.
//!
//! It knows neither scenarios nor worlds: whoever makes things on a machine hands in the supervisor's program, and tells
//! what it is about to make before it makes it.

mod adoption;
#[cfg(feature = "docker")]
pub mod broken;
pub mod cgroup;
pub mod cleanup;
#[cfg(feature = "docker")]
pub mod engine;
pub mod logs;
mod process;
mod run_folder;
mod run_label;
mod run_lock;
mod supervision;
pub mod supervisor;

pub use adoption::adopt_orphans;
pub use run_label::RunLabel;
pub use run_lock::RunLock;
pub use supervision::{Leftovers, Supervision, SupervisionError};
