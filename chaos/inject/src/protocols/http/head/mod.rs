//! Heads of messages, as raw bytes.

mod edit;
mod fold;
mod parse;
mod scan;

pub(super) use self::{
    edit::edited,
    parse::{Announced, Ask, Reply, parse_ask, parse_reply},
    scan::{Found, MessageKind, Scan},
};
