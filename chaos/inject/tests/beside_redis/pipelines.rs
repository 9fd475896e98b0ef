//! Random pipelines with transactions, subscriptions and other protocols: through the proxy of a fault that takes none of their
//! commands come the same bytes as without it; and with a fault that refuses some, the same as from a server that does not know
//! them, which refuses them too.

use crate::{
    client::Client,
    server::{Proxied, Server},
};
use chaos_model::{Only, effect::Error};
use rand::{RngExt as _, seq::IndexedRandom as _};
use std::ops::Range;

/// Commands of all kinds, each with what has to come with it.
const ANY: &[&[&str]] = &[
    &["GET k"],
    &["SET k v"],
    &["GET l"],
    &["MGET k l"],
    &["INCR n"],
    &["LPUSH l a"],
    &["LRANGE l 0 -1"],
    &["LRANGE m 0 -1"],
    &["HGETALL h"],
    &["SADD s a"],
    &["SMEMBERS s"],
    &["PING"],
    &["ECHO hello"],
    &["GET"],
    &["NOTHING x"],
    &["CLIENT NOTHING"],
    &["MULTI"],
    &["MULTI", "SET k v", "GET k"],
    &["EXEC"],
    &["EXEC"],
    &["DISCARD"],
    &["WATCH k"],
    &["UNWATCH"],
    &["SUBSCRIBE c"],
    &["SUBSCRIBE c d c"],
    &["PSUBSCRIBE c*"],
    &["SSUBSCRIBE s"],
    &["UNSUBSCRIBE"],
    &["UNSUBSCRIBE c x"],
    &["PUNSUBSCRIBE"],
    &["SUNSUBSCRIBE"],
    &["PUBLISH c m"],
    &["HELLO 2"],
    &["HELLO 3"],
    &["RESET"],
    &["MONITOR"],
    &["SELECT 1"],
    &["SELECT 0"],
    &["CLIENT REPLY OFF", "GET k", "SET k w", "CLIENT REPLY ON"],
    &["CLIENT REPLY SKIP", "GET k"],
];

/// Those that change nothing of the connection. The first is the one that is refused.
const PLAIN: &[&str] = &[
    REFUSED,
    REFUSED,
    "SET k v",
    "MGET k l",
    "INCR n",
    "LRANGE m 0 -1",
    "SMEMBERS s",
    "ECHO hello",
    "GETDEL",
    "PING",
    "SELECT 0",
];

/// The command that the fault refuses,
const REFUSED: &str = "GET k";

/// and one that the server does.
const UNKNOWN: &str = "NOSUCH k";

/// Compares pipelines with these numbers.
pub(crate) async fn run(numbers: Range<u32>) {
    let server = Server::start(&[]).await;
    let (clear, idle, refusing) = (server.proxy(), server.proxy(), server.proxy());
    let error = || Error { reply: "ERR injected".to_owned() };
    let only = |name: &str| Only { commands: vec![name.to_owned()], ..Only::default() };
    idle.apply(error(), only("NONE")).await;
    for number in numbers {
        let mut random = server.host.rng(&format!("pipeline {number}"));
        let rounds = any(&mut random);
        let direct = play(&server, server.connect().await, &rounds).await;
        for (proxy, name) in [(&clear, "without a fault"), (&idle, "with a fault for others")] {
            let passed = play(&server, proxy.connect().await, &rounds).await;
            assert_eq!(passed, direct, "pipeline {number}, {name}: {rounds:?}");
        }
        refusing.apply(error(), only("GET")).await;
        refuses(&server, &refusing, number, &refusable(&mut random)).await;
    }
}

/// Plays commands with a fault that refuses some, and without it but with others in their places that are unknown.
async fn refuses(server: &Server, refusing: &Proxied, number: u32, (rounds, refused): &(Vec<Vec<String>>, u64)) {
    let unknown = |line: &String| if line == REFUSED { UNKNOWN.to_owned() } else { line.clone() };
    let others: Vec<Vec<String>> = rounds.iter().map(|round| round.iter().map(unknown).collect()).collect();
    let direct = play(server, server.connect().await, &others).await;
    let passed = play(server, refusing.connect().await, rounds).await;
    assert_eq!(passed, direct, "pipeline {number}, refused: {rounds:?}");
    assert_eq!(refusing.remove().await.messages, *refused, "pipeline {number}: {rounds:?}");
}

/// Rounds of commands, whatever they do.
fn any(random: &mut host::Random) -> Vec<Vec<String>> {
    let round = |random: &mut host::Random| {
        let count = random.random_range(1..7);
        (0..count)
            .filter_map(|_| ANY.choose(random))
            .flat_map(|lines| lines.iter())
            .map(|line| (*line).to_owned())
            .collect()
    };
    (0..random.random_range(1..6)).map(|_| round(random)).collect()
}

/// The state of a connection, as far as it says what may follow.
#[derive(Default)]
struct Mode {
    resp3: bool,
    /// In a transaction.
    queues: bool,
    monitors: bool,
    channels: bool,
    patterns: bool,
}

