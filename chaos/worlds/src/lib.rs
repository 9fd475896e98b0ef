//! Worlds, where a system runs: [`local`], real processes on this machine, [`docker`], containers, and [`attach`], a
//! system that runs already. [`cleanup`] finds what killed runs left on this machine, [`reach`] says what is local.

pub mod attach;
#[cfg(feature = "docker")]
mod broken;
pub mod calibrate;
pub mod cleanup;
#[cfg(feature = "docker")]
pub mod docker;
#[cfg(feature = "docker")]
mod engine;
mod links;
pub mod local;
mod logs;
mod ports;
mod process;
pub mod proxies;
pub mod reach;
#[cfg(feature = "docker")]
mod relayed;
mod run_folder;
mod run_label;
mod run_lock;
mod supervision;
pub mod supervisor;
