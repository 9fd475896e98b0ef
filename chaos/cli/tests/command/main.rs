//! The `chaos` command as people use it: real processes, real sockets, its output and its exit codes.

mod exit_codes;
mod killed;
mod prove;
mod shipped;
mod support;
