//! One command a file.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod keeper;
pub(crate) mod prove;
mod read;
pub(crate) mod run;
pub(crate) mod serve;
mod worlds;
