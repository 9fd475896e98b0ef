//! A client library, the filter and a Redis: what an application reads.

use super::wire::{Happens, WAIT, Wire, edit, late, with};
use crate::protocols::redis::values::Values;
use chaos_model::Direction;
use chaos_model::effect::action::{Part, ReplyEdit};
use futures_util::future::{join, join_all};
use host::{Stream, memory::MemoryNetwork};
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, aio::MultiplexedConnection,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    time::{Instant, timeout},
};

const LOADING: &str = "LOADING Redis is loading the dataset in memory";
const PATIENCE: Duration = Duration::from_secs(60);

/// Carries bytes between both as the filter says.
async fn pump(mut wire: Wire, mut client: DuplexStream, mut server: Stream) {
    let (mut up, mut down) = ([0; 1000], [0; 7]);
    while !wire.has_ended {
        let (direction, bytes) = tokio::select! {
            biased;
            count = client.read(&mut up) => (Direction::Upstream, &up[..count.unwrap_or(0)]),
            count = server.read(&mut down) => (Direction::Downstream, &down[..count.unwrap_or(0)]),
        };
        if bytes.is_empty() {
            return;
        }
        wire.send(direction, bytes);
        tokio::time::sleep(WAIT * u32::try_from(wire.waits.len()).unwrap()).await;
        wire.waits.clear();
        server.write_all(&wire.take(Direction::Upstream)).await.expect("a server");
        if client.write_all(&wire.take(Direction::Downstream)).await.is_err() {
            return;
        }
    }
}

/// A client of a Redis in which `a` is `A` and `b` is `B`, through the filter.
async fn connect(wire: Wire, protocol: ProtocolVersion) -> MultiplexedConnection {
    let network = MemoryNetwork::new(1);
    let (server, host) = (network.host("redis"), network.host("client"));
    let listener = server.listen(6379).expect("a port");
    drop(server.spawn(chaos_redis::serve(server.clone(), listener, chaos_redis::Config::default())));
    let mut direct = host.dial("redis", 6379).await.expect("a server");
    direct.write_all(b"SET a A\r\nSET b B\r\n").await.expect("a server");
    direct.read_exact(&mut [0; 10]).await.expect("two replies");
    let (near, far) = tokio::io::duplex(100);
    drop(host.spawn(pump(wire, far, direct)));
    let info = RedisConnectionInfo::default().set_protocol(protocol);
    // It is the test that waits, where a reply is lost.
    let config = AsyncConnectionConfig::default().set_response_timeout(None);
    let (connection, driver) = MultiplexedConnection::new_with_config(&info, near, config).await.expect("a handshake");
    drop(host.spawn(driver));
    connection
}

async fn get(connection: &MultiplexedConnection, key: &str) -> Option<String> {
    connection.clone().get(key).await.expect("a reply")
}

const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::RESP2, ProtocolVersion::RESP3];

#[tokio::test(start_paused = true)]
async fn errors_meet_their_commands_among_many_at_once() {
    for protocol in BOTH {
        let wire = Wire::under(|_, keys| {
            let is_met = keys.first().is_some_and(|key| key.ends_with(b"7"));
            is_met.then(|| edit(ReplyEdit::Error(LOADING.to_owned())))
        });
        let connection = connect(wire, protocol).await;
        join_all((0..200).map(|n| {
            let mut connection = connection.clone();
            async move {
                let (key, is_met) = (format!("key:{n}"), n % 10 == 7);
                let set: redis::RedisResult<()> = connection.set(&key, n).await;
                let code = set.err().and_then(|error| error.code().map(str::to_owned));
                assert_eq!(code.as_deref(), is_met.then_some("LOADING"), "{key}");
                let got: redis::RedisResult<i64> = connection.get(&key).await;
                assert_eq!(got.ok(), (!is_met).then_some(n), "{key}");
            }
        }))
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn misses_are_what_the_library_knows_as_nothing() {
    for protocol in BOTH {
        let wire = Wire::under(|name, _| (name != "PING").then(|| edit(ReplyEdit::Miss)));
        let mut connection = connect(wire, protocol).await;
        assert_eq!(get(&connection, "a").await, None);
        let both: Vec<Option<String>> = connection.mget(&["a", "b"]).await.unwrap();
        assert_eq!(both, [None, None]);
        assert!(!connection.exists::<_, bool>("a").await.unwrap());
        assert_eq!(connection.pttl::<_, i64>("a").await.unwrap(), -2);
        assert_eq!(connection.del::<_, i64>("a").await.unwrap(), 1, "a write happens");
    }
}

#[tokio::test(start_paused = true)]
async fn stale_and_wrong_values() {
    for protocol in BOTH {
        let values = Arc::new(Values::default());
        let stale = Wire::under(move |_, _| Some(with(&values, edit(ReplyEdit::Stale))));
        let mut connection = connect(stale, protocol).await;
        assert_eq!(get(&connection, "a").await.as_deref(), Some("A"));
        let () = connection.set("a", "newer").await.unwrap();
        assert_eq!(get(&connection, "a").await.as_deref(), Some("A"));

        let values = Arc::new(Values::default());
        let wrong = ReplyEdit::Wrong { value: None };
        let wrong = Wire::under(move |_, _| Some(with(&values, edit(wrong.clone()))));
        let connection = connect(wrong, protocol).await;
        assert_eq!(get(&connection, "a").await.as_deref(), Some("A"), "the reverse of one letter");
        assert_eq!(get(&connection, "b").await.as_deref(), Some("A"));
        assert_eq!(get(&connection, "nothing").await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_puts_the_client_out_of_step() {
    for protocol in BOTH {
        let lose = Wire::under(|_, keys| keys.contains(&&b"a"[..]).then(|| edit(ReplyEdit::Lose)));
        let connection = connect(lose, protocol).await;
        let (first, second) =
            join(timeout(PATIENCE, get(&connection, "a")), timeout(PATIENCE, get(&connection, "b"))).await;
        assert_eq!(first.unwrap().as_deref(), Some("B"));
        assert!(second.is_err(), "{second:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_reply_ends_the_connection() {
    for protocol in BOTH {
        let cut = Happens::Truncate(Part::PerMillion(500_000));
        let mut connection = connect(Wire::editing("GET", cut), protocol).await;
        let () = connection.set("a", "a longer value").await.unwrap();
        // The library takes what it cannot read to its end for no reply.
        assert!(connection.get::<_, String>("a").await.is_err());
        let error = connection.get::<_, String>("b").await.unwrap_err();
        assert!(error.is_connection_dropped(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_command_takes_as_long_as_asked_and_those_behind_it_too() {
    for protocol in BOTH {
        let wire = Wire::under(|_, keys| keys.contains(&&b"a"[..]).then(late));
        let connection = connect(wire, protocol).await;
        let started = Instant::now();
        get(&connection, "b").await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        join(get(&connection, "a"), get(&connection, "b")).await;
        assert_eq!(started.elapsed(), WAIT);
    }
}
