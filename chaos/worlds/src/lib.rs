//! Where a system runs: [`local`], real processes on this machine, and [`attach`], a system that runs already. [`heal`] finds
//! what killed runs left on this machine, [`reach`] says what is local.

pub mod attach;
pub mod calibrate;
pub mod heal;
pub mod keeper;
pub mod local;
mod mark;
mod ports;
mod process;
pub mod proxies;
pub mod reach;
mod run_folder;
mod turn;
