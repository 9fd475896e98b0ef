//! Each edit: what the client reads, what reaches the server, and what goes to the ledger.

use super::wire::{CLOSE, Happens, Wire, command, delayed, edit, late, with};
use crate::protocol::Unreadable;
use crate::protocols::redis::values::Values;
use chaos_model::Direction;
use chaos_model::effect::action::{Part, ReplyEdit};
use std::sync::Arc;

const LOADING: &str = "LOADING Redis is loading the dataset in memory";

fn loading() -> ReplyEdit {
    ReplyEdit::Error(LOADING.to_owned())
}

fn fired(wire: &Wire) -> usize {
    wire.fired.len()
}

#[test]
fn an_error_stands_where_its_reply_would_and_the_server_is_not_asked() {
    let mut wire = Wire::editing("SET", loading());
    wire.commands(&["GET a", "SET b 1", "GET c", "SET d 1"]);
    assert_eq!(wire.to_server(), format!("{}{}", text("GET a"), text("GET c")));
    assert!(wire.to_client().is_empty(), "before its turn");
    wire.server("$1\r\n1\r\n");
    assert_eq!(wire.replies(), ["1", LOADING]);
    wire.server("$1\r\n").server("3\r\n");
    assert_eq!(wire.replies(), ["1", LOADING, "3", LOADING]);
    assert_eq!(wire.rules.asked, ["GET a", "SET b", "GET c", "SET d"]);
    assert_eq!(fired(&wire), 2);
}

#[test]
fn an_error_comes_at_once_where_nothing_is_awaited_and_not_within_a_push() {
    let mut wire = Wire::editing("GET", loading()).in_resp3();
    wire.commands(&["GET a"]);
    assert_eq!(wire.replies(), [LOADING]);
    wire.server(">2\r\n+invalidate\r\n").commands(&["GET b"]).server("*1\r\n+k\r\n");
    assert_eq!(wire.replies(), [LOADING, "[invalidate [k]]", LOADING]);
    assert_eq!(wire.to_server(), "");
}

