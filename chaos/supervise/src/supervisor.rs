//! The supervisor: a process of its own that starts every service on the runner's behalf and outlives it by a moment.
//!
//! It is started first and holds a pipe from the runner. Services are its children, each in a process group of its own, and in
//! a control group where one can be made. What is done to a service is done to all processes that came of it, and seen to be.
//! When the pipe closes, however the runner ended (SIGKILL too), it kills what is left, removes the run's folder, and
//! ends. If the supervisor itself is killed, the kernel kills the services: each asks for that before it becomes its
//! program. What they started goes by the runner's hand then (`sweep`, and what it has adopted). So nothing has to be tidied by hand, and
//! nothing depends on the runner coming to an orderly end. Where both are killed at once, what the services started and
//! the folder are left, and carry what tells whose they are ([`crate::cleanup`]).

mod client;
mod errands;
mod launch;
mod lookup;
mod members;
mod process;
mod program;
mod protocol;
mod reach;
mod running;
mod sweep;

pub use client::{ErrandRunner, Supervisor, SupervisorError};
pub use launch::become_service;
pub use process::keep;
pub use program::SupervisorProgram;
pub use protocol::{Errand, Exited, Launch, Program, Ran, STOP_SIGNALS, ServiceSignal};
pub(crate) use sweep::sweep;
