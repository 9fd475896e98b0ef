//! The `chaos` command as people use it: real processes, real sockets, its output and its exit codes.

mod attach;
mod calibrate;
mod compare;
mod control;
mod exit_codes;
mod grafana;
mod heal;
mod killed;
mod ledger;
mod metrics;
mod node_faults;
mod options;
mod prove;
mod reading;
mod serve;
mod shipped;
mod simulated;
mod support;
mod trace;
mod turns;
