//! `miss` beside an empty server: each read has the same reply.

use crate::server::Server;
use chaos_model::{Only, effect::Miss};
use chaos_redis::table::{self, Flag, Found};

/// A call of each command, and more.
const SAMPLES: &str = include_str!("../../../redis/tests/conformance/samples.txt");

/// Reads whose replies are what their scripts say.
const SCRIPTS: [&str; 3] = ["eval_ro", "evalsha_ro", "fcall_ro"];

pub(crate) async fn run() {
    let server = Server::start(&[]).await;
    let proxy = server.proxy();
    proxy.apply(Miss {}, Only::default()).await;
    let mut reads = 0;
    for hello in [2, 3] {
        let (mut direct, mut missing) = (server.connect().await, proxy.connect().await);
        for client in [&mut direct, &mut missing] {
            client.ask(&format!("HELLO {hello}")).await;
        }
        for line in SAMPLES.lines().filter(|line| is_read(line)) {
            reads += 1;
            assert_eq!(missing.ask(line).await, direct.ask(line).await, "{line} in RESP{hello}");
            assert_eq!(proxy.fired().messages, reads, "{line} is taken");
        }
    }
    assert!(reads > 150, "{reads}");
    within_transactions(&server).await;
}

/// The same in the reply to `EXEC`, of a server that has something by these names.
async fn within_transactions(server: &Server) {
    let (empty, proxy, mut there) = (Server::start(&[]).await, server.proxy(), server.connect().await);
    proxy.apply(Miss {}, Only::default()).await;
    for hello in [2, 3] {
        let (mut direct, mut missing) = (empty.connect().await, proxy.connect().await);
        for client in [&mut direct, &mut missing] {
            client.ask(&format!("HELLO {hello}")).await;
        }
        for line in SAMPLES.lines().filter(|line| is_read(line)) {
            for word in line.split(' ').skip(1) {
                there.ask(&format!("SET {word} 1")).await;
            }
            let before = proxy.fired().messages;
            let mut results = vec![];
            for client in [&mut direct, &mut missing] {
                for line in ["MULTI", "PING", line, "ECHO behind"] {
                    client.ask(line).await;
                }
                results.push(client.ask("EXEC").await);
            }
            assert_eq!(results[1], results[0], "{line} in RESP{hello}");
            assert_eq!(proxy.fired().messages, before + 1, "{line} is taken");
        }
    }
}

fn is_read(line: &str) -> bool {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    let Found::Command(spec) = table::find(words[0], words.get(1).copied()) else { panic!("{line} is no command") };
    spec.has(Flag::ReadOnly) && !SCRIPTS.contains(&spec.name)
}
