//! Several runs at a glance: a folder of scenarios, the guards that were proven, the controls, one scenario in several
//! worlds.

mod compare;
mod controls;
mod guards;
mod runs;

pub use compare::{ComparisonResult, Difference, Expectations, Weight, comparisons};
pub use controls::{Compared, ControlResult, Untold, Went, controls};
pub use guards::{GuardResult, guards};
pub use runs::{RunResult, runs};
