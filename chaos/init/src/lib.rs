//! First files of a system that nobody has written down yet: from commands, an address or a Compose file to a system's file, and
//! from what healthy runs showed to first scenarios.
//!
//! [`Command`]s become a [`Draft`] of the system, in which addresses that they have in common are links. Runs of it are told
//! as events, and [`Seen`] is a fold over these: which links are used, what is spoken on them, what is normal. With that the draft
//! and the [`LoadDraft`] are complete, and are written as people would: [`Draft::text`], [`scenario::text`]. What the runs of
//! those came to is a [`Table`].
//!
//! What is deliberately absent: files, processes, clocks, and words of the command line. The same observation gives the same bytes.

mod command;
mod draft;
mod example;
mod heard;
mod lines;
mod load;
mod openapi;
mod procfile;
pub mod scenario;
mod seen;
mod table;
mod wiring;

pub use command::{Command, CommandError};
pub use draft::{Draft, Runs, ServiceDraft};
pub use example::EXAMPLE;
pub use heard::{Heard, LOOKS};
pub use load::{LoadDraft, RequestDraft};
pub use openapi::{is_openapi, load as openapi};
pub use procfile::procfile;
pub use seen::{Seen, Spoken};
pub use table::Table;
pub use wiring::draft;
