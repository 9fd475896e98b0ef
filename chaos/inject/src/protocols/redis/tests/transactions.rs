//! Tests of transactions: what a fault does to a command between `MULTI` and `EXEC`.

use super::wire::{CLOSE, Wire, all, delayed, edit, late};
use crate::protocol::{Filter as _, Unreadable};
use chaos_model::effect::{RedisState, action::ReplyEdit};

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

#[test]
fn values_within_a_transaction_are_what_they_are() {
    for what in [ReplyEdit::Miss, ReplyEdit::Stale, ReplyEdit::Wrong { value: Some("x".to_owned()) }] {
        let mut wire = Wire::under(move |_, _| Some(edit(what.clone())));
        let lines = ["MULTI", "GET a", "EXEC"];
        wire.commands(&lines).server("+OK\r\n+QUEUED\r\n*1\r\n$1\r\n1\r\n");
        assert_eq!(
            (wire.to_server(), wire.replies()),
            (all(&lines), ["OK", "QUEUED", "[1]"].map(str::to_owned).to_vec())
        );
        assert_eq!(
            (wire.fired.len(), &wire.rules.spared[..]),
            (0, &[("edit".to_owned(), Unreadable::Transaction)][..])
        );
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
