//! Many requests before the first reply is read.

use crate::target::Target;
use bytes::BytesMut;
use chaos_redis::codec::Request;

pub(crate) async fn run(target: Target) {
    replies_come_in_order(&target).await;
    requests_may_come_byte_by_byte(&target).await;
    nothing_behind_quit_is_answered(&target).await;
}

async fn replies_come_in_order(target: &Target) {
    let mut connection = target.connect().await;
    let mut requests = BytesMut::new();
    let value = "v".repeat(500);
    for n in 0..2000 {
        Request::encode(&["SET", &format!("key {n}"), &format!("{n} {value}")], &mut requests);
        Request::encode(&["GET", &format!("key {}", n / 2)], &mut requests);
        Request::encode(&["FOO"], &mut requests);
    }
    let replies = connection.write_and_read(&requests, 3 * 2000).await;
    for (n, replies) in replies.chunks(3).enumerate() {
        assert_eq!(replies[0], "+OK\r\n");
        let expected = format!("{} {value}", n / 2);
        assert_eq!(replies[1], format!("${}\r\n{expected}\r\n", expected.len()));
        assert!(replies[2].starts_with(b"-ERR unknown command 'FOO'"), "{}", replies[2].escape_ascii());
    }
    assert_eq!(connection.ask("DBSIZE").await, ":2000\r\n");
}

async fn requests_may_come_byte_by_byte(target: &Target) {
    let mut connection = target.connect().await;
    for byte in b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\nGET a\r\n*1\r\n$4\r\nPING\r\n" {
        connection.write(&[*byte]).await;
    }
    for reply in ["+OK\r\n", "$2\r\n\r\n\r\n", "+PONG\r\n"] {
        assert_eq!(connection.read().await, reply);
    }
}

async fn nothing_behind_quit_is_answered(target: &Target) {
    let mut connection = target.connect().await;
    connection.write(b"SET q 1\r\nQUIT now\r\nSET q 2\r\nPING\r\n").await;
    assert_eq!(connection.read_to_end().await, b"+OK\r\n+OK\r\n");
    assert_eq!(target.connect().await.ask("GET q").await, "$1\r\n1\r\n");
}
