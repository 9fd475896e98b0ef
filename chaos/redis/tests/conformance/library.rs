//! The client library that the gateway uses, over a stream of the host.

use crate::target::Target;
use redis::{
    AsyncCommands as _, AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, aio::MultiplexedConnection,
};
use std::collections::BTreeMap;

pub(crate) async fn run(target: Target) {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let mut connection = connect(&target, protocol, target.password).await.expect("a connection");
        commands(&mut connection).await.unwrap();
        pipeline(&mut connection).await.unwrap();
        many_at_once(&connection).await;
        let error = redis::cmd("GET").exec_async(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("wrong number of arguments for 'get' command"), "{error}");
    }
    let error = connect(&target, ProtocolVersion::RESP3, Some("wrong")).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGPASS"), "{error}");
}

async fn connect(
    target: &Target,
    protocol: ProtocolVersion,
    password: Option<&str>,
) -> redis::RedisResult<MultiplexedConnection> {
    let mut info = RedisConnectionInfo::default().set_protocol(protocol).set_db(2);
    if let Some(password) = password {
        info = info.set_password(password);
    }
    let stream = target.dial().await;
    let (connection, driver) =
        MultiplexedConnection::new_with_config(&info, stream, AsyncConnectionConfig::default()).await?;
    drop(target.host.spawn(driver));
    Ok(connection)
}

async fn commands(connection: &mut MultiplexedConnection) -> redis::RedisResult<()> {
    let () = redis::cmd("FLUSHALL").query_async(connection).await?;
    let () = connection.set("a", b"\r\n\0binary".as_slice()).await?;
    let () = connection.set_ex("b", "short", 100).await?;
    let () = connection.pset_ex("c", "short", 100_000).await?;
    assert_eq!(connection.get::<_, Vec<u8>>("a").await?, b"\r\n\0binary");
    assert_eq!(connection.get::<_, Option<String>>("none").await?, None);
    assert_eq!(connection.mget::<_, Vec<Option<String>>>(&["b", "none"]).await?, [Some("short".to_owned()), None]);
    assert!(connection.exists::<_, bool>("b").await?);
    assert!(connection.pexpire::<_, bool>("b", 5000).await?);
    let left = connection.pttl::<_, i64>("b").await?;
    assert!((1..=5000).contains(&left), "{left}");
    assert_eq!(connection.del::<_, i64>(&["a", "b", "none"]).await?, 2);
    let config: BTreeMap<String, String> =
        redis::cmd("CONFIG").arg("GET").arg("databases").query_async(connection).await?;
    assert_eq!(config["databases"], "16");
    let info: redis::InfoDict = redis::cmd("INFO").query_async(connection).await?;
    assert_eq!(info.get::<String>("redis_mode").as_deref(), Some("standalone"));
    Ok(())
}

async fn pipeline(connection: &mut MultiplexedConnection) -> redis::RedisResult<()> {
    let mut pipe = redis::pipe();
    pipe.set("k", 1).ignore().get("k").exists("k").pttl("k");
    let replies: (i64, bool, i64) = pipe.query_async(connection).await?;
    assert_eq!(replies, (1, true, -1));
    Ok(())
}

async fn many_at_once(connection: &MultiplexedConnection) {
    let one = |n: i64| {
        let mut connection = connection.clone();
        async move {
            let () = connection.set(format!("key {n}"), n).await.unwrap();
            assert_eq!(connection.get::<_, i64>(format!("key {n}")).await.unwrap(), n);
        }
    };
    futures_util::future::join_all((0..200).map(one)).await;
}
