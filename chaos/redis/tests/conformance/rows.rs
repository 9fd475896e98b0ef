//! Requests with the replies that they must get.

use crate::target::Target;

/// A request's words, set apart by single spaces (so that two in a row are an empty word), and its reply.
pub(crate) type Row = (&'static str, &'static str);

pub(crate) const INTEGER: &str = "-ERR value is not an integer or out of range\r\n";
pub(crate) const SYNTAX: &str = "-ERR syntax error\r\n";
pub(crate) const OK: &str = "+OK\r\n";
pub(crate) const NULL: &str = "$-1\r\n";

/// Asks one after the other on a connection of its own to an empty server.
pub(crate) async fn check(target: &Target, rows: &[Row]) {
    let mut connection = target.connect().await;
    assert_eq!(connection.ask("FLUSHALL").await, OK);
    for (request, reply) in rows {
        assert_eq!(without_identity(&connection.ask(request).await), *reply, "{request}");
    }
}

/// Takes out of `HELLO`'s reply what differs between servers and connections.
fn without_identity(reply: &str) -> String {
    let (version, id) = ("$7\r\nversion\r\n", "$2\r\nid\r\n:");
    let cut = |text: &str, mark: &str, lines: usize, instead: &str| match text.split_once(mark) {
        Some((before, after)) => {
            let rest = after.splitn(lines + 1, "\r\n").nth(lines).unwrap_or_default();
            format!("{before}{mark}{instead}{rest}")
        }
        None => text.to_owned(),
    };
    cut(&cut(reply, version, 2, "<version>"), id, 1, "<id>\r\n")
}
