//! Heads of messages, as raw bytes.

mod edit;
mod fold;
mod parse;
mod scan;

pub(super) use self::{
    edit::{edited, is_so},
    parse::{Announced, Ask, Reply, parse_ask, parse_reply},
    scan::{Found, MessageKind, Scan},
};
