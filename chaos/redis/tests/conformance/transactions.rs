//! `MULTI` and what belongs to it.

use crate::{
    rows::{NULL, OK, Row, SYNTAX, check},
    target::{Connection, Target},
};
use std::time::Duration;

const QUEUED: &str = "+QUEUED\r\n";
const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.\r\n";
const WITHOUT: &str = "-ERR EXEC without MULTI\r\n";
const OVERTAKEN: &str = "*-1\r\n";

const QUEUES: &[Row] = &[
    ("EXEC", WITHOUT),
    ("DISCARD", "-ERR DISCARD without MULTI\r\n"),
    ("MULTI x", "-ERR wrong number of arguments for 'multi' command\r\n"),
    ("MULTI", OK),
    ("SET a 1", QUEUED),
    ("GET a", QUEUED),
    ("MULTI", "-ERR MULTI calls can not be nested\r\n"),
    ("WATCH a", "-ERR WATCH inside MULTI is not allowed\r\n"),
    ("GET none", QUEUED),
    ("EXEC", "*3\r\n+OK\r\n$1\r\n1\r\n$-1\r\n"),
    ("EXEC", WITHOUT),
    ("MULTI", OK),
    ("EXEC", "*0\r\n"),
    ("MULTI", OK),
    ("SET a 2", QUEUED),
    ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
    ("SET a 3", QUEUED),
    ("EXEC", ABORTED),
    ("GET a", "$1\r\n1\r\n"),
    ("MULTI", OK),
    ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
    ("EXEC", ABORTED),
    ("MULTI", OK),
    ("DISCARD x", "-ERR wrong number of arguments for 'discard' command\r\n"),
    ("EXEC", ABORTED),
    ("MULTI", OK),
    ("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n"),
    ("EXEC", WITHOUT),
    ("MULTI", OK),
    ("SET a 1 FOO", QUEUED),
    ("SET a 4", QUEUED),
    ("EXEC", "*2\r\n-ERR syntax error\r\n+OK\r\n"),
    ("GET a", "$1\r\n4\r\n"),
    ("MULTI", OK),
    ("SET a 5", QUEUED),
    ("DISCARD", OK),
    ("GET a", "$1\r\n4\r\n"),
    ("MULTI", OK),
    ("RESET", "+RESET\r\n"),
    ("EXEC", WITHOUT),
    ("RESET x", "-ERR wrong number of arguments for 'reset' command\r\n"),
    ("MULTI", OK),
    ("AUTH foo bar", QUEUED),
    ("SELECT 1", QUEUED),
    ("SET b 1", QUEUED),
    ("EXEC", "*3\r\n-WRONGPASS invalid username-password pair or user is disabled.\r\n+OK\r\n+OK\r\n"),
    ("GET b", "$1\r\n1\r\n"),
    ("SELECT 0", OK),
    ("GET b", NULL),
    ("FLUSHALL x", SYNTAX),
];

const WATCHES: &[Row] = &[
    ("WATCH", "-ERR wrong number of arguments for 'watch' command\r\n"),
    ("UNWATCH x", "-ERR wrong number of arguments for 'unwatch' command\r\n"),
    ("UNWATCH", OK),
    ("WATCH a", OK),
    ("SET a 1", OK),
    ("MULTI", OK),
    ("PING", QUEUED),
    ("EXEC", OVERTAKEN),
    ("MULTI", OK),
    ("PING", QUEUED),
    ("EXEC", "*1\r\n+PONG\r\n"),
    ("WATCH a", OK),
    ("SET a 1", OK),
    ("UNWATCH", OK),
    ("MULTI", OK),
    ("EXEC", "*0\r\n"),
    ("WATCH a", OK),
    ("SET a 1", OK),
    ("MULTI", OK),
    ("DISCARD", OK),
    ("MULTI", OK),
    ("EXEC", "*0\r\n"),
    ("WATCH a", OK),
    ("SET a 1", OK),
    ("MULTI", OK),
    ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
    ("EXEC", ABORTED),
    ("WATCH a a none", OK),
    ("GET a", "$1\r\n1\r\n"),
    ("GETEX a", "$1\r\n1\r\n"),
    ("TOUCH a", ":1\r\n"),
    ("TTL a", ":-1\r\n"),
    ("PERSIST a", ":0\r\n"),
    ("DEL none", ":0\r\n"),
    ("SET a 2 NX", NULL),
    ("SELECT 1", OK),
    ("SET a 2", OK),
    ("FLUSHDB", OK),
    ("SELECT 0", OK),
    ("MULTI", OK),
    ("EXEC", "*0\r\n"),
    ("WATCH none", OK),
    ("FLUSHALL", OK),
    ("MULTI", OK),
    ("EXEC", "*0\r\n"),
];

