//! Tests of transactions: what a fault does to a command between `MULTI` and `EXEC`.

use super::wire::{CLOSE, Wire, all, delayed, edit, late, with};
use crate::{
    protocol::{Filter as _, Unreadable},
    protocols::redis::values::Values,
};
use chaos_model::{
    Direction,
    effect::{RedisState, action::ReplyEdit},
};
use std::sync::Arc;

const ERROR: &str = "ERR no";
const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";

fn error() -> ReplyEdit {
    ReplyEdit::Error(ERROR.to_owned())
}

#[test]
fn what_is_refused_while_it_is_queued_makes_exec_fail() {
    let mut wire = Wire::editing("GET", error());
    wire.commands(&["WATCH a", "multi", "SET a 1", "GET a", "SET b 1", "exec", "PING"]);
    assert_eq!(wire.to_server(), all(&["WATCH a", "multi", "SET a 1", "SET b 1", "DISCARD", "PING"]));
    wire.server("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n+PONG\r\n");
    assert_eq!(wire.replies(), ["OK", "OK", "QUEUED", ERROR, "QUEUED", ABORTED, "PONG"]);
    assert_eq!((wire.fired.len(), wire.filter.is_lost()), (1, false));
    // The next one is another.
    wire.commands(&["MULTI", "SET a 1", "EXEC"]).server("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
    assert_eq!(wire.replies()[7..], ["OK", "QUEUED", "[OK]"]);
}

#[test]
fn exec_fails_though_the_fault_has_gone_meanwhile() {
    for traces in [false, true] {
        let mut wire = Wire::editing("GET", error());
        wire.commands(&["MULTI", "GET a"]);
        (wire.rules, wire.rules.traces) = (Wire::clear().rules, traces);
        wire.commands(&["SET a 1"]).client("*1\r\n$4\r\nEX").client("EC\r\n");
        assert_eq!(wire.to_server(), all(&["MULTI", "SET a 1", "DISCARD"]));
        wire.server("+OK\r\n+QUEUED\r\n+OK\r\n");
        assert_eq!(wire.replies(), ["OK", ERROR, "QUEUED", ABORTED]);
    }
}

#[test]
fn a_client_may_give_up_its_transaction() {
    for end in ["DISCARD", "RESET"] {
        let mut wire = Wire::editing("GET", error());
        wire.commands(&["MULTI", "GET a", end, "EXEC"]).server("+OK\r\n+DONE\r\n-ERR EXEC without MULTI\r\n");
        assert_eq!(wire.to_server(), all(&["MULTI", end, "EXEC"]));
        assert_eq!(wire.replies(), ["OK", ERROR, "DONE", "ERR EXEC without MULTI"]);
    }
}

#[test]
fn exec_itself_is_refused_in_its_own_words() {
    let mut wire = Wire::editing("EXEC", error());
    wire.commands(&["MULTI", "SET a 1", "EXEC", "EXEC"]);
    assert_eq!(wire.to_server(), all(&["MULTI", "SET a 1", "DISCARD"]));
    wire.server("+OK\r\n+QUEUED\r\n+OK\r\n");
    let because = "EXECABORT Transaction discarded because of: ERR no";
    assert_eq!(wire.replies(), ["OK", "QUEUED", because, because]);
    assert_eq!(wire.fired.len(), 2);
    // A state that begins within it.
    let mut wire = Wire::under(|_, _| None);
    wire.commands(&["MULTI", "SET a 1"]);
    wire.rules = Wire::under(|_, _| Some(edit(ReplyEdit::State(RedisState::ReadOnly)))).rules;
    wire.commands(&["GET a", "EXEC"]).server("+OK\r\n+QUEUED\r\n+QUEUED\r\n+OK\r\n");
    let because = format!("EXECABORT Transaction discarded because of: {}", RedisState::ReadOnly.reply());
    assert_eq!(wire.replies(), ["OK", "QUEUED", "QUEUED", because.as_str()]);
    assert_eq!(wire.to_server(), all(&["MULTI", "SET a 1", "GET a", "DISCARD"]));
}

#[test]
fn a_transaction_that_is_refused_is_none() {
    let mut wire = Wire::editing("MULTI", error());
    wire.commands(&["MULTI", "GET a", "EXEC"]).server("$1\r\n1\r\n-ERR EXEC without MULTI\r\n");
    assert_eq!(wire.to_server(), all(&["GET a", "EXEC"]));
    assert_eq!(wire.replies(), [ERROR, "1", "ERR EXEC without MULTI"]);
    // By the server: it is known when it says so,
    let mut wire = Wire::editing("GET", error());
    wire.commands(&["MULTI"])
        .server("-NOAUTH no\r\n")
        .commands(&["GET a", "EXEC"])
        .server("-ERR EXEC without MULTI\r\n");
    assert_eq!(wire.to_server(), all(&["MULTI", "EXEC"]));
    assert_eq!(wire.replies(), ["NOAUTH no", ERROR, "ERR EXEC without MULTI"]);
    // and not before.
    let mut wire = Wire::editing("GET", error());
    wire.commands(&["MULTI", "GET a", "EXEC", "MULTI", "GET a", "EXEC"]);
    wire.server("-NOAUTH no\r\n-NOAUTH no\r\n-NOPERM no\r\n-ERR DISCARD without MULTI\r\n");
    let without = "ERR EXEC without MULTI";
    assert_eq!(wire.replies(), ["NOAUTH no", ERROR, "NOAUTH no", "NOPERM no", ERROR, without]);
    // One within another is refused too, and that one stays.
    let mut wire = Wire::editing("GET", error());
    wire.commands(&["MULTI", "MULTI"]).server("+OK\r\n-ERR nested\r\n").commands(&["GET a", "EXEC"]).server("+OK\r\n");
    assert_eq!(wire.replies(), ["OK", "ERR nested", ERROR, ABORTED]);
}

#[test]
fn what_is_delayed_comes_late_with_exec() {
    let mut wire = Wire::under(|name, _| (name == "GET").then(late));
    wire.commands(&["MULTI", "GET a", "EXEC", "PING"]).server("+OK\r\n+QUEUED\r\n*1\r\n+1\r\n+PONG\r\n");
    assert_eq!(wire.replies(), ["OK", "QUEUED", "[1]", "PONG"]);
    assert_eq!((&wire.waits[..], &wire.fired[..]), (&[14][..], &[("delay".to_owned(), 1)][..]));
    // With a refusal, too.
    let mut wire = Wire::under(|name, _| (name == "GET").then(|| delayed(edit(error()))));
    wire.commands(&["MULTI", "GET a", "EXEC"]).server("+OK\r\n+OK\r\n");
    assert_eq!((wire.replies(), &wire.waits[..]), (vec!["OK".into(), ERROR.into(), ABORTED.to_owned()], &[5][..]));
}

#[test]
fn what_is_lost_or_cut_is_so_at_exec() {
    let mut wire = Wire::editing("GET", ReplyEdit::Lose);
    wire.commands(&["MULTI", "GET a", "GET b", "EXEC", "PING"]);
    wire.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+1\r\n+2\r\n+PONG\r\n");
    assert_eq!((wire.replies(), wire.fired.len()), (["OK", "QUEUED", "QUEUED", "PONG"].map(str::to_owned).to_vec(), 2));
    let mut wire = Wire::editing("GET", CLOSE);
    wire.commands(&["MULTI", "GET a", "EXEC"]).server("+OK\r\n+QUEUED\r\n");
    assert!(!wire.has_ended);
    wire.server("*1\r\n+1\r\n");
    assert_eq!((wire.replies(), wire.has_ended, wire.fired.len()), (vec!["OK".into(), "QUEUED".to_owned()], true, 1));
    // What is given up has no reply.
    let mut wire = Wire::editing("GET", ReplyEdit::Lose);
    wire.commands(&["MULTI", "GET a", "DISCARD"]).server("+OK\r\n+QUEUED\r\n+OK\r\n");
    assert_eq!((wire.replies(), wire.fired.len()), (["OK", "QUEUED", "OK"].map(str::to_owned).to_vec(), 0));
    assert_eq!(wire.rules.spared, [("edit".to_owned(), Unreadable::Transaction)]);
    // Nor has what the server did not begin.
    let mut wire = Wire::under(|name, _| (name == "GET").then(late));
    wire.commands(&["MULTI", "GET a"]).server("-NOAUTH no\r\n");
    assert_eq!(wire.rules.spared, [("delay".to_owned(), Unreadable::Transaction)]);
}

fn wrong(value: Option<&str>) -> ReplyEdit {
    ReplyEdit::Wrong { value: value.map(str::to_owned) }
}

#[test]
fn values_are_changed_within_the_reply_to_exec() {
    let lines = ["MULTI", "SET b 1", "GET a", "GET b", "MGET a b", "EXEC", "PING"];
    let reply = "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n\
                 *4\r\n+OK\r\n$1\r\nA\r\n$1\r\nB\r\n*2\r\n$1\r\nA\r\n$1\r\nB\r\n+PONG\r\n";
    for (what, exec, fired) in [
        (ReplyEdit::Miss, "[OK null null [null null]]", 3),
        (wrong(Some("x")), "[OK x x [A B]]", 2),
        // That of the one before, and its own in reverse where there was none.
        (wrong(None), "[OK A A [A B]]", 1),
    ] {
        let values = Arc::new(Values::default());
        let mut wire = Wire::under(move |name, _| name.ends_with("GET").then(|| with(&values, edit(what.clone()))));
        wire.commands(&lines).server(reply);
        assert_eq!(wire.to_server(), all(&lines), "it is the server that carries it out");
        assert_eq!(wire.replies()[5..], [exec, "PONG"]);
        assert_eq!((wire.fired.len(), wire.rules.spared.len()), (fired, 0));
    }
}

#[test]
fn values_are_changed_however_the_reply_comes() {
    let reply = "*3\r\n$5\r\nvalue\r\n*1\r\n*-1\r\n-WRONGTYPE no\r\n";
    let both = |split: usize| {
        let mut wire = Wire::editing("GET", ReplyEdit::Miss).in_resp3();
        wire.commands(&["MULTI", "GET a", "LRANGE b 0 1", "GET c", "EXEC"]).server("+OK\r\n");
        wire.server("+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n").take(Direction::Downstream);
        wire.server(&reply[..split]).server(&reply[split..]);
        (wire.to_client().to_vec(), wire.fired.len())
    };
    for split in 0..=reply.len() {
        let (sent, fired) = both(split);
        assert_eq!(sent.escape_ascii().to_string(), "*3\r\n_\r\n*1\r\n*-1\r\n_\r\n".escape_default().to_string());
        assert_eq!(fired, 2);
    }
}

#[test]
fn old_values_within_a_transaction_are_those_of_their_database() {
    let values = Arc::new(Values::default());
    let mut wire = Wire::under(move |name, _| (name == "GET").then(|| with(&values, edit(ReplyEdit::Stale))));
    wire.commands(&["GET a"]).server("$3\r\nold\r\n");
    wire.commands(&["MULTI", "GET a", "SELECT 1", "GET a", "EXEC"]);
    wire.server("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n$3\r\nnew\r\n+OK\r\n$5\r\nother\r\n");
    wire.commands(&["GET a"]).server("$5\r\nnewer\r\n");
    assert_eq!(wire.replies(), ["old", "OK", "QUEUED", "QUEUED", "QUEUED", "[old OK other]", "other"]);
    assert_eq!((wire.fired.len(), wire.rules.spared.len()), (2, 0));
}

#[test]
fn values_of_what_is_not_carried_out_are_spared() {
    let queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n";
    let long = format!("*2\r\n$1\r\n1\r\n${}\r\n{}\r\n", 1 << 21, "x".repeat(1 << 21));
    for (last, reply) in [
        // What was watched has changed,
        ("EXEC", "*-1\r\n"),
        ("EXEC", "_\r\n"),
        // the server refuses it,
        ("EXEC", "-EXECABORT no\r\n"),
        ("DISCARD", "+OK\r\n"),
        ("RESET", "+RESET\r\n"),
        // it is none of this server, or too long to be held.
        ("EXEC", "*1\r\n+OK\r\n"),
        ("EXEC", &*long),
    ] {
        for what in [ReplyEdit::Miss, ReplyEdit::Stale, wrong(Some("x"))] {
            let mut wire = Wire::under(move |name, _| (name == "GET").then(|| edit(what.clone())));
            // In two pieces: one that is there whole has nothing to be held for.
            let (head, tail) = reply.split_at(reply.len() / 2);
            wire.commands(&["MULTI", "GET a", "GET b", last]).server(queued).server(head).server(tail);
            assert!(wire.to_client() == format!("{queued}{reply}").as_bytes(), "{last} {}", reply.len());
            let spared = vec![("edit".to_owned(), Unreadable::Transaction); 2];
            assert_eq!((wire.fired.len(), &wire.rules.spared), (0, &spared), "{last}");
        }
    }
    // Other faults lose the whole reply, or have the transaction refused.
    for (happens, exec, fired) in [(ReplyEdit::Lose, None, 1), (error(), Some(ABORTED), 1)] {
        let mut wire = Wire::under(move |name, _| match name {
            "GET" => Some(edit(ReplyEdit::Miss)),
            "SET" => Some(edit(happens.clone())),
            _ => None,
        });
        wire.commands(&["MULTI", "GET a", "SET b 1", "EXEC"]).server("+OK\r\n+QUEUED\r\n");
        wire.server(if exec.is_some() { "+OK\r\n" } else { "+QUEUED\r\n*2\r\n$1\r\n1\r\n+OK\r\n" });
        assert_eq!(wire.replies().get(3).map(String::as_str), exec);
        assert_eq!((wire.fired.len(), wire.rules.spared.len()), (fired, 1));
    }
}

#[test]
fn a_transaction_that_changes_what_replies_come_is_not_followed() {
    for line in ["HELLO 3", "CLIENT REPLY OFF", "SUBSCRIBE a"] {
        let mut wire = Wire::editing("GET", error());
        wire.commands(&["MULTI", line, "EXEC", "GET a"]).server("+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
        assert_eq!((wire.to_server(), wire.filter.is_lost()), (all(&["MULTI", line, "EXEC", "GET a"]), true));
        assert_eq!(wire.filter.unreadable(), Unreadable::Transaction);
        // One that is given up changes nothing.
        let mut wire = Wire::editing("GET", error());
        wire.commands(&["MULTI", line, "DISCARD", "GET a"]).server("+OK\r\n+QUEUED\r\n+OK\r\n");
        assert_eq!((wire.replies().pop(), wire.filter.is_lost()), (Some(ERROR.to_owned()), false));
    }
}
