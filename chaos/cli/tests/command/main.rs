//! The `chaos` command as people use it: real processes, real sockets, its output and its exit codes.

mod attach;
mod calibrate;
mod cleanup;
mod compare;
mod control;
mod exit_codes;
mod grafana;
mod killed;
mod ledger;
mod metrics;
mod options;
mod process_trees;
mod prove;
mod reading;
mod recording;
mod redis_login;
mod report;
mod results;
mod run_lock;
mod serve;
mod service_faults;
mod several_links;
mod shipped;
mod simulated;
mod support;
mod trace;
