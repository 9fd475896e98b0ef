//! Tests of what is held, and for how long.

use super::wire::{Wire, edit, with};
use crate::{
    protocol::{Filter as _, Unreadable},
    protocols::redis::values::Values,
};
use chaos_model::{Direction, effect::action::ReplyEdit};
use std::sync::Arc;

#[test]
fn a_write_is_held_until_its_key_is_known() {
    let mut wire = Wire::under(|_, _| None);
    wire.client("*3\r\n$3\r\nSET\r\n$10\r\n01234");
    assert_eq!(wire.held(Direction::Upstream), 23);
    wire.client("56789\r\n$100000000\r\n");
    assert_eq!((wire.held(Direction::Upstream), &wire.rules.asked[..]), (0, &["SET 0123456789".to_owned()][..]));
}

#[test]
fn keys_without_end_are_decided_on_by_what_is_known() {
    let mut wire = Wire::under(|_, _| None);
    wire.client("*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1000000\r\n");
    for _ in 0..20 {
        wire.client([b'k'; 50_000]);
        assert!(wire.held(Direction::Upstream) < 64 * 1024);
    }
    assert_eq!((wire.held(Direction::Upstream), &wire.rules.asked[..]), (0, &["MGET a".to_owned()][..]));
}

#[test]
fn nothing_is_held_where_no_fault_acts_on_commands() {
    let mut wire = Wire::clear();
    for byte in b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n" {
        wire.client([*byte]);
        assert_eq!(wire.held(Direction::Upstream), 0);
    }
    for byte in b"$3\r\nold\r\n" {
        wire.server([*byte]);
        assert_eq!(wire.held(Direction::Downstream), 0);
    }
    assert!(wire.rules.asked.is_empty());
}

#[test]
fn values_that_are_too_long_are_not_kept() {
    let values = Arc::new(Values::default());
    for what in [ReplyEdit::Stale, ReplyEdit::Wrong { value: None }] {
        let values = Arc::clone(&values);
        let mut wire = Wire::under(move |_, _| Some(with(&values, edit(what.clone()))));
        wire.commands(&["GET a", "GET a"]);
        for _ in 0..2 {
            wire.server("$30000000\r\n");
            for _ in 0..30 {
                wire.server(vec![b'v'; 1_000_000]);
                assert_eq!(wire.held(Direction::Downstream), 0);
            }
            wire.server("\r\n");
        }
        assert_eq!((wire.to_client().len(), wire.fired.len()), (2 * (30_000_000 + 13), 0));
    }
}

#[test]
fn a_long_pipeline_is_followed_and_only_so_many_edits_are_kept() {
    const PAIRS: usize = 100_000;
    let mut wire = Wire::clear();
    for _ in 0..100_000 {
        wire.client("*1\r\n$4\r\nPING\r\n");
    }
    assert!(!wire.filter.is_lost());
    for _ in 0..100_000 {
        wire.server("+PONG\r\n");
    }
    wire.commands(&["PING"]).server("+PONG\r\n");
    assert!(!wire.filter.is_lost());

    let mut wire = Wire::editing("GET", ReplyEdit::Error("ERR no".to_owned()));
    wire.commands(&["PING", "GET a"]);
    for _ in 0..PAIRS {
        wire.commands(&["GET a", "PING"]);
    }
    let answered = wire.rules.asked.iter().filter(|asked| *asked == "GET a").count();
    assert!((60_000..70_000).contains(&answered), "{answered}");
    let spared =
        wire.rules.spared.iter().filter(|spared| **spared == ("GET a".to_owned(), Unreadable::Pipeline)).count();
    assert_eq!(spared + answered, PAIRS + 1);
    // `GET a` has 20 bytes and `PING` 14: what did not reach the server is answered, and the rest is still followed.
    assert_eq!(wire.arrived(Direction::Upstream).len(), (PAIRS + 1) * 34 - answered * 20);
    let replies = 2 * (PAIRS + 1) - answered;
    for _ in 0..replies {
        wire.server("+PONG\r\n");
    }
    assert_eq!((wire.fired.len(), wire.replies().len()), (answered, replies + answered));
    wire.commands(&["GET a"]);
    assert_eq!((wire.fired.len(), wire.filter.is_lost()), (answered + 1, false));
}

#[test]
fn another_protocol_passes_at_once() {
    for hello in [&b"\x16\x03\x01\x02\0\x01\0"[..], b"*x\r\n", b"*1\r\n+PING\r\n"] {
        let mut wire = Wire::under(|_, _| None);
        wire.client(hello).server(b"\x16\x03\x03");
        assert_eq!(
            (wire.held(Direction::Upstream), wire.held(Direction::Downstream), wire.filter.is_lost()),
            (0, 0, true)
        );
        assert_eq!(
            (wire.arrived(Direction::Upstream), wire.arrived(Direction::Downstream)),
            (hello, &b"\x16\x03\x03"[..])
        );
    }
}
