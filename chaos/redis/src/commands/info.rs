use super::{Call, Command, Reply, client::text};
use crate::server::State;

/// `INFO [section …]`
pub(super) const INFO: Command = Command::new("info", run);

/// The version whose behaviour this is; clients decide by it what they can ask for.
pub(super) const VERSION: &str = "7.0.15";

type Fields = Vec<(String, String)>;

/// The second argument is the time, in milliseconds since the Unix epoch.
type Content = fn(&mut State, i64) -> Fields;

/// Name, heading, content, and whether it is shown unless asked for; in the order of Redis.
const SECTIONS: [(&str, &str, Content, bool); 10] = [
    ("server", "Server", server, true),
    ("clients", "Clients", clients, true),
    ("memory", "Memory", memory, true),
    ("persistence", "Persistence", persistence, true),
    ("stats", "Stats", stats, true),
    ("replication", "Replication", replication, true),
    ("commandstats", "Commandstats", command_stats, false),
    ("errorstats", "Errorstats", error_stats, true),
    ("cluster", "Cluster", cluster, true),
    ("keyspace", "Keyspace", keyspace, true),
];

fn run(call: &mut Call<'_>) -> Reply {
    let asked = call.after(1);
    let is_asked = |name: &str| asked.iter().any(|section| section.eq_ignore_ascii_case(name.as_bytes()));
    let all = is_asked("all") || is_asked("everything");
    let default = asked.is_empty() || is_asked("default");
    let wanted = SECTIONS.iter().filter(|(name, .., usual)| all || (default && *usual) || is_asked(name));
    let sections = wanted.map(|(_, heading, content, _)| {
        let fields = content(call.state, call.now_ms);
        let lines = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n"));
        format!("# {heading}\r\n{}", lines.collect::<String>())
    });
    Ok(text(sections.collect::<Vec<_>>().join("\r\n").into_bytes()))
}

fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn server(state: &mut State, now_ms: i64) -> Fields {
    let uptime = (now_ms - state.started_ms).max(0) / 1000;
    vec![
        field("redis_version", VERSION),
        field("redis_mode", "standalone"),
        field("os", "built-in"),
        field("process_id", 1),
        field("tcp_port", state.port),
        field("server_time_usec", now_ms.saturating_mul(1000)),
        field("uptime_in_seconds", uptime),
        field("uptime_in_days", uptime / 86_400),
        field("executable", "built-in"),
        field("config_file", ""),
    ]
}

fn clients(state: &mut State, _: i64) -> Fields {
    vec![
        field("connected_clients", state.clients.len()),
        field("cluster_connections", 0),
        field("maxclients", state.max_clients),
        field("blocked_clients", 0),
        field("tracking_clients", 0),
    ]
}

/// The section on memory: what keys and values take, and nothing else; buffers and the program itself are not counted.
fn memory(state: &mut State, _: i64) -> Fields {
    let store = &state.store;
    let human = |bytes: u64| {
        const UNITS: [(u64, &str); 3] = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
        let unit = UNITS.iter().find(|(size, _)| bytes >= *size);
        unit.map_or_else(
            || format!("{bytes}B"),
            |(size, letter)| format!("{}.{:02}{letter}", bytes / size, bytes % size * 100 / size),
        )
    };
    vec![
        field("used_memory", store.used_bytes()),
        field("used_memory_human", human(store.used_bytes())),
        field("used_memory_rss", store.used_bytes()),
        field("used_memory_peak", store.peak_bytes()),
        field("used_memory_peak_human", human(store.peak_bytes())),
        field("used_memory_overhead", store.overhead_bytes()),
        field("used_memory_startup", 0),
        field("used_memory_dataset", store.used_bytes() - store.overhead_bytes()),
        field("used_memory_lua", 0),
        field("maxmemory", store.max_bytes()),
        field("maxmemory_human", human(store.max_bytes())),
        field("maxmemory_policy", store.policy()),
        field("mem_fragmentation_ratio", "1.00"),
        field("mem_not_counted_for_evict", 0),
    ]
}

fn persistence(_: &mut State, _: i64) -> Fields {
    vec![field("loading", 0), field("rdb_bgsave_in_progress", 0), field("aof_enabled", 0)]
}

fn stats(state: &mut State, now_ms: i64) -> Fields {
    let kilobytes = |bytes: u64| format!("{}.{:02}", bytes / 1024, bytes % 1024 * 100 / 1024);
    let stats = &mut state.stats;
    vec![
        field("total_connections_received", stats.connections),
        field("total_commands_processed", stats.commands),
        field("instantaneous_ops_per_sec", stats.commands_rate.per_second(now_ms)),
        field("total_net_input_bytes", stats.input_bytes),
        field("total_net_output_bytes", stats.output_bytes),
        field("instantaneous_input_kbps", kilobytes(stats.input_rate.per_second(now_ms))),
        field("instantaneous_output_kbps", kilobytes(stats.output_rate.per_second(now_ms))),
        field("rejected_connections", stats.rejected_connections),
        field("expired_keys", state.store.expired),
        field("evicted_keys", state.store.evicted),
        field("keyspace_hits", state.store.hits),
        field("keyspace_misses", state.store.misses),
        field("pubsub_channels", 0),
        field("pubsub_patterns", 0),
        field("total_error_replies", stats.error_replies),
    ]
}

fn replication(_: &mut State, _: i64) -> Fields {
    vec![field("role", "master"), field("connected_slaves", 0), field("master_repl_offset", 0)]
}

/// The section on commands: how often each came; not how long it took, since in a simulation no time passes in a
/// command.
fn command_stats(state: &mut State, _: i64) -> Fields {
    let each = state.stats.by_command.iter().map(|(name, calls)| {
        let (all, rejected, failed) = (calls.calls, calls.rejected, calls.failed);
        let value = format!("calls={all},usec=0,usec_per_call=0.00,rejected_calls={rejected},failed_calls={failed}");
        (format!("cmdstat_{name}"), value)
    });
    each.collect()
}

fn error_stats(state: &mut State, _: i64) -> Fields {
    state.stats.by_error.iter().map(|(code, count)| (format!("errorstat_{code}"), format!("count={count}"))).collect()
}

fn cluster(_: &mut State, _: i64) -> Fields {
    vec![field("cluster_enabled", 0)]
}

fn keyspace(state: &mut State, _: i64) -> Fields {
    let databases = state.store.keyspace();
    databases
        .map(|(number, keys, expiring)| (format!("db{number}"), format!("keys={keys},expires={expiring},avg_ttl=0")))
        .collect()
}
