//! Writes while the memory is full.

use crate::target::Target;

const OOM: &str = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

pub(crate) async fn run(target: Target) {
    let mut connection = target.connect().await;
    assert_eq!(connection.ask("SET a 1").await, "+OK\r\n");
    for (request, reply) in [
        ("CONFIG SET maxmemory 1", "+OK\r\n"),
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$1\r\n1\r\n"),
        ("SET b 1", OOM),
        ("SET a 2", OOM),
        ("SET a 2 FOO", OOM),
        ("SET a", "-ERR wrong number of arguments for 'set' command\r\n"),
        ("GET a", "$1\r\n1\r\n"),
        ("MGET a b", "*2\r\n$1\r\n1\r\n$-1\r\n"),
        ("PEXPIRE a 100000", ":1\r\n"),
        ("PTTL b", ":-2\r\n"),
        ("CLIENT SETNAME me", "+OK\r\n"),
        ("SELECT 1", "+OK\r\n"),
        ("SELECT 0", "+OK\r\n"),
        ("PING", "+PONG\r\n"),
        ("DEL a", ":1\r\n"),
        ("SET a 2", OOM),
        ("FLUSHALL", "+OK\r\n"),
        ("CONFIG SET maxmemory 64mb", "+OK\r\n"),
        ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$8\r\n67108864\r\n"),
        ("SET b 1", "+OK\r\n"),
    ] {
        assert_eq!(connection.ask(request).await, reply, "{request}");
    }
}
