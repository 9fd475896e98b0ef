//! Several runs at a glance: a folder of scenarios, and the guards that were proven.

mod guards;
mod runs;

pub use guards::{GuardResult, guards};
pub use runs::{RunResult, runs};
