//! Folds over the events of a run: to a terminal, to JSON lines, to Prometheus metrics, to annotations, to one outcome,
//! to the summary of many.
//!
//! Nothing here knows a clock, a file or whether it writes to a screen: what it needs is in the events, in a [`Style`],
//! and in the writer that is handed in. So a recorded run is reported like one that happens now.

mod again;
pub mod against;
pub mod annotations;
pub mod calibration;
pub mod doctor;
pub mod failures;
pub mod github;
pub mod json;
pub mod metrics;
pub mod outcome;
mod progress;
pub mod reports;
pub mod results;
mod sentence;
mod series;
pub mod style;
pub mod summary;
pub mod terminal;
mod text;
pub mod trace;
mod words;

pub use metrics::Metrics;
pub use outcome::Outcome;
pub use style::Style;
pub use summary::{ComparisonResult, ControlResult, GuardResult, RunResult};
pub use terminal::Terminal;
pub use trace::{Trace, TraceStep};
pub use words::fault;
