//! Tests of subscriptions and of `MONITOR`: what a server sends by itself, and how it ends.

use super::wire::{Wire, all, late};
use crate::protocol::{Filter as _, Unreadable};
use chaos_model::{Direction, effect::action::ReplyEdit};

const ERROR: &str = "ERR no";

fn refusing_reads() -> Wire {
    Wire::editing("GET", ReplyEdit::Error(ERROR.to_owned()))
}

/// A confirmation, with how many subscriptions are left.
fn confirm(mark: char, kind: &str, channel: &str, left: u64) -> String {
    let (length, size) = (kind.len(), channel.len());
    format!("{mark}3\r\n${length}\r\n{kind}\r\n${size}\r\n{channel}\r\n:{left}\r\n")
}

#[test]
fn those_of_resp3_are_confirmed_by_pushes() {
    let confirm = |kind, channel, left| confirm('>', kind, channel, left);
    let mut wire = refusing_reads().in_resp3();
    wire.commands(&["SUBSCRIBE a b", "GET a"]).server(confirm("subscribe", "a", 1));
    wire.server(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n!\r\n");
    assert_eq!(wire.replies().len(), 2, "the second confirmation is awaited");
    wire.server(confirm("subscribe", "b", 2));
    assert_eq!(wire.replies()[2..], ["[subscribe b 2]", ERROR]);
    // An error is one reply, whatever the number of channels.
    wire.commands(&["SUBSCRIBE c d", "PING"]).server("-NOPERM no\r\n+PONG\r\n");
    // Of all that there are.
    wire.commands(&["UNSUBSCRIBE", "GET a"]).server(confirm("unsubscribe", "a", 1));
    assert_eq!(wire.replies().len(), 7);
    wire.server(confirm("unsubscribe", "b", 0));
    assert_eq!(wire.replies()[7..], ["[unsubscribe b 0]", ERROR]);
    // Of none.
    wire.commands(&["PUNSUBSCRIBE", "GET a"]).server(">3\r\n$12\r\npunsubscribe\r\n_\r\n:0\r\n");
    assert_eq!(wire.replies()[9..], ["[punsubscribe null 0]", ERROR]);
    assert!(!wire.filter.is_lost());
}

#[test]
fn those_of_resp2_are_told_from_replies_by_their_words() {
    let confirm = |kind, channel, left| confirm('*', kind, channel, left);
    for cut in 1..40 {
        let mut wire = refusing_reads();
        wire.commands(&["LRANGE a 0 -1", "SUBSCRIBE a", "PSUBSCRIBE b*", "PING"]);
        let mut bytes = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n!\r\n".to_owned();
        bytes += &confirm("subscribe", "a", 1);
        bytes += "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$9\r\nsubscribe\r\n";
        bytes += &confirm("psubscribe", "b*", 2);
        bytes += "*4\r\n$8\r\npmessage\r\n$2\r\nb*\r\n$1\r\nb\r\n$1\r\n!\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n";
        for piece in bytes.as_bytes().chunks(cut) {
            wire.server(piece);
        }
        assert_eq!(wire.to_client(), bytes.as_bytes(), "{cut}");
        // The server refuses it, whatever a fault would do.
        wire.commands(&["GET a"]).server("-ERR Can't execute 'get'\r\n");
        assert_eq!((wire.fired.len(), wire.held(Direction::Downstream)), (0, 0), "{cut}");
        assert_eq!(wire.rules.spared, [("GET a".to_owned(), Unreadable::Subscription)], "{cut}");
        wire.commands(&["UNSUBSCRIBE", "PUNSUBSCRIBE", "GET a"]);
        let ends = confirm("unsubscribe", "a", 1) + &confirm("punsubscribe", "b*", 0);
        for piece in ends.as_bytes().chunks(cut) {
            wire.server(piece);
        }
        wire.commands(&["GET b", "LRANGE a 0 -1", "GET c"]).server("*3\r\n$7\r\nmessage\r\n+a\r\n+b\r\n");
        let last = wire.replies().split_off(7);
        let expected = ["[unsubscribe a 1]", "[punsubscribe b* 0]", ERROR, ERROR, "[message a b]", ERROR];
        assert_eq!((last, wire.filter.is_lost()), (expected.map(str::to_owned).to_vec(), false), "{cut}");
    }
}

#[test]
fn the_protocol_may_change_in_one_packet_with_them() {
    for (hello, mark) in [("%1\r\n+proto\r\n:3\r\n", '>'), ("-NOPROTO no\r\n", '*')] {
        let mut wire = refusing_reads();
        wire.commands(&["HELLO 3", "SUBSCRIBE a", "GET a", "MGET a"]);
        wire.server(hello.to_owned() + &confirm(mark, "subscribe", "a", 1) + "*1\r\n+x\r\n");
        assert_eq!(wire.to_server(), all(&["HELLO 3", "SUBSCRIBE a", "MGET a"]));
        assert_eq!(
            (wire.replies()[1..].to_vec().join(" "), wire.filter.is_lost()),
            (format!("[subscribe a 1] {ERROR} [x]"), false)
        );
    }
}

#[test]
fn the_reply_to_a_subscription_is_not_delayed_and_that_is_told() {
    let mut wire = Wire::under(|_, _| Some(late()));
    wire.commands(&["SUBSCRIBE a"]).server(confirm('*', "subscribe", "a", 1));
    assert_eq!((wire.waits.len(), wire.fired.len()), (0, 0));
    assert_eq!(wire.rules.spared, [("delay".to_owned(), Unreadable::Subscription)]);
}

#[test]
fn a_reset_ends_them_and_the_monitor_without_a_word() {
    let line = "+1339518083.107412 [0 127.0.0.1:60866] \"get\" \"a\"\r\n";
    for (command, reply, sent) in [
        ("MONITOR", "+OK\r\n".to_owned(), line.to_owned()),
        ("SUBSCRIBE a", confirm('*', "subscribe", "a", 1), "*3\r\n$7\r\nmessage\r\n+a\r\n+b\r\n".to_owned()),
        ("SSUBSCRIBE a", confirm('*', "ssubscribe", "a", 1), "*3\r\n$8\r\nsmessage\r\n+a\r\n+b\r\n".to_owned()),
    ] {
        let mut wire = refusing_reads();
        wire.commands(&[command]).server(reply + &sent).commands(&["PING"]).server("+").server("PONG\r\n");
        wire.server(sent.clone()).commands(&["RESET", "GET a"]).server(sent + "+RESET\r\n");
        wire.commands(&["GET b", "LRANGE a 0 -1"]).server("*3\r\n$7\r\nmessage\r\n+a\r\n+b\r\n");
        let replies = wire.replies();
        assert_eq!(replies[replies.len() - 4..], ["RESET", ERROR, ERROR, "[message a b]"], "{command}");
        assert!(!wire.filter.is_lost(), "{command}");
    }
}