/// Changes of a key `a` that has a value and a far deadline.
const CHANGES: &[&str] = &[
    "SET a 1",
    "SET a 2 XX KEEPTTL",
    "MSET b 1 a 1",
    "GETSET a 1",
    "EXPIRE a 100",
    "EXPIREAT a 1",
    "PERSIST a",
    "GETEX a PERSIST",
    "GETEX a EX 100",
    "DEL a",
    "UNLINK a",
    "GETDEL a",
    "FLUSHDB",
    "FLUSHALL",
];

pub(crate) async fn run(target: Target) {
    check(&target, QUEUES).await;
    check(&target, WATCHES).await;
    each_change_by_another_is_noticed(&target).await;
    expiry_is_a_change_unless_it_was_before(&target).await;
    protocols_may_change_on_the_way(&mut target.connect().await).await;
    without_memory_nothing_is_queued(&mut target.connect().await).await;
}

async fn each_change_by_another_is_noticed(target: &Target) {
    let (mut one, mut other) = (target.connect().await, target.connect().await);
    for change in CHANGES {
        assert_eq!(other.ask("SET a 1 EX 1000").await, OK);
        assert_eq!(one.ask("WATCH b a").await, OK);
        other.ask(change).await;
        assert_eq!(one.ask("MULTI").await, OK);
        assert_eq!(one.ask("SET a mine").await, QUEUED);
        assert_eq!(one.ask("EXEC").await, OVERTAKEN, "{change}");
    }
}

async fn expiry_is_a_change_unless_it_was_before(target: &Target) {
    let mut connection = target.connect().await;
    for (sleep_before, sleep_behind, reply) in [(0, 20, OVERTAKEN), (20, 0, "*0\r\n")] {
        assert_eq!(connection.ask("SET e 1 PX 10").await, OK);
        target.host.sleep(Duration::from_millis(sleep_before)).await;
        assert_eq!(connection.ask("WATCH e").await, OK);
        target.host.sleep(Duration::from_millis(sleep_behind)).await;
        assert_eq!(connection.ask("MULTI").await, OK);
        assert_eq!(connection.ask("EXEC").await, reply, "{sleep_before} ms before");
    }
}

async fn protocols_may_change_on_the_way(connection: &mut Connection) {
    for request in ["MULTI", "GET none", "HELLO 3", "GET none"] {
        connection.ask(request).await;
    }
    let reply = connection.ask("EXEC").await;
    assert!(reply.starts_with("*3\r\n$-1\r\n%7\r\n") && reply.ends_with("*0\r\n_\r\n"), "{reply}");
    for (request, reply) in [("WATCH a", OK), ("SET a 1", OK), ("MULTI", OK), ("EXEC", "_\r\n")] {
        assert_eq!(connection.ask(request).await, reply);
    }
}

async fn without_memory_nothing_is_queued(connection: &mut Connection) {
    const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    for (request, reply) in [
        ("FLUSHALL", OK),
        ("SET a 1", OK),
        ("MULTI", OK),
        ("CONFIG SET maxmemory 1", QUEUED),
        ("SET a 2", QUEUED),
        ("EXEC", "*2\r\n+OK\r\n+OK\r\n"),
        ("MULTI", OK),
        ("SET a 3", OOM),
        ("GET a", OOM),
        ("EXEC", ABORTED),
        ("MULTI", OK),
        ("DISCARD", OK),
        ("CONFIG SET maxmemory 0", OK),
        ("MULTI", OK),
        ("SET a 4", QUEUED),
    ] {
        assert_eq!(connection.ask(request).await, reply, "{request}");
    }
    assert_eq!(connection.ask("DISCARD").await, OK);
    assert_eq!(connection.ask("GET a").await, "$1\r\n2\r\n");
}
