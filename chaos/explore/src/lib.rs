//! Exploration: faults that nobody wrote down, tried one by one and two by two in the simulation, judged by what holds whatever
//! breaks, shrunk to scenario files that fail alone.
//!
//! A healthy run shows links, kinds of messages and what responses have ([`Subject`] is what a scenario leaves of itself for
//! that). Fault points are made of it and of the registry of effects: each effect says by which strengths it is explored. A case is
//! the text of a scenario, and invariants are its expectations, so that what is found is what `chaos run` finds again.
//!
//! What is deliberately absent: clocks (whoever asks bounds the time, [`Budget`]), files, and words of the command line.

mod bodies;
mod case;
mod error;
mod exploration;
mod finding;
mod invariant;
mod lab;
mod learn;
mod matrix;
mod page;
mod point;
mod search;
mod seen;
mod shape;
mod show;
mod shrink;
mod subject;
mod toml_text;
mod uses;

pub use error::Error;
pub use exploration::{Attempt, Exploration, Options, explore};
pub use finding::Finding;
pub use invariant::Kind;
pub use lab::ReadText;
pub use matrix::{Matrix, Row, State};
pub use page::html;
pub use point::NotTried;
pub use search::{Budget, Dropped};
pub use shape::Moment;
pub use subject::Subject;
