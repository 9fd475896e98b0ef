//! Heads of messages, as raw bytes: read as widely as those do who get them, as long as all of these find the same end.

mod content;
mod edit;
mod fold;
mod framing;
mod lines;
mod parse;
mod scan;
mod start;

pub(super) use self::{
    content::{put_right, without_validators},
    edit::{edited, is_so, values},
    framing::Announced,
    parse::{Ask, Reply, parse_ask, parse_reply},
    scan::{Found, MessageKind, Scan},
};
