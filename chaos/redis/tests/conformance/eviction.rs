//! Tests of eviction, when the memory is full. Which keys exactly is each server's own (Redis draws samples); here is
//! what both must keep to.

use crate::{
    rows::OK,
    target::{Connection, Target},
};

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

pub(crate) async fn run(target: Target) {
    let mut connection = target.connect().await;
    settings(&mut connection).await;
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
        limit(&mut connection, policy).await;
        fill(&mut connection, "", 300).await;
        let (left, evicted) = (connection.ask_integer("DBSIZE").await, evicted(&mut connection).await);
        // Redis may evict between the two questions.
        let is_right = evicted > 0 && left < 300 && (300..310).contains(&(left + evicted));
        assert!(is_right, "{policy}: {left} left, {evicted} evicted");
    }
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        limit(&mut connection, policy).await;
        assert_eq!(connection.ask("SET stays 1").await, OK);
        fill(&mut connection, " EX 1000", 300).await;
        assert_eq!(connection.ask("GET stays").await, "$1\r\n1\r\n");
        assert!(evicted(&mut connection).await > 0, "{policy}");
        // Those without a deadline fill what is left, and then nothing can go.
        let mut stored = 0;
        let value = "v".repeat(10_000);
        let last = loop {
            let reply = connection.ask(&format!("SET own{stored} {value}")).await;
            if reply != OK {
                break reply;
            }
            stored += 1;
            assert!(stored < 1000, "{policy}: no end");
        };
        assert_eq!(last, OOM);
        assert_eq!(connection.ask_integer("EXISTS stays own0 own1").await, 3);
    }
}

async fn settings(connection: &mut Connection) {
    let refused =
        |name: &str, why: &str| format!("-ERR CONFIG SET failed (possibly related to argument '{name}') - {why}\r\n");
    let policies = "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
                    allkeys-lru, allkeys-lfu, allkeys-random, noeviction";
    for (request, reply) in [
        ("CONFIG SET maxmemory-policy foo", refused("maxmemory-policy", policies)),
        ("CONFIG SET maxmemory-policy ALLKEYS-LRU", OK.to_owned()),
        ("CONFIG GET maxmemory-policy", "*2\r\n$16\r\nmaxmemory-policy\r\n$11\r\nallkeys-lru\r\n".to_owned()),
        ("CONFIG SET maxmemory 0 maxmemory 1", refused("maxmemory", "duplicate parameter")),
        ("CONFIG SET maxmemory 5mb maxmemory-policy x", refused("maxmemory-policy", policies)),
        ("CONFIG SET maxmemory 1e3", refused("maxmemory", "argument must be a memory value")),
        ("CONFIG SET maxmemory -1", refused("maxmemory", "argument must be a memory value")),
        ("CONFIG SET databases 3", refused("databases", "can't set immutable config")),
        ("CONFIG SET maxclients x", refused("maxclients", "argument couldn't be parsed into an integer")),
        ("CONFIG SET maxclients 0", refused("maxclients", "argument must be between 1 and 4294967295 inclusive")),
        ("CONFIG SET maxmemory 7mb maxmemory-policy volatile-ttl", OK.to_owned()),
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$7\r\n7340032\r\n".to_owned()),
        ("CONFIG SET maxmemory-policy noeviction maxmemory 0", OK.to_owned()),
        ("CONFIG RESETSTAT x", "-ERR wrong number of arguments for 'config|resetstat' command\r\n".to_owned()),
    ] {
        assert_eq!(connection.ask(request).await, reply, "{request}");
    }
}

/// An empty server with room for a megabyte.
async fn limit(connection: &mut Connection, policy: &str) {
    assert_eq!(connection.ask("CONFIG SET maxmemory 0").await, OK);
    assert_eq!(connection.ask("FLUSHALL").await, OK);
    assert_eq!(connection.ask("CONFIG RESETSTAT").await, OK);
    let info = connection.ask_text("INFO memory").await;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).expect("used memory");
    let limit = used.trim().parse::<u64>().expect("a number") + 1_000_000;
    assert_eq!(connection.ask(&format!("CONFIG SET maxmemory {limit} maxmemory-policy {policy}")).await, OK);
}

/// Stores keys of ten kilobytes.
async fn fill(connection: &mut Connection, options: &str, count: usize) {
    let value = "v".repeat(10_000);
    for n in 0..count {
        assert_eq!(connection.ask(&format!("SET key{n} {value}{options}")).await, OK, "{n}");
    }
}

async fn evicted(connection: &mut Connection) -> i64 {
    let info = connection.ask_text("INFO stats").await;
    let evicted = info.lines().find_map(|line| line.strip_prefix("evicted_keys:")).expect("evicted keys");
    evicted.trim().parse().expect("a number")
}
