//! The simulated world: every program of a system, its proxies, its load and its scrapes in one thread, on a network in
//! memory and a virtual clock. Nothing waits for real, and the same seed gives the same events, byte for byte.
//!
//! What runs here is what runs elsewhere: programs are functions of a [`host::Host`], the proxies and the interpreter of
//! faults are those of the real worlds. The simulation counts in whole milliseconds.

mod logs;
mod node;
mod programs;
mod runtime;
mod world;

pub use logs::Logs;
pub use programs::{Outcome, ProgramError, Programs};
pub use runtime::block_on;
pub use world::SimWorld;
