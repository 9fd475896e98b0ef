//! Where a system runs. Today: [`local`], real processes on this machine. [`heal`] finds what killed runs left there.

pub mod calibrate;
pub mod heal;
pub mod keeper;
pub mod local;
mod mark;
mod ports;
mod process;
mod run_folder;
mod turn;
