//! Tests of keys beside their values: deadlines of every kind, their names, and what kind they are.

use crate::{
    rows::{INTEGER, NULL, OK, Row, SYNTAX, check},
    target::Target,
};
use chaos_redis::codec::Frame;
use std::collections::BTreeSet;

const DEADLINES: &[Row] = &[
    ("EXPIREAT", "-ERR wrong number of arguments for 'expireat' command\r\n"),
    ("EXPIREAT a 100", ":0\r\n"),
    ("SET a 1", OK),
    ("EXPIREAT a x", INTEGER),
    ("EXPIREAT a 9999999999", ":1\r\n"),
    ("EXPIRETIME a", ":9999999999\r\n"),
    ("PEXPIRETIME a", ":9999999999000\r\n"),
    ("EXPIREAT a 9223372036854775807", "-ERR invalid expire time in 'expireat' command\r\n"),
    ("PEXPIREAT a 9999999999499 GT", ":1\r\n"),
    ("EXPIRETIME a", ":9999999999\r\n"),
    ("PEXPIREAT a 9999999999500 LT", ":0\r\n"),
    ("PEXPIREAT a 9999999999500", ":1\r\n"),
    ("EXPIRETIME a", ":10000000000\r\n"),
    ("PEXPIREAT a 9223372036854775807", ":1\r\n"),
    ("PEXPIRETIME a", ":9223372036854775807\r\n"),
    ("EXPIRETIME a", ":9223372036854776\r\n"),
    ("EXPIREAT a 1 NX", ":0\r\n"),
    ("EXPIREAT a 1 FOO", "-ERR Unsupported option FOO\r\n"),
    ("EXPIREAT a 1", ":1\r\n"),
    ("EXISTS a", ":0\r\n"),
    ("EXPIRETIME a", ":-2\r\n"),
    ("SET a 1", OK),
    ("EXPIRETIME a", ":-1\r\n"),
    ("PEXPIRETIME a b", "-ERR wrong number of arguments for 'pexpiretime' command\r\n"),
    ("PERSIST", "-ERR wrong number of arguments for 'persist' command\r\n"),
    ("PERSIST a", ":0\r\n"),
    ("PERSIST b", ":0\r\n"),
    ("EXPIRE a 100", ":1\r\n"),
    ("PERSIST a", ":1\r\n"),
    ("TTL a", ":-1\r\n"),
    ("SET a 1 EXAT 9223372036854776", "-ERR invalid expire time in 'set' command\r\n"),
    ("SET a 1 PERSIST", SYNTAX),
    ("SET a 1 KEEPTTL KEEPTTL", OK),
    ("SET a 1 GET GET", "$1\r\n1\r\n"),
    ("SET a 2 GET NX EX 10", "$1\r\n1\r\n"),
    ("TTL a", ":-1\r\n"),
    ("SET a 2 XX GET EXAT 9999999999", "$1\r\n1\r\n"),
    ("EXPIRETIME a", ":9999999999\r\n"),
    ("PEXPIRETIME a", ":9999999999000\r\n"),
    ("SET a 3 XX KEEPTTL", OK),
    ("EXPIRETIME a", ":9999999999\r\n"),
    ("SET a 3 NX KEEPTTL", NULL),
    ("SET a 3 PXAT 9999999999123", OK),
    ("PEXPIRETIME a", ":9999999999123\r\n"),
    ("SET b 3 KEEPTTL", OK),
    ("TTL b", ":-1\r\n"),
    ("INFO keyspace", "$44\r\n# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=0\r\n\r\n"),
];

const OLD_VALUES: &[Row] = &[
    ("SETNX a", "-ERR wrong number of arguments for 'setnx' command\r\n"),
    ("SETNX a 1", ":1\r\n"),
    ("SETNX a 2", ":0\r\n"),
    ("EXPIRE a 100", ":1\r\n"),
    ("GETSET a", "-ERR wrong number of arguments for 'getset' command\r\n"),
    ("GETSET a 2", "$1\r\n1\r\n"),
    ("TTL a", ":-1\r\n"),
    ("GETSET b 2", NULL),
    ("GETDEL", "-ERR wrong number of arguments for 'getdel' command\r\n"),
    ("GETDEL b", "$1\r\n2\r\n"),
    ("GETDEL b", NULL),
    ("GETEX", "-ERR wrong number of arguments for 'getex' command\r\n"),
    ("GETEX a", "$1\r\n2\r\n"),
    ("GETEX a EX", SYNTAX),
    ("GETEX a EX 10", "$1\r\n2\r\n"),
    ("TTL a", ":10\r\n"),
    ("GETEX a PERSIST EX 10", SYNTAX),
    ("GETEX a EX 10 PERSIST", SYNTAX),
    ("GETEX a EX 10 PX 10", SYNTAX),
    ("GETEX a EX 10 EX 20", "$1\r\n2\r\n"),
    ("TTL a", ":20\r\n"),
    ("GETEX a PERSIST PERSIST", "$1\r\n2\r\n"),
    ("TTL a", ":-1\r\n"),
    ("GETEX a EX 0", "-ERR invalid expire time in 'getex' command\r\n"),
    ("GETEX a EX x", INTEGER),
    ("GETEX a KEEPTTL", SYNTAX),
    ("GETEX a NX", SYNTAX),
    ("GETEX a GET", SYNTAX),
    ("GETEX a PXAT 1", "$1\r\n2\r\n"),
    ("GETEX a", NULL),
    ("GETEX a EX 0", NULL),
    ("GETEX a FOO", SYNTAX),
    ("MSET a", "-ERR wrong number of arguments for 'mset' command\r\n"),
    ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command\r\n"),
    ("MSET a 1 b 2", OK),
    ("MGET a b", "*2\r\n$1\r\n1\r\n$1\r\n2\r\n"),
    ("TYPE a", "+string\r\n"),
    ("TYPE c", "+none\r\n"),
    ("TOUCH a b c", ":2\r\n"),
    ("UNLINK a c a", ":1\r\n"),
    ("TOUCH", "-ERR wrong number of arguments for 'touch' command\r\n"),
];

