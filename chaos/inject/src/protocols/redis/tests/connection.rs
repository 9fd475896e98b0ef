//! Tests of commands that change how replies come: transactions, subscriptions, replies that are turned off.

use super::wire::{Wire, command, edit};
use crate::protocol::Filter as _;
use chaos_model::{Direction, effect::action::ReplyEdit};

const ERROR: &str = "ERR no";

/// Every command is answered with an error in the server's place.
fn refusing() -> Wire {
    Wire::under(|_, _| Some(edit(ReplyEdit::Error(ERROR.to_owned()))))
}

/// `GET` alone is.
fn refusing_reads() -> Wire {
    Wire::editing("GET", ReplyEdit::Error(ERROR.to_owned()))
}

fn all(lines: &[&str]) -> String {
    lines.iter().map(|line| command(line).escape_ascii().to_string()).collect()
}

#[test]
fn what_belongs_to_a_transaction_is_not_acted_on() {
    let transaction = ["WATCH a", "multi", "GET a", "SET a 1", "exec"];
    let mut wire = refusing();
    wire.commands(&transaction).server("+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n$1\r\n1\r\n+OK\r\n");
    assert_eq!(wire.to_server(), all(&transaction));
    assert_eq!(wire.replies(), ["OK", "OK", "QUEUED", "QUEUED", "[1 OK]"]);
    wire.commands(&["GET a"]);
    assert_eq!((wire.replies().last().unwrap().as_str(), wire.rules.asked.len()), (ERROR, 1));
}

#[test]
fn a_transaction_that_was_refused_is_none() {
    let mut wire = refusing_reads();
    wire.commands(&["MULTI"]).server("-NOAUTH no\r\n").commands(&["GET a"]);
    assert_eq!(wire.replies(), ["NOAUTH no", ERROR]);
    // One within another is refused too, and that one stays.
    wire.commands(&["MULTI", "MULTI"]).server("+OK\r\n-ERR nested\r\n").commands(&["GET a"]).server("+QUEUED\r\n");
    assert_eq!(wire.replies()[2..], ["OK", "ERR nested", "QUEUED"]);
}

#[test]
fn a_blocking_command_is_answered_when_it_is_and_others_behind_it() {
    let mut wire = refusing_reads();
    wire.commands(&["BLPOP q 0", "GET a"]);
    assert!(wire.to_client().is_empty());
    wire.server("*2\r\n$1\r\nq\r\n$1\r\nv\r\n");
    assert_eq!(wire.replies(), ["[q v]", ERROR]);
}

#[test]
fn replies_that_are_turned_off_are_not_awaited() {
    let mut wire = refusing_reads();
    wire.commands(&["CLIENT REPLY OFF", "GET a", "SET a 1", "CLIENT REPLY ON", "GET a"]).server("+OK\r\n");
    assert_eq!(wire.to_server(), all(&["CLIENT REPLY OFF", "GET a", "SET a 1", "CLIENT REPLY ON"]));
    assert_eq!(wire.replies(), ["OK", ERROR]);
    let mut wire = refusing_reads();
    wire.commands(&["client reply skip", "GET a", "PING", "GET b"]).server("+PONG\r\n");
    assert_eq!(wire.to_server(), all(&["client reply skip", "GET a", "PING"]));
    assert_eq!((wire.replies(), wire.filter.is_lost()), (vec!["PONG".to_owned(), ERROR.to_owned()], false));
}

