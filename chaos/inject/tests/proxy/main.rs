//! Tests of the proxy as its users meet it.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod support;

mod aftermath;
mod bound;
mod commands;
mod conformance;
mod discard;
mod effects;
mod first_words;
mod in_place;
mod join;
mod latency;
mod raw;
mod removal;
mod requests;
mod shaper;
mod shares;
mod streams;
mod transparency;
mod unread;
