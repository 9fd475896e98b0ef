use super::{Call, Command, Reply, client::text};
use crate::server::State;
use bytes::Bytes;

/// `INFO [section …]`
pub(super) const INFO: Command = Command::new("info", -1, run);

/// The version whose behaviour this is; clients decide by it what they can ask for.
pub(super) const VERSION: &str = "7.0.15";

type Section = fn(&State, i64) -> Vec<(String, String)>;

/// Name, heading and content, in the order of Redis.
const SECTIONS: [(&str, &str, Section); 6] = [
    ("server", "Server", server),
    ("clients", "Clients", clients),
    ("memory", "Memory", memory),
    ("stats", "Stats", stats),
    ("replication", "Replication", replication),
    ("keyspace", "Keyspace", keyspace),
];

fn run(call: &mut Call<'_>) -> Reply {
    let asked = call.after(1);
    let is_asked = |section: &Bytes, name: &str| section.eq_ignore_ascii_case(name.as_bytes());
    let all = asked.is_empty()
        || asked.iter().any(|section| ["default", "all", "everything"].iter().any(|all| is_asked(section, all)));
    let wanted = SECTIONS.iter().filter(|(name, ..)| all || asked.iter().any(|section| is_asked(section, name)));
    let sections = wanted.map(|(_, heading, content)| {
        let fields = content(call.state, call.now_ms);
        let lines = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n"));
        format!("# {heading}\r\n{}", lines.collect::<String>())
    });
    Ok(text(sections.collect::<Vec<_>>().join("\r\n").into_bytes()))
}

fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn server(state: &State, now_ms: i64) -> Vec<(String, String)> {
    let uptime = (now_ms - state.started_ms).max(0) / 1000;
    vec![
        field("redis_version", VERSION),
        field("redis_mode", "standalone"),
        field("executable", "built-in"),
        field("tcp_port", state.port),
        field("server_time_usec", now_ms.saturating_mul(1000)),
        field("uptime_in_seconds", uptime),
        field("uptime_in_days", uptime / 86_400),
    ]
}

fn clients(state: &State, _: i64) -> Vec<(String, String)> {
    vec![
        field("connected_clients", state.clients.len()),
        field("maxclients", state.config.max_clients),
        field("blocked_clients", 0),
    ]
}

fn memory(state: &State, _: i64) -> Vec<(String, String)> {
    vec![
        field("used_memory", state.store.used_bytes()),
        field("maxmemory", state.store.max_bytes()),
        field("maxmemory_policy", "noeviction"),
    ]
}

fn stats(state: &State, _: i64) -> Vec<(String, String)> {
    vec![
        field("total_connections_received", state.stats.connections),
        field("total_commands_processed", state.stats.commands),
        field("rejected_connections", state.stats.rejected_connections),
        field("expired_keys", state.store.expired),
        field("evicted_keys", 0),
        field("keyspace_hits", state.store.hits),
        field("keyspace_misses", state.store.misses),
        field("total_error_replies", state.stats.error_replies),
    ]
}

fn replication(_: &State, _: i64) -> Vec<(String, String)> {
    vec![field("role", "master"), field("connected_slaves", 0)]
}

fn keyspace(state: &State, _: i64) -> Vec<(String, String)> {
    let databases = state.store.keyspace();
    databases
        .map(|(number, keys, expiring)| (format!("db{number}"), format!("keys={keys},expires={expiring},avg_ttl=0")))
        .collect()
}
