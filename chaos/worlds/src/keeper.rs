//! The keeper: a process of its own that starts every node on the runner's behalf and outlives it by a moment.
//!
//! It is started first and holds a pipe from the runner. Nodes are its children, each in a process group of its own.
//! When the pipe closes, however the runner ended (SIGKILL too), it kills what is left, removes the run's folder, and
//! ends. If the keeper itself is killed, the kernel kills the nodes: each asks for that before it becomes its program.
//! What they started goes by the runner's hand then (`sweep`).
//! So nothing has to be tidied by hand, and nothing depends on the runner coming to an orderly end. Where both are killed at
//! once, what the nodes started and the folder are left, and carry what tells whose they are ([`crate::heal`]).

mod client;
mod process;
mod protocol;
mod sweep;

pub use client::{Keeper, KeeperError};
pub use process::{THIS_PROGRAM, become_node, keep};
pub use protocol::{Exited, Launch, NodeSignal};
pub(crate) use sweep::sweep;
