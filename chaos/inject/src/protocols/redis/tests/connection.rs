//! Tests of commands that change how replies come: another protocol, replies that are turned off, replication.

use super::wire::{Wire, all, edit};
use crate::protocol::{Filter as _, Unreadable};
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
    let muted = ["GET a", "SET a", "CLIENT"].map(|subject| (subject.to_owned(), Unreadable::Muted));
    assert_eq!(wire.rules.spared, muted);
    let mut wire = refusing_reads();
    wire.commands(&["client reply skip", "GET a", "PING", "GET b"]).server("+PONG\r\n");
    assert_eq!(wire.to_server(), all(&["client reply skip", "GET a", "PING"]));
    assert_eq!((wire.replies(), wire.filter.is_lost()), (vec!["PONG".to_owned(), ERROR.to_owned()], false));
    // A reset turns them on.
    let mut wire = refusing_reads();
    wire.commands(&["CLIENT REPLY OFF", "GET a", "RESET", "GET a"]).server("+RESET\r\n");
    assert_eq!((wire.replies(), wire.filter.is_lost()), (vec!["RESET".to_owned(), ERROR.to_owned()], false));
}

#[test]
fn behind_a_replication_everything_passes() {
    let mut wire = refusing_reads();
    wire.commands(&["PING", "GET a", "PSYNC ? -1", "GET b"]);
    assert_eq!(wire.to_server(), all(&["PING", "PSYNC ? -1", "GET b"]));
    wire.server("+PONG\r\n+FULLRESYNC x 1\r\n").server("\0\0 no RESP at all");
    assert!(wire.to_client().ends_with(b"-ERR no\r\n+FULLRESYNC x 1\r\n\0\0 no RESP at all"));
    assert_eq!((wire.filter.is_lost(), wire.filter.unreadable()), (true, Unreadable::Stream));
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

#[test]
fn what_faults_were_to_do_behind_a_reply_that_is_not_understood_is_counted() {
    let spared = |lines: &[&str], replies: &[&str]| {
        let mut wire = Wire::under(|name, _| match name {
            "GET" => Some(edit(ReplyEdit::Wrong { value: None })),
            "PING" => Some(edit(ReplyEdit::Lose)),
            _ => None,
        });
        wire.commands(lines);
        for reply in replies {
            wire.server(reply);
        }
        assert_eq!(wire.to_client(), replies.concat().as_bytes(), "it passes");
        assert!(wire.rules.spared.iter().all(|(fault, why)| (fault.as_str(), *why) == ("edit", Unreadable::Unclear)));
        (wire.rules.spared.len(), wire.fired.len())
    };
    assert_eq!(spared(&["SET a 1", "GET a", "SET b 1", "PING"], &["no RESP at all"]), (2, 0));
    assert_eq!(spared(&["GET a", "GET b"], &["$2\r\na", "bcd"]), (2, 0), "one of them is held");
    assert_eq!(spared(&["MULTI", "PING"], &["+OK\r\n", "+QUEUED\r\n", "+more\r\n"]), (1, 0), "queued");
    assert_eq!(spared(&["SUBSCRIBE a", "PING"], &["+no confirmation\r\n"]), (1, 0));
    // What the server ends has no reply.
    let mut wire = Wire::editing("PING", ReplyEdit::Lose);
    wire.commands(&["PING"]).end(Direction::Downstream);
    assert_eq!((wire.rules.spared.len(), wire.fired.len()), (0, 0));
}
