//! Tests of named states: what a server in each refuses, and what it serves.

use super::wire::{Wire, edit};
use chaos_model::effect::{RedisState, action::ReplyEdit};

const COMMANDS: [&str; 14] = [
    "GET a",
    "SET a 1",
    "PING",
    "PUBLISH a b",
    "INFO",
    "HELLO",
    "HELLO 3 AUTH a b",
    "SELECT 1",
    "CLIENT SETNAME a",
    "CONFIG GET a",
    "DEL a",
    "AUTH a",
    "GET",
    "NOTHING a",
];

/// The commands of those that are refused.
fn refused(state: RedisState) -> Vec<&'static str> {
    let is_refused = |line: &&str| {
        let mut wire = Wire::under(move |_, _| Some(edit(ReplyEdit::State(state))));
        wire.commands(&[line]);
        assert_eq!(
            (wire.to_server().is_empty(), wire.fired.len() == 1),
            (!wire.to_client().is_empty(), !wire.to_client().is_empty())
        );
        !wire.to_client().is_empty()
    };
    COMMANDS.into_iter().filter(is_refused).collect()
}

#[test]
fn each_refuses_what_a_server_in_it_refuses() {
    for (state, expected) in [
        (RedisState::Loading, "GET a, SET a 1, PING, DEL a"),
        (RedisState::ReadOnly, "SET a 1, DEL a"),
        (RedisState::Oom, "SET a 1"),
        (
            RedisState::NoAuth,
            "GET a, SET a 1, PING, PUBLISH a b, INFO, HELLO, SELECT 1, CLIENT SETNAME a, CONFIG GET a, DEL a",
        ),
        (RedisState::MasterDown, "GET a, SET a 1, PING, DEL a"),
        (RedisState::Busy, "GET a, SET a 1, PING, PUBLISH a b, INFO, SELECT 1, CLIENT SETNAME a, CONFIG GET a, DEL a"),
        (RedisState::MaxClients, ""),
        (RedisState::Misconf, "SET a 1, PING, DEL a"),
        (RedisState::ClusterDown, "GET a, SET a 1, DEL a"),
    ] {
        assert_eq!(refused(state).join(", "), expected, "{state:?}");
    }
}

#[test]
fn the_error_is_the_one_of_the_command() {
    let said = |state, line: &str| {
        let mut wire = Wire::under(move |_, _| Some(edit(ReplyEdit::State(state))));
        wire.commands(&[line]).replies()
    };
    assert_eq!(said(RedisState::Loading, "GET a"), [RedisState::Loading.reply()]);
    assert_eq!(said(RedisState::MasterDown, "GET a"), [RedisState::MasterDown.reply()]);
    assert_eq!(said(RedisState::MasterDown, "SET a 1"), [RedisState::ReadOnly.reply()], "it is a replica");
    assert!(said(RedisState::NoAuth, "HELLO 3")[0].starts_with("NOAUTH HELLO must be called"));
    assert!(said(RedisState::NoAuth, "HELLO 9").is_empty(), "the server refuses that first");
}

#[test]
fn of_several_states_each_refuses_its_own() {
    let mut wire = Wire::under(|_, _| {
        let second = edit(ReplyEdit::State(RedisState::Loading));
        Some(edit(ReplyEdit::State(RedisState::ReadOnly)).also(second))
    });
    wire.commands(&["SET a 1", "GET a", "INFO"]);
    assert_eq!(wire.replies(), [RedisState::ReadOnly.reply(), RedisState::Loading.reply()]);
    assert_eq!(wire.fired.len(), 2);
}
