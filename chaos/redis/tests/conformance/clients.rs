//! Tests of what servers say about themselves and their clients: not compared as bytes, since each has its own to say.

use crate::target::Target;
use std::collections::BTreeMap;

pub(crate) async fn run(target: Target) {
    let (mut one, mut other) = (target.connect().await, target.connect().await);
    let (id, other_id) = (one.ask_integer("CLIENT ID").await, other.ask_integer("CLIENT ID").await);
    assert!(id > 0 && other_id > id, "{id}, {other_id}");
    assert_eq!(other.ask("CLIENT SETNAME other").await, "+OK\r\n");
    assert_eq!(other.ask("SELECT 3").await, "+OK\r\n");

    let me = fields(&one.ask_text("CLIENT INFO").await);
    for (name, value) in [("name", ""), ("db", "0"), ("cmd", "client|info"), ("resp", "2"), ("user", "default")] {
        assert_eq!(me.get(name).map(String::as_str), Some(value), "{name} in {me:?}");
    }
    assert_eq!(me.get("id"), Some(&id.to_string()));

    let list = one.ask_text("CLIENT LIST").await;
    let clients = list.lines().map(fields).collect::<Vec<_>>();
    assert_eq!(clients.len(), 2, "{list}");
    let found = fields(&one.ask_text(&format!("CLIENT LIST ID {other_id}")).await);
    for (name, value) in [("name", "other"), ("db", "3"), ("cmd", "select")] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name} in {found:?}");
    }

    // Known since 7.2.
    let set_info = one.ask("CLIENT SETINFO LIB-NAME chaos").await;
    let unknown = "-ERR unknown subcommand 'SETINFO'. Try CLIENT HELP.\r\n";
    assert!([unknown, "+OK\r\n"].contains(&set_info.as_str()), "{set_info}");

    drop(other);
    while one.ask_text("CLIENT LIST").await.lines().count() > 1 {
        target.host.sleep(std::time::Duration::from_millis(1)).await;
    }
    info_counts(&target).await;
}

async fn info_counts(target: &Target) {
    let mut connection = target.connect().await;
    let before = info(&connection.ask_text("INFO").await);
    for request in ["SET a 1 EX 100", "GET a", "GET b", "MGET a b c", "FOO"] {
        connection.ask(request).await;
    }
    let after = info(&connection.ask_text("INFO").await);
    let number = |info: &BTreeMap<String, String>, name: &str| info[name].parse::<i64>().unwrap();
    let increase = |name| number(&after, name) - number(&before, name);
    assert_eq!(increase("keyspace_hits"), 2);
    assert_eq!(increase("keyspace_misses"), 3);
    assert_eq!(increase("total_error_replies"), 1);
    assert_eq!(increase("total_connections_received"), 0);
    assert!(increase("used_memory") > 0);
    assert_eq!(after["role"], "master");
    assert_eq!(after["redis_mode"], "standalone");
    assert!(after["db0"].starts_with("keys=1,expires=1,avg_ttl="), "{}", after["db0"]);
    assert!(number(&after, "connected_clients") >= 2);

    assert_eq!(increase("total_commands_processed"), 5);
    assert!(increase("total_net_input_bytes") > 100 && increase("total_net_output_bytes") > 100);
    let all = info(&connection.ask_text("INFO ALL").await);
    for name in FIELDS {
        assert!(all.contains_key(*name), "{name} is missing");
    }
    assert!(all["cmdstat_get"].starts_with("calls=2,usec="), "{}", all["cmdstat_get"]);
    assert!(all["cmdstat_mget"].ends_with(",rejected_calls=0,failed_calls=0"), "{}", all["cmdstat_mget"]);
    assert_eq!(all["errorstat_ERR"], format!("count={}", all["total_error_replies"]));
    let stats = connection.ask_text("INFO STATS keyspace").await;
    let headings = stats.lines().filter(|line| line.starts_with('#')).collect::<Vec<_>>();
    assert_eq!(headings, ["# Stats", "# Keyspace"]);
}

/// Fields that exporters for Prometheus read.
const FIELDS: &[&str] = &[
    "redis_version",
    "redis_mode",
    "os",
    "uptime_in_seconds",
    "process_id",
    "config_file",
    "connected_clients",
    "maxclients",
    "blocked_clients",
    "used_memory",
    "used_memory_rss",
    "used_memory_peak",
    "used_memory_lua",
    "maxmemory",
    "maxmemory_policy",
    "mem_fragmentation_ratio",
    "loading",
    "total_connections_received",
    "total_commands_processed",
    "instantaneous_ops_per_sec",
    "instantaneous_input_kbps",
    "instantaneous_output_kbps",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "rejected_connections",
    "expired_keys",
    "evicted_keys",
    "keyspace_hits",
    "keyspace_misses",
    "pubsub_channels",
    "role",
    "connected_slaves",
    "master_repl_offset",
    "cluster_enabled",
];

/// `name=value` pairs of a client's line.
fn fields(line: &str) -> BTreeMap<String, String> {
    let pairs = line.split_whitespace().filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn info(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
