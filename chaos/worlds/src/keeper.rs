//! The keeper: a process of its own that starts every node on the runner's behalf and outlives it by a moment.
//!
//! It is started first and holds a pipe from the runner. Nodes are its children, each in a process group of its own.
//! When the pipe closes, however the runner ended (SIGKILL too), it kills what is left, removes the run's folder, and
//! ends. If the keeper itself is killed, the kernel kills the nodes: each asks for that before it becomes its program.
//! So nothing has to be tidied by hand, and nothing depends on the runner coming to an orderly end.

mod client;
mod process;
mod protocol;

pub use client::{Keeper, KeeperError};
pub use process::{become_node, keep};
pub use protocol::{Exited, Launch, NodeSignal};
