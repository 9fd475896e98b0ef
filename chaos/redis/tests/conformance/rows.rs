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
        assert_eq!(without_average(&without_identity(&connection.ask(request).await)), *reply, "{request}");
    }
}

/// `INFO keyspace` with an average time to live of 0, and the length in front (`$56` or `=56`) that goes with it: the real
/// server works the average out now and then in the background, and keeps it when it no longer holds.
pub(crate) fn without_average(reply: &str) -> String {
    let without = || {
        let (length, text) = reply.split_once("\r\n")?;
        let (before, average) = text.split_once(",avg_ttl=")?;
        let digits = average.find(|letter: char| !letter.is_ascii_digit())?;
        let (kind, length) = length.split_at_checked(1)?;
        let length = length.parse::<usize>().ok()?.checked_sub(digits)? + "0".len();
        Some(format!("{kind}{length}\r\n{before},avg_ttl=0{}", &average[digits..]))
    };
    without().unwrap_or_else(|| reply.to_owned())
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
