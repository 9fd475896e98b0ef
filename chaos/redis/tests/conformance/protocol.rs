//! Bytes that are no request.

use crate::target::Target;

/// Bytes that are sent, and what comes before the server closes the connection.
const REFUSED: &[(&[u8], &str)] = &[
    (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*01\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*+1\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\nPING\r\n", "-ERR Protocol error: expected '$', got 'P'\r\n"),
    (b"*1\r\n\r\n", "-ERR Protocol error: expected '$', got ' '\r\n"),
    (b"*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$04\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$-1\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$536870913\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"GET \"a\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"GET \"a\"b\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"*1\r\n$4\r\nping\r\n*1\r\n*1\r\n", "+PONG\r\n-ERR Protocol error: expected '$', got '*'\r\n"),
    (b"PING\r\nQUIT\r\n", "+PONG\r\n+OK\r\n"),
];

/// Requests, and their replies; the connection stays.
const TAKEN: &[(&[u8], &[&str])] = &[
    (b"\r\n  \r\nPING\r\n", &["+PONG\r\n"]),
    (b"PING\n", &["+PONG\r\n"]),
    (b"ping  hello \r\n", &["$5\r\nhello\r\n"]),
    (b"*0\r\n*-1\r\nPING\r\n", &["+PONG\r\n"]),
    (b"SET a \"x y\\n\\x41\"\r\nGET a\r\n", &["+OK\r\n", "$5\r\nx y\nA\r\n"]),
    (b"SET a 'x\\'y'\r\nGET a\r\n", &["+OK\r\n", "$3\r\nx'y\r\n"]),
    (b"$4\r\nPING\r\n", &["-ERR unknown command '$4', with args beginning with: \r\n", "+PONG\r\n"]),
    // What stands for CR LF behind a string isn't looked at.
    (b"*1\r\n$4\r\nPINGxxPING\r\n", &["+PONG\r\n", "+PONG\r\n"]),
];

pub(crate) async fn run(target: Target) {
    for (sent, expected) in REFUSED {
        let mut connection = target.connect().await;
        connection.write(sent).await;
        assert_eq!(String::from_utf8_lossy(&connection.read_to_end().await), *expected, "{}", sent.escape_ascii());
    }
    for (start, text) in [
        (&b"*"[..], "too big mbulk count string"),
        (b"*1\r\n$", "too big bulk count string"),
        (b"1", "too big inline request"),
    ] {
        let mut connection = target.connect().await;
        connection.write(&[start, &[b'1'; 66_000]].concat()).await;
        let reply = connection.read_to_end().await;
        assert_eq!(String::from_utf8_lossy(&reply), format!("-ERR Protocol error: {text}\r\n"));
    }
    let mut connection = target.connect().await;
    for (sent, expected) in TAKEN {
        connection.write(sent).await;
        for reply in *expected {
            assert_eq!(connection.read().await, reply.as_bytes(), "{}", sent.escape_ascii());
        }
    }
}
