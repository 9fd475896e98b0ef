//! Where a system runs: [`local`], real processes on this machine, [`docker`], containers, and [`attach`], a system that runs
//! already. [`heal`] finds what killed runs left on this machine, [`reach`] says what is local.

pub mod attach;
#[cfg(feature = "docker")]
mod broken;
pub mod calibrate;
#[cfg(feature = "docker")]
pub mod docker;
#[cfg(feature = "docker")]
mod engine;
pub mod heal;
pub mod keeper;
mod kept;
mod links;
pub mod local;
mod logs;
mod mark;
mod ports;
mod process;
pub mod proxies;
pub mod reach;
#[cfg(feature = "docker")]
mod relayed;
mod run_folder;
mod turn;