/// Rounds of commands some of which are refused, and how many of them.
fn refusable(random: &mut host::Random) -> (Vec<Vec<String>>, u64) {
    let (mut mode, mut refused) = (Mode::default(), 0);
    let rounds = (0..random.random_range(1..6)).map(|_| {
        let mut round: Vec<String> = vec![];
        for _ in 0..random.random_range(1..8) {
            let lines = mode.next(random);
            // Replies that are turned off are not refused by a fault; nor by a server, that anybody could see.
            if !lines[0].starts_with("CLIENT REPLY") {
                refused += lines.iter().filter(|line| **line == REFUSED).count() as u64;
            }
            round.extend(lines.into_iter().map(str::to_owned));
        }
        if std::mem::take(&mut mode.queues) {
            round.push(["EXEC", "DISCARD"].choose(random).map_or_else(String::new, |end| (*end).to_owned()));
        }
        round
    });
    let rounds = rounds.collect();
    (rounds, refused)
}

impl Mode {
    /// What comes next.
    fn next(&mut self, random: &mut host::Random) -> Vec<&'static str> {
        let mut choose = |lines: &[&'static str]| lines.choose(random).copied().unwrap_or_default();
        let subscribed = (self.channels || self.patterns) && !self.resp3;
        let line = if self.queues {
            choose(&[PLAIN, &["EXEC", "DISCARD", "MULTI", "WATCH k", "UNWATCH", "RESET"]].concat())
        } else if self.monitors {
            // None is refused: whether what was said before is shown before or after that, nobody can tell.
            let plain: Vec<&str> = PLAIN.iter().filter(|line| **line != REFUSED).copied().collect();
            choose(&[&plain[..], &["RESET", "PUBLISH c m"]].concat())
        } else if subscribed {
            choose(&[
                "PING",
                "SUBSCRIBE d",
                "PSUBSCRIBE c*",
                "UNSUBSCRIBE",
                "UNSUBSCRIBE",
                "PUNSUBSCRIBE",
                "PUNSUBSCRIBE",
                "RESET",
            ])
        } else {
            let others = [
                "MULTI",
                "MULTI",
                "MULTI",
                "WATCH k",
                "EXEC",
                "SUBSCRIBE c",
                "SUBSCRIBE c d",
                "PSUBSCRIBE c*",
                "UNSUBSCRIBE",
                "HELLO 2",
                "HELLO 3",
                "RESET",
                "MONITOR",
                "PUBLISH c m",
                "CLIENT REPLY OFF",
                "CLIENT REPLY SKIP",
            ];
            choose(&[PLAIN, &others].concat())
        };
        match line {
            "MULTI" => self.queues = true,
            "EXEC" | "DISCARD" => self.queues = false,
            "RESET" => *self = Self::default(),
            "MONITOR" => self.monitors = true,
            "HELLO 2" => self.resp3 = false,
            "HELLO 3" => self.resp3 = true,
            "SUBSCRIBE c" | "SUBSCRIBE c d" | "SUBSCRIBE d" => self.channels = true,
            "PSUBSCRIBE c*" => self.patterns = true,
            "UNSUBSCRIBE" => self.channels = false,
            "PUNSUBSCRIBE" => self.patterns = false,
            "CLIENT REPLY OFF" => return vec![line, REFUSED, "SET k w", "CLIENT REPLY ON"],
            "CLIENT REPLY SKIP" => return vec![line, REFUSED],
            _ => {}
        }
        vec![line]
    }
}

/// Plays rounds of commands, with messages of another client between them; all that comes of it.
async fn play(server: &Server, mut client: Client, rounds: &[Vec<String>]) -> String {
    let mut other = server.connect().await;
    other.ask("FLUSHALL").await;
    other.ask("RPUSH m message c x").await;
    let mut all = String::new();
    let last = vec!["RESET".to_owned()];
    for (number, round) in rounds.iter().chain([&last]).enumerate() {
        // What is said to this is the end of the round, whatever state the connection is in.
        let token = format!("T{number:04}");
        let mut lines = round.clone();
        lines.extend(["DISCARD".to_owned(), format!("PING {token}")]);
        client.send(&lines).await;
        all += &client.read_to(&format!("$5\r\n{token}\r\n")).await;
        for line in ["PUBLISH c hello", "SPUBLISH s hello"] {
            other.ask(line).await;
        }
    }
    let mut lines: Vec<String> = vec![];
    for line in all.split_inclusive("\r\n") {
        let is_id = lines.last().is_some_and(|last| last == "id\r\n");
        lines.push(if is_id { "<id>\r\n".to_owned() } else { anonymous(line) });
    }
    lines.concat()
}

/// A line without what each connection has its own of.
fn anonymous(line: &str) -> String {
    if line.starts_with("-ERR unknown command 'NOSUCH'") {
        return "-ERR injected\r\n".to_owned();
    }
    match line.strip_prefix('+').and_then(|shown| shown.split_once("] ")) {
        Some((time, command)) if time.starts_with(|first: char| first.is_ascii_digit()) => format!("+<time> {command}"),
        _ => line.to_owned(),
    }
}
