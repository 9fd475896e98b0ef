//! Bodies: how they are framed, and how they are changed.

mod chain;
mod chunked;
mod edited;
mod framing;

pub(super) use self::{
    chain::{Chain, Change},
    chunked::Run,
    edited::{Edited, Progress},
    framing::Body,
};
