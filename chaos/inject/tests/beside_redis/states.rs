//! Named states: a server in each, and one that is well behind a proxy whose fault says that it is in it. What the one refuses,
//! the other refuses by the same bytes, and the rest is served.

use crate::{
    client::Client,
    server::{Proxied, Server},
};
use chaos_model::{
    Only,
    effect::{Error, RedisState},
};

pub(crate) const ALL: &[RedisState] = RedisState::ALL;

/// Commands of all kinds. None of them changes the state, and none waits.
const COMMANDS: [&str; 70] = [
    "GET k",
    "SET k v",
    "MGET k l",
    "DEL k",
    "EXISTS k",
    "INCR n",
    "EXPIRE k 100",
    "TTL k",
    "TYPE k",
    "GETDEL k",
    "COPY k l",
    "LPUSH l a",
    "LRANGE l 0 -1",
    "LPOP l",
    "BLPOP l 0.01",
    "SADD s a",
    "SMEMBERS s",
    "HSET h f v",
    "HGETALL h",
    "ZADD z 1 a",
    "ZRANGE z 0 -1",
    "XADD x * f v",
    "XLEN x",
    "XREAD STREAMS x 0",
    "PFADD p a",
    "SORT k",
    "OBJECT ENCODING k",
    "MEMORY USAGE k",
    "RANDOMKEY",
    "DBSIZE",
    "KEYS *",
    "SCAN 0",
    "FLUSHDB",
    "PING",
    "ECHO a",
    "SELECT 0",
    "HELLO",
    "HELLO 3",
    "HELLO 9",
    "HELLO 3 AUTH default nothing",
    "AUTH nothing",
    "CLIENT SETNAME me",
    "CLIENT ID",
    "CONFIG GET port",
    "INFO server",
    "COMMAND COUNT",
    "TIME",
    "ROLE",
    "LASTSAVE",
    "SLOWLOG LEN",
    "LATENCY LATEST",
    "ACL WHOAMI",
    "FUNCTION STATS",
    "SCRIPT EXISTS x",
    "EVAL return 0",
    "EVALSHA x 1 k",
    "PUBLISH c m",
    "SPUBLISH c m",
    "SUBSCRIBE c",
    "SSUBSCRIBE c",
    "UNSUBSCRIBE c",
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH k",
    "UNWATCH",
    "RESET",
    "GET",
    "NOTHING k",
    "CLIENT NOTHING",
];

/// Beginnings of errors by which a state refuses.
const CODES: [&str; 9] =
    ["-LOADING", "-READONLY", "-OOM", "-NOAUTH", "-MASTERDOWN", "-BUSY", "-MISCONF", "-CLUSTERDOWN", "-EXECABORT"];

pub(crate) async fn run(state: RedisState) {
    let (there, well) = (in_state(state).await, Server::start(&[]).await);
    let proxy = well.proxy();
    proxy.apply(Error { reply: state.reply().to_owned() }, Only::default()).await;
    if state == RedisState::MaxClients {
        return turns_away(&there, &proxy).await;
    }
    let (mut differ, mut refused) = (vec![], 0);
    for command in COMMANDS {
        for lines in [vec![command], vec!["MULTI", command, "EXEC"]] {
            let theirs = replies(&mut there.connect().await, &lines).await;
            let ours = replies(&mut proxy.connect().await, &lines).await;
            refused += usize::from(theirs.iter().any(|reply| *reply != "served"));
            if ours != theirs {
                differ.push(format!("{lines:?}: {ours:?}, and a server: {theirs:?}"));
            }
        }
    }
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), 2 * COMMANDS.len(), differ.join("\n"));
    assert!(refused > 10, "the server is in its state: {refused}");
}

/// The replies to lines that are sent one after the other: those that refuse, in their words.
async fn replies(client: &mut Client, lines: &[&str]) -> Vec<String> {
    let mut all = vec![];
    for line in lines {
        let reply = client.ask(line).await;
        let is_refusal = CODES.iter().any(|code| reply.starts_with(code));
        all.push(if is_refusal { reply } else { "served".to_owned() });
    }
    all
}

async fn turns_away(there: &Server, proxy: &Proxied) {
    // The connection by which it was seen to be ready goes some time.
    let mut first = there.connect().await;
    while first.ask("PING").await != "+PONG\r\n" {
        first = there.connect().await;
    }
    let (mut theirs, mut ours) = (there.connect().await, proxy.connect().await);
    assert_eq!(ours.read_to_end().await, theirs.read_to_end().await);
    assert_eq!(first.ask("PING").await, "+PONG\r\n");
    assert_eq!(proxy.remove().await.closes, 1);
    assert_eq!(proxy.connect().await.ask("PING").await, "+PONG\r\n");
}

/// A server that is in this state.
async fn in_state(state: RedisState) -> Server {
    match state {
        RedisState::Loading => loading().await,
        RedisState::ReadOnly => Server::start(&["--replicaof", "127.0.0.1", "1"]).await,
        RedisState::Oom => Server::start(&["--maxmemory", "1"]).await,
        RedisState::NoAuth => Server::start(&["--requirepass", "sesame"]).await,
        RedisState::MasterDown => {
            Server::start(&["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "no"]).await
        }
        RedisState::Busy => {
            let server = Server::start(&["--busy-reply-threshold", "1"]).await;
            let mut client = server.connect().await;
            client.send(&["EVAL while\ttrue\tdo\tend 0".to_owned()]).await;
            server.until("PING", "-BUSY").await;
            server
        }
        RedisState::MaxClients => Server::start(&["--maxclients", "1"]).await,
        RedisState::Misconf => {
            let server = Server::start(&["--save", "3600", "1"]).await;
            std::fs::remove_dir_all(server.folder()).unwrap();
            server.until("SET k v", "+OK").await;
            server.until("BGSAVE", "+Background").await;
            server.until("SET k v", "-MISCONF").await;
            server
        }
        RedisState::ClusterDown => {
            // The bus has a port of its own, which is beyond all others unless said.
            let bus = free_port().to_string();
            Server::start(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await
        }
    }
}

fn free_port() -> u16 {
    let host = host::tcp::host(host::tcp::Config::loopback("bus")).expect("a host");
    host.listen(0).expect("a free port").port()
}

/// A server that reads many keys, and waits at each.
async fn loading() -> Server {
    const COUNT: &str = "20000";
    let full = Server::start(&["--enable-debug-command", "yes", "--rdbcompression", "no"]).await;
    full.until(&format!("DEBUG POPULATE {COUNT} k 2000"), "+OK").await;
    full.until("SAVE", "+OK").await;
    let slow = ["--key-load-delay", "5000", "--loading-process-events-interval-bytes", "1024"];
    let server = Server::start_in(full.end(), &slow).await;
    server.until("PING", "-LOADING").await;
    server
}
