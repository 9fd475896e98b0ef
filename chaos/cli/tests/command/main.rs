//! The `chaos` command as people use it: real processes, real sockets, its output and its exit codes.

mod calibrate;
mod exit_codes;
mod killed;
mod options;
mod prove;
mod reading;
mod serve;
mod shipped;
mod support;
mod turns;
