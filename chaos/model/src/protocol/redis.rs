//! The row of Redis.

use super::{Ready, Recognised, Row, Scheme, Transport, Words};
use crate::effect::Level;

/// The facts of Redis: RESP2 and RESP3.
pub(super) static ROW: Row = Row {
    name: "redis",
    about: "RESP2 or RESP3, as Redis, Valkey and their like speak it",
    usual_port: 6379,
    unprivileged_port: 6379,
    schemes: &[
        Scheme { name: "redis", transport: Transport::Plain },
        Scheme { name: "rediss", transport: Transport::Tls },
    ],
    programs: &["redis"],
    ready: Ready::RedisPing,
    words: Some(Words { message: "command", messages: "commands", response: "reply" }),
    levels: &[Level::Connections, Level::Messages, Level::Commands],
    only: &["command", "key"],
    alpn: &[],
    takes_password: true,
    elsewhere: &[
        ("Toxiproxy", "no word: toxics act on bytes"),
        ("Chaos Mesh", "`redis-*` of PhysicalMachineChaos, which act on the server"),
        ("Istio", "`envoy.filters.network.redis_proxy` of an EnvoyFilter, with `faults`"),
        ("k6", "no word"),
    ],
    limits: &[
        ("connections of TLS or another protocol", "their commands can't be told apart"),
        ("values (`miss`, `stale`, `wrong`) within `MULTI`", "where `EXEC` fails, or its reply is longer than 1 MiB"),
        ("`stale` and `wrong` of values of more than 1 MiB", "none so long is kept, unless `value` says another"),
        ("`stale` and `wrong` of commands of more than 1 KiB", "they are not told apart from others that long"),
        ("the replies to `SUBSCRIBE` and its like", "they are one for each channel"),
        ("commands of a subscriber in RESP2, but for those about subscriptions", "the server refuses them by itself"),
        ("commands behind `CLIENT REPLY OFF` and `SKIP`", "they have no replies"),
        ("connections behind a transaction with `HELLO`, `CLIENT REPLY` or `SUBSCRIBE`", "replies can't be told apart"),
        (
            "commands behind 131072 of one connection that faults act on and that wait for their replies",
            "no more are kept track of",
        ),
        ("connections behind `SYNC`, `PSYNC` or a second `MONITOR`", "replies can't be told apart"),
    ],
    recognise,
    filter: None,
};

fn recognise(bytes: &[u8]) -> Recognised {
    // Libraries send `*` and a count; inline commands are lines that begin with a word, as requests of HTTP do.
    match bytes {
        [] | [b'*'] => Recognised::More,
        [b'*', digit, ..] if digit.is_ascii_digit() => Recognised::Yes,
        [letter, ..] if letter.is_ascii_alphabetic() => {
            let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let is_http = line.windows(8).any(|word| word == b" HTTP/1." || word == b" HTTP/2.");
            if is_http { Recognised::No } else { Recognised::Yes }
        }
        _ => Recognised::No,
    }
}