#[test]
fn subscriptions_of_resp3_are_confirmed_by_pushes() {
    let mut wire = refusing_reads().in_resp3();
    let confirm = |kind: &str, channel: &str| format!(">3\r\n${}\r\n{kind}\r\n+{channel}\r\n:1\r\n", kind.len());
    wire.commands(&["SUBSCRIBE a b", "GET a"]).server(confirm("subscribe", "a"));
    wire.server(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n!\r\n");
    assert_eq!(wire.replies().len(), 2, "the second confirmation is awaited");
    wire.server(confirm("subscribe", "b"));
    assert_eq!(wire.replies()[2..], ["[subscribe b 1]", ERROR]);
    // An error is one reply, whatever the number of channels.
    wire.commands(&["SUBSCRIBE a b", "PING"]).server("-NOPERM no\r\n+PONG\r\n");
    wire.commands(&["UNSUBSCRIBE", "PING"]).server(confirm("unsubscribe", "a") + &confirm("unsubscribe", "b"));
    wire.server("+PONG\r\n").commands(&["GET a"]);
    assert_eq!(wire.replies().len(), 10);
    assert_eq!((wire.replies().pop().unwrap().as_str(), wire.filter.is_lost()), (ERROR, false));
}

#[test]
fn after_a_subscription_of_resp2_everything_passes() {
    for line in ["SUBSCRIBE a", "PSUBSCRIBE *", "MONITOR", "PSYNC ? -1"] {
        let mut wire = refusing_reads();
        wire.commands(&["PING", "GET a", line, "GET b"]);
        assert_eq!(wire.to_server(), all(&["PING", line, "GET b"]), "{line}");
        wire.server("+PONG\r\n*3\r\n+subscribe\r\n+a\r\n:1\r\n").server("\0\0 no RESP at all");
        assert!(
            wire.to_client().ends_with(b"-ERR no\r\n*3\r\n+subscribe\r\n+a\r\n:1\r\n\0\0 no RESP at all"),
            "{line}"
        );
        assert!(wire.filter.is_lost(), "{line}");
    }
}

#[test]
fn whether_pushes_confirm_is_not_guessed_while_the_protocol_changes() {
    let mut wire = refusing_reads();
    wire.commands(&["HELLO 3", "SUBSCRIBE a", "GET a"]).server("%0\r\n>3\r\n+subscribe\r\n+a\r\n:1\r\n");
    assert_eq!((wire.filter.is_lost(), wire.to_server()), (true, all(&["HELLO 3", "SUBSCRIBE a", "GET a"])));
}

#[test]
fn the_version_of_a_reply_is_the_one_that_the_server_agreed_to() {
    let nulls = |reply: &str| {
        let mut wire = Wire::editing("GET", ReplyEdit::Miss);
        wire.commands(&["GET a", "HELLO 3", "GET a"]).server(reply).commands(&["RESET", "GET a"]).server("+RESET\r\n");
        wire.to_client().escape_ascii().to_string().matches("_\\r\\n").count()
    };
    assert_eq!((nulls("%1\r\n+proto\r\n:3\r\n"), nulls("-NOPROTO no\r\n")), (1, 0));
}

#[test]
fn an_error_of_the_handshake_changes_nothing() {
    let mut wire = refusing();
    wire.commands(&["HELLO 3", "CLIENT REPLY OFF", "SUBSCRIBE a"]);
    assert_eq!((wire.replies(), wire.to_server().as_str()), (vec![ERROR.to_owned(); 3], ""));
    assert!(!wire.filter.is_lost());
}

#[test]
fn lines_are_commands_too() {
    let mut wire = refusing_reads();
    wire.client("\r\nPI").client("NG\r\nget 'a b'\r\n*0\r\n*-1\r\nEXISTS a\n").server("+PONG\r\n:0\r\n");
    assert_eq!(wire.replies(), ["PONG", ERROR, "0"]);
    assert_eq!(wire.rules.asked, ["PING", "GET a b", "EXISTS a"]);
    assert_eq!(wire.to_server(), r"\r\nPING\r\n*0\r\n*-1\r\nEXISTS a\n");
}

#[test]
fn a_reply_that_nobody_asked_for_passes_and_ends_it() {
    let mut wire = refusing_reads();
    wire.server("-ERR max number of clients reached\r\n").commands(&["GET a"]).end(Direction::Downstream);
    assert_eq!(wire.to_server(), all(&["GET a"]));
    assert_eq!((wire.replies(), wire.filter.is_lost()), (vec!["ERR max number of clients reached".to_owned()], true));
}

#[test]
fn what_is_held_at_the_end_of_a_stream_passes() {
    let mut wire = refusing_reads();
    wire.client("*2\r\n$3\r\nGET\r\n$5\r\nab");
    assert_eq!(wire.held(Direction::Upstream), 19);
    wire.end(Direction::Upstream);
    assert_eq!(wire.to_server(), r"*2\r\n$3\r\nGET\r\n$5\r\nab");
}
