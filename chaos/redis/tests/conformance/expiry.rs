//! Deadlines that pass. Written for both clocks: times are ranges, and what must happen is waited for.

use crate::target::{Connection, Target};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) async fn run(target: Target) {
    let mut connection = target.connect().await;
    time_left_goes_down(&target, &mut connection).await;
    for (set, name) in [("SET a 1 PX 5", "PX"), ("SET a 1 EX 1", "EX")] {
        let start = Instant::now();
        assert_eq!(connection.ask(set).await, "+OK\r\n");
        until_gone(&target, &mut connection).await;
        let lived = start.elapsed();
        let least = if name == "PX" { 5 } else { 1000 };
        assert!(lived >= Duration::from_millis(least), "{name}: {lived:?}");
    }
    assert_eq!(connection.ask("SET a 1").await, "+OK\r\n");
    assert_eq!(connection.ask("PEXPIRE a 5").await, ":1\r\n");
    until_gone(&target, &mut connection).await;
    for (gone, reply) in [
        ("EXISTS a", ":0\r\n"),
        ("PTTL a", ":-2\r\n"),
        ("PEXPIRE a 100", ":0\r\n"),
        ("DEL a", ":0\r\n"),
        ("SET a 1 XX", "$-1\r\n"),
        ("MGET a", "*1\r\n$-1\r\n"),
    ] {
        assert_eq!(connection.ask("SET a 1 PX 1").await, "+OK\r\n");
        target.host.sleep(Duration::from_millis(4)).await;
        assert_eq!(connection.ask(gone).await, reply, "{gone}");
    }
    nobody_needs_to_ask(&target, &mut connection).await;
}

async fn time_left_goes_down(target: &Target, connection: &mut Connection) {
    assert_eq!(connection.ask("SET a 1 PX 60000").await, "+OK\r\n");
    let first = connection.ask_integer("PTTL a").await;
    assert!((50_000..=60_000).contains(&first), "{first}");
    target.host.sleep(Duration::from_millis(20)).await;
    let later = connection.ask_integer("PTTL a").await;
    assert!((40_000..=first - 19).contains(&later), "{first}, then {later}");
    let seconds = connection.ask_integer("TTL a").await;
    assert!((40..=60).contains(&seconds), "{seconds}");
}

/// Waits until the key `a` is gone.
async fn until_gone(target: &Target, connection: &mut Connection) {
    let start = Instant::now();
    while connection.ask("GET a").await != "$-1\r\n" {
        assert!(start.elapsed() < Duration::from_secs(10), "still there after {:?}", start.elapsed());
        target.host.sleep(Duration::from_millis(1)).await;
    }
}

/// Keys go though nobody asks for them.
async fn nobody_needs_to_ask(target: &Target, connection: &mut Connection) {
    assert_eq!(connection.ask("FLUSHALL").await, "+OK\r\n");
    for n in 0..300 {
        assert_eq!(connection.ask(&format!("SET key{n} 1 PX 5")).await, "+OK\r\n");
    }
    let start = Instant::now();
    while connection.ask_integer("DBSIZE").await > 0 {
        assert!(start.elapsed() < Duration::from_secs(10), "not swept");
        target.host.sleep(Duration::from_millis(10)).await;
    }
}
