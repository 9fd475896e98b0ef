//! Where a system runs. Today: [`local`], real processes on this machine.

pub mod calibrate;
pub mod keeper;
pub mod local;
mod ports;
mod turn;
