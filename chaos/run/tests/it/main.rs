//! Whole runs over the network in memory, on the paused clock: each kind of expectation where it holds, where it does
//! not, and where it can't be said.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod blame;
mod control;
mod doubts;
mod early;
mod expectations;
mod instances;
mod journeys;
mod ledger;
mod metrics;
mod phases;
mod pulses;
mod recorded;
mod recovery;
mod redis;
mod shown;
mod world;
