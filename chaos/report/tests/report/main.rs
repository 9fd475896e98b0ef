//! Reports of runs that never happened: what people read, and what programs read.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod against;
mod annotations;
mod columns;
mod compare;
mod hostile;
mod json;
mod made_up;
mod metrics;
mod reports;
mod results;
mod summary;
mod terminal;
mod trace;
