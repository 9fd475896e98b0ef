//! Requests and the bytes that answer them.

use crate::{
    rows::{INTEGER, NULL, OK, Row, SYNTAX, check},
    target::{Connection, Target},
};
use bytes::Bytes;

const CONNECTION: &[Row] = &[
    ("PING", "+PONG\r\n"),
    ("ping hello", "$5\r\nhello\r\n"),
    ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
    ("ECHO hello", "$5\r\nhello\r\n"),
    ("ECHO", "-ERR wrong number of arguments for 'echo' command\r\n"),
    ("ECHO a b", "-ERR wrong number of arguments for 'echo' command\r\n"),
    ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
    ("foo a  b", "-ERR unknown command 'foo', with args beginning with: 'a' '' 'b' \r\n"),
    ("", "-ERR unknown command '', with args beginning with: \r\n"),
    ("x\r\ny a\nb", "-ERR unknown command 'x  y', with args beginning with: 'a b' \r\n"),
    ("x a\0b c\0", "-ERR unknown command 'x', with args beginning with: 'a' 'c' \r\n"),
    ("SELECT", "-ERR wrong number of arguments for 'select' command\r\n"),
    ("SELECT 16", "-ERR DB index is out of range\r\n"),
    ("SELECT -1", "-ERR DB index is out of range\r\n"),
    ("SELECT a", INTEGER),
    ("SELECT 01", INTEGER),
    ("SELECT +1", INTEGER),
    ("SELECT ", INTEGER),
    ("SELECT 9223372036854775808", INTEGER),
    ("SELECT 99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n"),
    ("SELECT 15", OK),
    ("SELECT 0 1", "-ERR wrong number of arguments for 'select' command\r\n"),
    ("CLIENT", "-ERR wrong number of arguments for 'client' command\r\n"),
    ("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.\r\n"),
    ("CLIENT GETNAME", NULL),
    ("CLIENT GETNAME x", "-ERR wrong number of arguments for 'client|getname' command\r\n"),
    ("CLIENT SETNAME", "-ERR wrong number of arguments for 'client|setname' command\r\n"),
    ("CLIENT SETNAME \u{1}", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
    ("CLIENT SETNAME é", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
    ("client setname me", OK),
    ("CLIENT getname", "$2\r\nme\r\n"),
    ("CLIENT SETNAME ", OK),
    ("CLIENT GETNAME", NULL),
    ("CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command\r\n"),
    ("CLIENT LIST a", SYNTAX),
    ("CLIENT LIST TYPE", SYNTAX),
    ("CLIENT LIST ID", SYNTAX),
    ("CLIENT LIST TYPE foo", "-ERR Unknown client type 'foo'\r\n"),
    ("CLIENT LIST TYPE replica", "$0\r\n\r\n"),
    ("CLIENT LIST ID x", "-ERR Invalid client ID\r\n"),
    ("CLIENT LIST ID 1 x", "-ERR Invalid client ID\r\n"),
    ("CLIENT LIST ID 999999", "$0\r\n\r\n"),
    ("COMMAND FOO", "-ERR unknown subcommand 'FOO'. Try COMMAND HELP.\r\n"),
    ("COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command\r\n"),
    ("COMMAND INFO foo", "*1\r\n$-1\r\n"),
    ("COMMAND DOCS foo", "*0\r\n"),
    ("CONFIG", "-ERR wrong number of arguments for 'config' command\r\n"),
    ("CONFIG FOO", "-ERR unknown subcommand 'FOO'. Try CONFIG HELP.\r\n"),
    ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"),
    ("CONFIG GET nothing", "*0\r\n"),
    ("CONFIG GET databases", "*2\r\n$9\r\ndatabases\r\n$2\r\n16\r\n"),
    ("CONFIG GET appendonly", "*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n"),
    ("CONFIG GET maxmemory-pol*", "*2\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction\r\n"),
    ("CONFIG SET maxmemory", "-ERR wrong number of arguments for 'config|set' command\r\n"),
    ("CONFIG SET maxmemory 1 foo", SYNTAX),
    ("CONFIG SET foo 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'\r\n"),
    (
        "CONFIG SET maxmemory x",
        "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value\r\n",
    ),
    ("SLOWLOG", "-ERR wrong number of arguments for 'slowlog' command\r\n"),
    ("SLOWLOG RESET", OK),
    ("SLOWLOG LEN", ":0\r\n"),
    ("SLOWLOG GET", "*0\r\n"),
    ("SLOWLOG GET -1", "*0\r\n"),
    ("SLOWLOG GET -2", "-ERR count should be greater than or equal to -1\r\n"),
    ("SLOWLOG GET x", "-ERR count should be greater than or equal to -1\r\n"),
    ("SLOWLOG GET 1 2", "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.\r\n"),
    ("SLOWLOG FOO", "-ERR unknown subcommand 'FOO'. Try SLOWLOG HELP.\r\n"),
    ("LATENCY LATEST", "*0\r\n"),
    ("LATENCY LATEST x", "-ERR wrong number of arguments for 'latency|latest' command\r\n"),
    ("LATENCY RESET", ":0\r\n"),
    ("INFO nothing", "$0\r\n\r\n"),
    ("INFO keyspace", "$12\r\n# Keyspace\r\n\r\n"),
];

const STRINGS: &[Row] = &[
    ("GET", "-ERR wrong number of arguments for 'get' command\r\n"),
    ("GET a b", "-ERR wrong number of arguments for 'get' command\r\n"),
    ("GET a", NULL),
    ("SET", "-ERR wrong number of arguments for 'set' command\r\n"),
    ("SET a", "-ERR wrong number of arguments for 'set' command\r\n"),
    ("SET a 1", OK),
    ("get a", "$1\r\n1\r\n"),
    ("SET a 2 FOO", SYNTAX),
    ("SET a 2 EX", SYNTAX),
    ("SET a 2 EX 10 PX 10", SYNTAX),
    ("SET a 2 EX 10 KEEPTTL", SYNTAX),
    ("SET a 2 KEEPTTL EX 10", SYNTAX),
    ("SET a 2 NX XX", SYNTAX),
    ("SET a 2 EX 100 x", SYNTAX),
    ("SET a 2 EX x", INTEGER),
    ("SET a 2 EX +1", INTEGER),
    ("SET a 2 PX 1.5", INTEGER),
    ("SET a 2 EX EX", INTEGER),
    ("SET a 2 PX 9223372036854775808", INTEGER),
    ("SET a 2 EX 0", "-ERR invalid expire time in 'set' command\r\n"),
    ("SET a 2 EX -1", "-ERR invalid expire time in 'set' command\r\n"),
    ("SET a 2 PX 9223372036854775807", "-ERR invalid expire time in 'set' command\r\n"),
    ("SET a 2 EX 9223372036854775", "-ERR invalid expire time in 'set' command\r\n"),
    ("SET a 2 PXAT 0", "-ERR invalid expire time in 'set' command\r\n"),
    ("GET a", "$1\r\n1\r\n"),
    ("SET a 2 NX", NULL),
    ("SET a 2 XX GET", "$1\r\n1\r\n"),
    ("SET b 2 XX", NULL),
    ("SET b 2 XX GET", NULL),
    ("SET b 2 NX GET", NULL),
    ("SET b 3 NX GET", "$1\r\n2\r\n"),
    ("MGET", "-ERR wrong number of arguments for 'mget' command\r\n"),
    ("MGET a b c a", "*4\r\n$1\r\n2\r\n$1\r\n2\r\n$-1\r\n$1\r\n2\r\n"),
    ("EXISTS", "-ERR wrong number of arguments for 'exists' command\r\n"),
    ("EXISTS a b c a", ":3\r\n"),
    ("DBSIZE", ":2\r\n"),
    ("DBSIZE x", "-ERR wrong number of arguments for 'dbsize' command\r\n"),
    ("INFO keyspace", "$44\r\n# Keyspace\r\ndb0:keys=2,expires=0,avg_ttl=0\r\n\r\n"),
    ("DEL", "-ERR wrong number of arguments for 'del' command\r\n"),
    ("DEL a a c", ":1\r\n"),
    ("SET  ", OK),
    ("GET ", "$0\r\n\r\n"),
    ("SELECT 1", OK),
    ("GET b", NULL),
    ("DBSIZE", ":0\r\n"),
    ("SET b other", OK),
    ("SELECT 0", OK),
    ("GET b", "$1\r\n2\r\n"),
    ("FLUSHDB", OK),
    ("DBSIZE", ":0\r\n"),
    ("SELECT 1", OK),
    ("DBSIZE", ":1\r\n"),
    ("FLUSHALL x", SYNTAX),
    ("FLUSHALL ASYNC x", SYNTAX),
    ("FLUSHALL async", OK),
    ("DBSIZE", ":0\r\n"),
];

const DEADLINES: &[Row] = &[
    ("PTTL", "-ERR wrong number of arguments for 'pttl' command\r\n"),
    ("TTL a x", "-ERR wrong number of arguments for 'ttl' command\r\n"),
    ("PEXPIRE a", "-ERR wrong number of arguments for 'pexpire' command\r\n"),
    ("PTTL a", ":-2\r\n"),
    ("TTL a", ":-2\r\n"),
    ("PEXPIRE a 10000", ":0\r\n"),
    ("PEXPIRE a x", INTEGER),
    ("SET a 1", OK),
    ("PTTL a", ":-1\r\n"),
    ("TTL a", ":-1\r\n"),
    ("PEXPIRE a 1 FOO", "-ERR Unsupported option FOO\r\n"),
    ("EXPIRE a 1 NX LT foo", "-ERR Unsupported option foo\r\n"),
    ("PEXPIRE a 1 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n"),
    ("PEXPIRE a 1 GT LT", "-ERR GT and LT options at the same time are not compatible\r\n"),
    ("PEXPIRE a 9223372036854775807", "-ERR invalid expire time in 'pexpire' command\r\n"),
    ("EXPIRE a 99999999999999999", "-ERR invalid expire time in 'expire' command\r\n"),
    ("EXPIRE a -9223372036854775808", "-ERR invalid expire time in 'expire' command\r\n"),
    ("PEXPIRE a 100000 XX", ":0\r\n"),
    ("PEXPIRE a 100000 GT", ":0\r\n"),
    ("PEXPIRE a 100000 LT", ":1\r\n"),
    ("PEXPIRE a 50000 NX", ":0\r\n"),
    ("PEXPIRE a 50000 GT", ":0\r\n"),
    ("PEXPIRE a 500000 xx gt", ":1\r\n"),
    ("TTL a", ":500\r\n"),
    ("SET a 2 KEEPTTL", OK),
    ("TTL a", ":500\r\n"),
    ("SET a 3", OK),
    ("TTL a", ":-1\r\n"),
    ("SET a 1 EX 100", OK),
    ("TTL a", ":100\r\n"),
    ("SET a 1 EX 10 ex 200", OK),
    ("TTL a", ":200\r\n"),
    ("SETEX a 300 4", OK),
    ("TTL a", ":300\r\n"),
    ("PSETEX a 400000 5", OK),
    ("TTL a", ":400\r\n"),
    ("GET a", "$1\r\n5\r\n"),
    ("SETEX a 300", "-ERR wrong number of arguments for 'setex' command\r\n"),
    ("SETEX a x 1", INTEGER),
    ("SETEX a 0 1", "-ERR invalid expire time in 'setex' command\r\n"),
    ("PSETEX a -1 1", "-ERR invalid expire time in 'psetex' command\r\n"),
    ("PEXPIRE a 0", ":1\r\n"),
    ("EXISTS a", ":0\r\n"),
    ("SET a 1", OK),
    ("EXPIRE a -1", ":1\r\n"),
    ("GET a", NULL),
    ("PEXPIRE a -9223372036854775808", ":0\r\n"),
    ("SET a 1 EXAT 1", OK),
    ("GET a", NULL),
    ("SET a 1 PXAT 9999999999999", OK),
    ("GET a", "$1\r\n1\r\n"),
];

const RESP3: &[Row] = &[
    ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
    ("HELLO -1", "-NOPROTO unsupported protocol version\r\n"),
    ("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"),
    ("HELLO 03", "-ERR Protocol version is not an integer or out of range\r\n"),
    ("HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"),
    ("HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'\r\n"),
    ("HELLO 3 AUTH default", "-ERR Syntax error in HELLO option 'AUTH'\r\n"),
    ("HELLO 3 AUTH foo x", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
    ("HELLO 3 SETNAME a\nb", "-ERR Client names cannot contain spaces, newlines or special characters.\r\n"),
    ("GET a", NULL),
    ("HELLO 3 SETNAME x FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"),
    ("CLIENT GETNAME", "$1\r\nx\r\n"),
    (
        "HELLO 2",
        "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n<version>$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:<id>\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
    ),
    (
        "hello 3 auth default any setname y",
        "%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n<version>$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:<id>\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
    ),
    ("CLIENT GETNAME", "$1\r\ny\r\n"),
    ("GET a", "_\r\n"),
    ("SET a 1 XX", "_\r\n"),
    ("SET a 1", OK),
    ("MGET a b", "*2\r\n$1\r\n1\r\n_\r\n"),
    ("FOO", "-ERR unknown command 'FOO', with args beginning with: \r\n"),
    ("CONFIG GET databases", "%1\r\n$9\r\ndatabases\r\n$2\r\n16\r\n"),
    ("CONFIG GET nothing", "%0\r\n"),
    ("COMMAND INFO foo", "*1\r\n_\r\n"),
    ("COMMAND DOCS foo", "%0\r\n"),
    ("INFO nothing", "=4\r\ntxt:\r\n"),
    ("INFO keyspace", "=48\r\ntxt:# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n\r\n"),
    ("HELLO 4", "-NOPROTO unsupported protocol version\r\n"),
    ("GET b", "_\r\n"),
    ("CLIENT SETNAME ", OK),
    ("CLIENT GETNAME", "_\r\n"),
    (
        "HELLO 2",
        "*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n<version>$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:<id>\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n",
    ),
    ("GET b", NULL),
];

const AUTH: &[Row] = &[
    ("AUTH", "-ERR wrong number of arguments for 'auth' command\r\n"),
    (
        "AUTH x",
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n",
    ),
    ("AUTH default x", OK),
    ("AUTH DEFAULT x", "-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
    ("AUTH a b c", SYNTAX),
];

pub(crate) async fn run(target: Target) {
    for rows in [CONNECTION, STRINGS, DEADLINES, RESP3, AUTH] {
        check(&target, rows).await;
    }
    long_words_are_cut(&mut target.connect().await).await;
    any_bytes_are_kept(&mut target.connect().await).await;
}

async fn long_words_are_cut(connection: &mut Connection) {
    let x = |count| "x".repeat(count);
    let one = connection.ask(&format!("foo {}", x(200))).await;
    assert_eq!(one, format!("-ERR unknown command 'foo', with args beginning with: '{}' \r\n", x(128)));
    let many = connection.ask(&format!("foo{}", " abcdefgh".repeat(30))).await;
    let repeated = "'abcdefgh' ".repeat(11);
    assert_eq!(many, format!("-ERR unknown command 'foo', with args beginning with: {repeated}'abcdefg' \r\n"));
    let name = connection.ask(&x(200)).await;
    assert_eq!(name, format!("-ERR unknown command '{}', with args beginning with: \r\n", x(128)));
    let sub = connection.ask(&format!("CLIENT {}", x(200))).await;
    assert_eq!(sub, format!("-ERR unknown subcommand '{}'. Try CLIENT HELP.\r\n", x(128)));
}

async fn any_bytes_are_kept(connection: &mut Connection) {
    let all = (0..=255).collect::<Vec<u8>>();
    let large = vec![b'z'; 300_000];
    for value in [&all, &large] {
        assert_eq!(connection.ask_raw(&[&b"SET"[..], &all, value]).await, OK);
        let reply = connection.ask_raw(&[&b"GET"[..], &all]).await;
        let expected = [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat();
        assert!(reply == expected, "{}", reply.slice(..40).escape_ascii());
    }
    let unknown = connection.ask_raw(&[&b"\xff\xfe"[..], b"\x80"]).await;
    assert_eq!(unknown, Bytes::from_static(b"-ERR unknown command '\xff\xfe', with args beginning with: '\x80' \r\n"));
}