#[test]
fn the_bytes_of_a_large_command_are_left_out_as_they_come() {
    let mut wire = Wire::editing("SET", loading());
    wire.client("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
    for _ in 0..10 {
        wire.client([b'v'; 100_000]);
        assert_eq!((wire.held(Direction::Upstream), wire.to_client().len()), (0, 0));
    }
    wire.client("\r\n").commands(&["PING"]);
    assert_eq!((wire.to_server(), wire.replies()), (text("PING"), vec![LOADING.to_owned()]));
}

#[test]
fn a_miss_is_what_each_read_says_when_there_is_nothing() {
    let nothing = |line: &str, resp3: bool| {
        let wire = Wire::under(|_, _| Some(edit(ReplyEdit::Miss)));
        let mut wire = if resp3 { wire.in_resp3() } else { wire };
        wire.commands(&[line]);
        assert_eq!((wire.to_server().as_str(), fired(&wire)), ("", 1), "{line}");
        String::from_utf8(wire.to_client().to_vec()).unwrap()
    };
    for (line, resp2, resp3) in [
        ("GET a", "$-1\r\n", "_\r\n"),
        ("get a", "$-1\r\n", "_\r\n"),
        ("MGET a b", "*2\r\n$-1\r\n$-1\r\n", "*2\r\n_\r\n_\r\n"),
        ("HMGET a f g", "*2\r\n$-1\r\n$-1\r\n", "*2\r\n_\r\n_\r\n"),
        ("HGETALL a", "*0\r\n", "%0\r\n"),
        ("SMEMBERS a", "*0\r\n", "~0\r\n"),
        ("LRANGE a 0 -1", "*0\r\n", "*0\r\n"),
        ("EXISTS a b", ":0\r\n", ":0\r\n"),
        ("TTL a", ":-2\r\n", ":-2\r\n"),
        ("TYPE a", "+none\r\n", "+none\r\n"),
        ("GETRANGE a 0 1", "$0\r\n\r\n", "$0\r\n\r\n"),
        ("SMISMEMBER a x y", "*2\r\n:0\r\n:0\r\n", "*2\r\n:0\r\n:0\r\n"),
        ("XREAD STREAMS s 0", "*-1\r\n", "_\r\n"),
        ("HSCAN a 0", "*2\r\n$1\r\n0\r\n*0\r\n", "*2\r\n$1\r\n0\r\n*0\r\n"),
        ("SRANDMEMBER a", "$-1\r\n", "_\r\n"),
        ("SRANDMEMBER a 2", "*0\r\n", "*0\r\n"),
    ] {
        assert_eq!((nothing(line, false).as_str(), nothing(line, true).as_str()), (resp2, resp3), "{line}");
    }
}

#[test]
fn what_does_not_fit_a_command_does_not_happen() {
    let wrong = ReplyEdit::Wrong { value: Some("x".to_owned()) };
    for (line, [first, second], what) in [
        ("SET a 1", ["+OK\r\n", "$1\r\n1\r\n"], ReplyEdit::Miss),
        ("GETEX a", ["$1\r\n1\r\n", "$1\r\n2\r\n"], ReplyEdit::Miss),
        ("SET a 1", ["+OK\r\n", "$-1\r\n"], ReplyEdit::Stale),
        ("MGET a b", ["*2\r\n$1\r\n1\r\n_\r\n", "*0\r\n"], ReplyEdit::Stale),
        ("HGETALL a", ["*0\r\n", "*1\r\n:1\r\n"], wrong.clone()),
        ("MGET a", ["*1\r\n$1\r\n1\r\n", "*0\r\n"], wrong.clone()),
        ("OBJECT ENCODING a", ["$3\r\nraw\r\n", "$3\r\nint\r\n"], wrong.clone()),
        ("GET a", ["$-1\r\n", "_\r\n"], wrong.clone()),
        ("GET a", ["-ERR no\r\n", "+what\r\n"], wrong),
    ] {
        let values = Arc::new(Values::default());
        let mut wire = Wire::under(move |_, _| Some(with(&values, edit(what.clone()))));
        wire.commands(&[line, line]).server(first).server(second);
        assert_eq!(wire.to_server(), text(line).repeat(2), "{line}");
        assert_eq!(String::from_utf8_lossy(wire.to_client()), format!("{first}{second}"), "{line}");
        assert!(wire.fired.is_empty(), "{line}");
    }
}

#[test]
fn a_stale_value_is_the_first_that_was_seen_on_any_connection() {
    let values = Arc::new(Values::default());
    let wire = || {
        let values = Arc::clone(&values);
        Wire::under(move |name, _| (name == "GET").then(|| with(&values, edit(ReplyEdit::Stale))))
    };
    let (mut one, mut other) = (wire(), wire());
    one.commands(&["GET a"]).server("$3\r\nold\r\n");
    assert_eq!((one.replies(), fired(&one)), (vec!["old".to_owned()], 0), "the first is what it is");
    other.commands(&["get a", "GET b", "SELECT 1", "GET a"]);
    other.server("$5\r\nnewer\r\n$1\r\nb\r\n+OK\r\n$5\r\nother\r\n");
    assert_eq!((other.replies(), fired(&other)), (vec!["old".into(), "b".into(), "OK".into(), "other".into()], 1));
    one.commands(&["GET a"]).server("$3\r\nold\r\n");
    assert_eq!((one.replies(), fired(&one)), (vec!["old".to_owned(); 2], 0), "the same is not stale");
}

#[test]
fn that_there_was_nothing_can_be_stale_too_but_an_error_is_passed_on() {
    let values = Arc::new(Values::default());
    let mut wire = Wire::under(move |_, _| Some(with(&values, edit(ReplyEdit::Stale)))).in_resp3();
    wire.commands(&["GET a", "GET a", "GET a"]).server("-ERR not yet\r\n_\r\n$1\r\n1\r\n");
    assert_eq!((wire.replies(), fired(&wire)), (vec!["ERR not yet".into(), "null".into(), "null".into()], 1));
}

#[test]
fn a_wrong_value_is_given_or_anothers_or_its_own_in_reverse() {
    let mut wire = Wire::editing("GET", ReplyEdit::Wrong { value: Some("{}".to_owned()) });
    wire.commands(&["GET a", "PING"]).server("$10\r\n01234").server("56789\r\n+PONG\r\n");
    assert_eq!((wire.replies(), fired(&wire)), (vec!["{}".into(), "PONG".to_owned()], 1));

    let values = Arc::new(Values::default());
    let wrong = ReplyEdit::Wrong { value: None };
    let mut wire = Wire::under(move |_, _| Some(with(&values, edit(wrong.clone()))));
    wire.commands(&["GET a", "GET a", "GET b", "GET a"]);
    wire.server("$3\r\none\r\n$3\r\ntwo\r\n$5\r\nthree\r\n$4\r\nfour\r\n");
    assert_eq!((wire.replies(), fired(&wire)), (vec!["eno".into(), "owt".into(), "two".into(), "three".to_owned()], 4));
}

#[test]
fn a_truncated_reply_is_its_beginning_and_the_end_of_the_connection() {
    for (part, reply, read) in [
        (Part::PerMillion(500_000), "$10\r\n0123456789\r\n", "$10\r\n012"),
        (Part::PerMillion(500_000), "*2\r\n:1\r\n:2\r\n", "*2\r\n:1"),
        (Part::Bytes(3), "$10\r\n0123456789\r\n", "$10"),
        (Part::Bytes(0), "+OK\r\n", ""),
        (Part::Bytes(100), "+OK\r\n", "+OK\r\n"),
    ] {
        let mut wire = Wire::editing("GET", Happens::Truncate(part));
        wire.commands(&["PING", "GET a", "PING"]).server("+PONG\r\n");
        wire.server(reply).server("+PONG\r\n");
        assert_eq!(String::from_utf8_lossy(wire.to_client()), format!("+PONG\r\n{read}"), "{part:?}");
        assert!(wire.has_ended && fired(&wire) == 1, "{part:?}");
        wire.commands(&["GET b"]).server("+late\r\n");
    }
}

#[test]
fn the_length_of_a_string_is_enough_to_truncate_it() {
    let mut wire = Wire::editing("GET", Happens::Truncate(Part::PerMillion(500_000)));
    wire.commands(&["GET a"]).server("$10\r\n").server("01").server("234");
    assert_eq!((String::from_utf8_lossy(wire.to_client()).as_ref(), wire.has_ended), ("$10\r\n012", true));
    let mut wire = Wire::editing("GET", Happens::Truncate(Part::PerMillion(500_000)));
    wire.commands(&["GET a"]).server("$33554432\r\n");
    for _ in 0..32 {
        wire.server(vec![b'v'; 1024 * 1024]);
        assert_eq!(wire.held(Direction::Downstream), 0);
    }
    // Half of 33554432 bytes, of 11 of the head and of 2 behind it.
    assert_eq!((wire.to_client().len(), wire.has_ended), (16_777_222, true));
}

#[test]
fn a_value_that_is_too_long_to_be_kept_is_spared() {
    for what in [ReplyEdit::Stale, ReplyEdit::Wrong { value: None }] {
        let mut wire = Wire::editing("GET", what);
        wire.commands(&["GET a"]).server("$2000000\r\n").server(vec![b'v'; 2_000_000]).server("\r\n");
        assert_eq!((wire.to_client().len(), fired(&wire)), (2_000_012, 0));
        assert_eq!(wire.rules.spared, [("edit".to_owned(), Unreadable::LongBody)]);
    }
}

#[test]
fn a_read_that_is_too_long_to_be_told_apart_from_others_is_spared() {
    for what in [ReplyEdit::Stale, ReplyEdit::Wrong { value: None }] {
        let key = "k".repeat(1100);
        let mut wire = Wire::editing("GET", what);
        wire.commands(&[&format!("GET {key}"), "SET a 1"]).server("$1\r\n1\r\n+OK\r\n");
        assert_eq!((wire.replies(), fired(&wire)), (vec!["1".to_owned(), "OK".to_owned()], 0));
        assert_eq!(wire.rules.spared, [("edit".to_owned(), Unreadable::LongHead)]);
    }
}

#[test]
fn the_connection_is_closed_in_place_of_the_reply() {
    let mut wire = Wire::editing("GET", CLOSE);
    wire.commands(&["PING", "GET a"]).server("+PONG\r\n");
    assert!(!wire.has_ended);
    wire.server("$");
    assert_eq!((wire.replies(), wire.has_ended, fired(&wire)), (vec!["PONG".to_owned()], true, 1));
    assert_eq!(wire.to_server(), format!("{}{}", text("PING"), text("GET a")), "the server is asked");
}

#[test]
fn a_lost_reply_lets_the_next_one_be_read_in_its_place_and_the_filter_stays_in_step() {
    let mut wire = Wire::editing("GET", ReplyEdit::Lose);
    wire.commands(&["GET a", "PING", "GET b", "PING"]).server("$1\r\n1\r\n+1\r\n$1\r\n").server("2\r\n+2\r\n");
    assert_eq!((wire.replies(), fired(&wire)), (vec!["1".to_owned(), "2".to_owned()], 2));
    wire.rules.asked.clear();
    wire.commands(&["GET c"]).server("*1\r\n:1\r\n").commands(&["PING"]).server("+3\r\n");
    assert_eq!(wire.replies(), ["1", "2", "3"]);
}

#[test]
fn a_delayed_reply_waits_and_counts_those_behind_it() {
    let mut wire = Wire::under(|name, _| (name == "GET").then(late));
    wire.commands(&["PING", "GET a", "PING", "PING", "ECHO x"]).server("+PONG\r\n$1\r\n1\r\n+a\r\n");
    assert_eq!((wire.replies(), &wire.waits[..]), (vec!["PONG".into(), "1".into(), "a".to_owned()], &[7][..]));
    assert_eq!(wire.fired, [("delay".to_owned(), 3)]);
}

#[test]
fn a_delay_and_an_edit_are_told_apart() {
    let mut wire = Wire::under(|name, _| Some(delayed(edit(if name == "GET" { loading() } else { ReplyEdit::Miss }))));
    wire.commands(&["SET a 1", "GET a", "PING"]);
    assert!(wire.waits.is_empty());
    wire.server("+OK\r\n");
    assert_eq!((wire.replies(), &wire.waits[..]), (vec!["OK".to_owned(), LOADING.to_owned()], &[0, 5][..]));
    let names = wire.fired.iter().map(|(name, bystanders)| (name.as_str(), *bystanders)).collect::<Vec<_>>();
    assert_eq!(names, [("delay", 2), ("delay", 1), ("edit", 0)], "a write has no miss");
}

/// A command as it looks on the wire.
fn text(line: &str) -> String {
    command(line).escape_ascii().to_string()
}
