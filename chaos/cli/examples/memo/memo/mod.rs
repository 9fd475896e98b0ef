//! The row of `memo`: a store that is asked by a line and answers by one.

mod filter;
mod matching;
mod plan;

use chaos_model::{
    effect::Level,
    protocol::{Ready, Recognised, Row, Scheme, Transport, Words},
};

/// The facts of `memo`.
pub(crate) static ROW: Row = Row {
    name: "memo",
    about: "a store of texts, asked by a line (`GET note:7`, `SET note:7 milk`) and answering by one",
    usual_port: 7070,
    unprivileged_port: 7070,
    schemes: &[Scheme { name: "memo", transport: Transport::Plain }],
    programs: &["memo"],
    ready: Ready::Line { ask: "PING", is_ready: |line| line == "PONG" },
    words: Some(Words { message: "command", messages: "commands", response: "reply" }),
    levels: &[Level::Connections, Level::Messages],
    only: &["command", "key"],
    alpn: &[],
    takes_password: false,
    elsewhere: &[("memcached", "its text protocol, whose values have lines of their own")],
    limits: &[("lines beyond 64 KiB", "they are no commands")],
    recognise,
    filter: chaos_inject::filter!(|| Box::new(filter::MemoFilter::default())),
};

/// Commands are words in capitals, and none is longer than this.
const LONGEST_COMMAND: usize = 8;

fn recognise(bytes: &[u8]) -> Recognised {
    let letters = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    match bytes.get(letters) {
        _ if letters > LONGEST_COMMAND => Recognised::No,
        None => Recognised::More,
        Some(b' ' | b'\n') if letters > 0 => Recognised::Yes,
        Some(_) => Recognised::No,
    }
}