const NAMES: &[Row] = &[
    ("RANDOMKEY", NULL),
    ("RANDOMKEY x", "-ERR wrong number of arguments for 'randomkey' command\r\n"),
    ("KEYS", "-ERR wrong number of arguments for 'keys' command\r\n"),
    ("KEYS *", "*0\r\n"),
    ("SCAN 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
    ("SET abc 1", OK),
    ("RANDOMKEY", "$3\r\nabc\r\n"),
    ("KEYS *", "*1\r\n$3\r\nabc\r\n"),
    ("KEYS a[a-c]?", "*1\r\n$3\r\nabc\r\n"),
    ("KEYS a[^b]c", "*0\r\n"),
    ("KEYS ABC", "*0\r\n"),
    ("SCAN", "-ERR wrong number of arguments for 'scan' command\r\n"),
    ("SCAN x", "-ERR invalid cursor\r\n"),
    ("SCAN 18446744073709551616", "-ERR invalid cursor\r\n"),
    ("SCAN 0 COUNT", SYNTAX),
    ("SCAN 0 COUNT 0", SYNTAX),
    ("SCAN 0 COUNT x", INTEGER),
    ("SCAN 0 FOO 1", SYNTAX),
    ("SCAN 0 MATCH x*", "*2\r\n$1\r\n0\r\n*0\r\n"),
    ("SCAN 0 match a* count 5 type string", "*2\r\n$1\r\n0\r\n*1\r\n$3\r\nabc\r\n"),
    ("SCAN 0 TYPE list", "*2\r\n$1\r\n0\r\n*0\r\n"),
    ("SELECT 1", OK),
    ("KEYS *", "*0\r\n"),
    ("SCAN 0", "*2\r\n$1\r\n0\r\n*0\r\n"),
    ("RANDOMKEY", NULL),
];

pub(crate) async fn run(target: Target) {
    for rows in [DEADLINES, OLD_VALUES, NAMES] {
        check(&target, rows).await;
    }
    a_scan_finds_all_keys(&target).await;
    reads_are_counted(&target).await;
}

async fn a_scan_finds_all_keys(target: &Target) {
    let mut connection = target.connect().await;
    for n in 0..500 {
        assert_eq!(connection.ask(&format!("SET key{n} 1")).await, OK);
    }
    let (mut cursor, mut found, mut calls) = ("0".to_owned(), BTreeSet::new(), 0);
    loop {
        let reply = connection.ask_raw(&["SCAN", &cursor, "MATCH", "key*", "COUNT", "20"]).await;
        let Ok(Frame::Array(parts)) = Frame::parse(&reply) else { panic!("{}", reply.escape_ascii()) };
        let [Frame::Bulk(next), Frame::Array(keys)] = parts.as_slice() else { panic!("{parts:?}") };
        cursor = String::from_utf8_lossy(next).into_owned();
        found.extend(keys.iter().map(|key| format!("{key:?}")));
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 500);
    assert!((10..=30).contains(&calls), "{calls}");
}

/// Hits and misses by request, with a key `a` and none called `b`.
async fn reads_are_counted(target: &Target) {
    let mut connection = target.connect().await;
    for (request, hits, misses) in [
        ("GET a", 1, 0),
        ("MGET a b a", 2, 1),
        ("EXISTS a b", 1, 1),
        ("TTL a", 1, 0),
        ("PEXPIRETIME b", 0, 1),
        ("TYPE a", 1, 0),
        ("TOUCH a b", 1, 1),
        ("GETEX a", 1, 0),
        ("GETSET a 2", 1, 0),
        ("SET a 1", 0, 0),
        ("SET a 1 XX GET", 1, 0),
        ("SETNX a 1", 0, 0),
        ("MSET a 1", 0, 0),
        ("EXPIRE a 100", 0, 0),
        ("PERSIST a", 0, 0),
        ("KEYS *", 0, 0),
        ("DEL b", 0, 0),
        ("GETDEL a", 1, 0),
        ("GETDEL a", 0, 1),
    ] {
        if !request.starts_with("GETDEL") {
            assert_eq!(connection.ask("SET a 1").await, OK);
        }
        assert_eq!(connection.ask("CONFIG RESETSTAT").await, OK);
        connection.ask(request).await;
        let info = connection.ask_text("INFO stats").await;
        for (name, count) in [("keyspace_hits", hits), ("keyspace_misses", misses)] {
            assert!(info.contains(&format!("\n{name}:{count}\r\n")), "{request}: {name} isn't {count}");
        }
    }
}
