//! Conformance of the proxy, over TCP and in memory alike: one body for both. The effects on bytes have a file of their
//! own.

use super::support::{MS, REFUSE, World, apply, ask, assert_reset, fault, latency, remove};
use chaos_inject::{Message, Reply};
use chaos_model::effect::{Blackhole, Hang, Refuse, Reset};
use chaos_model::{Directions, Effect, OpenConnections, Share, event::Fired};
use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

conformance!(
    passes_bytes_and_a_half_close,
    resets_clients_of_a_service_that_is_not_there,
    lets_connections_wait_for_the_service,
    a_client_that_goes_away_ends_the_dial,
    goes_to_where_the_service_has_moved,
    delays_and_releases,
    refuses_and_takes_again,
    refuses_new_connections_alone,
    hangs_and_releases,
    hides_that_the_service_is_gone_while_it_hangs,
    blackholes_and_takes_again,
    resets_after_a_time,
    meets_a_share,
    holds_a_share_that_it_cannot_drop,
    a_stop_ends_everything,
    nothing_runs_on,
    refuses_what_makes_no_sense,
    clears,
);

async fn passes_bytes_and_a_half_close(world: &World) {
    let proxy = world.proxy();
    let mut stream = world.open(&proxy).await;
    stream.write_all(b"the last").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "the last");
    drop(stream);
    world.await_connections(&proxy, 0).await;
}

async fn resets_clients_of_a_service_that_is_not_there(world: &World) {
    let proxy = world.lone_proxy();
    let free = world.service.listen(0).unwrap().port();
    proxy.point_at(world.service_name(), free);
    world.assert_reset_on_dial(&proxy).await;
    world.await_connections(&proxy, 0).await;
}

async fn lets_connections_wait_for_the_service(world: &World) {
    let proxy = world.lone_proxy();
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(b"early").await.unwrap();
    world.assert_silent(&mut stream).await;
    proxy.point_at(world.service_name(), world.echo());
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"early");
}

async fn a_client_that_goes_away_ends_the_dial(world: &World) {
    let proxy = world.lone_proxy();
    let (closed, mut reset) = (world.dial(&proxy).await.unwrap(), world.dial(&proxy).await.unwrap());
    reset.write_all(b"a request").await.unwrap();
    world.await_connections(&proxy, 2).await;
    drop(closed);
    world.await_connections(&proxy, 1).await;
    reset.abort();
    world.await_connections(&proxy, 0).await;
}

async fn goes_to_where_the_service_has_moved(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    let free = world.service.listen(0).unwrap().port();
    proxy.point_at(world.service_name(), free);
    world.assert_reset_on_dial(&proxy).await;
    ask(&mut open, b"still there").await.unwrap();
    proxy.point_at(world.service_name(), world.echo());
    world.open(&proxy).await;
}

async fn delays_and_releases(world: &World) {
    let proxy = world.proxy();
    let mut stream = world.open(&proxy).await;
    apply(&proxy, fault("slow", latency(30 * MS, Directions::Downstream))).await;
    let asked = Instant::now();
    ask(&mut stream, b"slowly").await.unwrap();
    assert!(asked.elapsed() >= 30 * MS);
    apply(&proxy, fault("slower", latency(Duration::from_secs(3600), Directions::Upstream))).await;
    stream.write_all(b"much later").await.unwrap();
    world.assert_silent_for(&mut stream, world.patience / 2).await;
    assert_eq!(remove(&proxy, "slower").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"much later");
    assert_eq!(remove(&proxy, "slow").await, Fired { connections: 1, chunks: 2, ..Fired::default() });
}

async fn refuses_and_takes_again(world: &World) {
    let proxy = world.proxy();
    let mut open = [world.open(&proxy).await, world.open(&proxy).await];
    apply(&proxy, fault("outage", REFUSE)).await;
    for stream in &mut open {
        assert_reset(stream).await;
    }
    for _ in 0..3 {
        assert_eq!(world.dial(&proxy).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
    world.await_connections(&proxy, 0).await;
    let fired = remove(&proxy, "outage").await;
    // On TCP the refused are an upper bound, counted by machine.
    assert!(fired.refused >= 3, "{fired:?}");
    assert_eq!(Fired { refused: 0, ..fired }, Fired { connections: 2, resets: 2, ..Fired::default() });
    world.open(&proxy).await;
}

async fn refuses_new_connections_alone(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    apply(&proxy, fault("outage", Effect::Refuse(Refuse { open: OpenConnections::Keep }))).await;
    ask(&mut open, b"spared").await.unwrap();
    assert_eq!(world.dial(&proxy).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    let fired = remove(&proxy, "outage").await;
    assert!(fired.refused >= 1 && fired.resets == 0 && fired.connections == 0, "{fired:?}");
    ask(&mut open, b"spared").await.unwrap();
}

async fn hangs_and_releases(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    apply(&proxy, fault("freeze", Effect::Hang(Hang {}))).await;
    let mut new = world.dial(&proxy).await.unwrap();
    for stream in [&mut open, &mut new] {
        stream.write_all(b"anyone?").await.unwrap();
        stream.shutdown().await.unwrap();
        world.assert_silent(stream).await;
    }
    assert_eq!(remove(&proxy, "freeze").await, Fired { connections: 2, chunks: 2, ..Fired::default() });
    for stream in [&mut open, &mut new] {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "anyone?");
    }
}

async fn hides_that_the_service_is_gone_while_it_hangs(world: &World) {
    let proxy = world.lone_proxy();
    let free = world.service.listen(0).unwrap().port();
    proxy.point_at(world.service_name(), free);
    apply(&proxy, fault("freeze", Effect::Hang(Hang {}))).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    world.assert_silent(&mut stream).await;
    remove(&proxy, "freeze").await;
    assert_reset(&mut stream).await;
}

async fn blackholes_and_takes_again(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    apply(&proxy, fault("cut", Effect::Blackhole(Blackhole {}))).await;
    open.write_all(b"anyone?").await.unwrap();
    world.assert_silent(&mut open).await;
    let dialed = timeout(300 * MS, world.dial(&proxy)).await;
    assert!(dialed.is_err(), "expected silence, got {dialed:?}");
    let fired = remove(&proxy, "cut").await;
    assert!(fired.dropped >= 1, "{fired:?}");
    assert_eq!(Fired { dropped: 0, ..fired }, Fired { connections: 1, chunks: 1, ..Fired::default() });
    let mut answer = [0; 7];
    open.read_exact(&mut answer).await.unwrap();
    world.open(&proxy).await;
}

async fn resets_after_a_time(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    let applied = Instant::now();
    apply(&proxy, fault("cut", Effect::Reset(Reset::after(50 * MS)))).await;
    ask(&mut open, b"not yet").await.unwrap();
    assert_reset(&mut open).await;
    assert!(applied.elapsed() >= 50 * MS);
    let dialed = Instant::now();
    let mut new = world.open(&proxy).await;
    assert_reset(&mut new).await;
    assert!(dialed.elapsed() >= 50 * MS);
    let mut spared = world.open(&proxy).await;
    assert_eq!(remove(&proxy, "cut").await, Fired { connections: 3, resets: 2, ..Fired::default() });
    world.assert_silent(&mut spared).await;
    ask(&mut spared, b"spared").await.unwrap();
}

async fn meets_a_share(world: &World) {
    let proxy = world.proxy();
    let mut open = Vec::new();
    for _ in 0..20 {
        open.push(world.open(&proxy).await);
    }
    let mut half = fault("half", REFUSE);
    half.share = Share { parts: 1, whole: 2 };
    apply(&proxy, half).await;
    let mut lost = 0;
    for stream in &mut open {
        lost += u64::from(ask(stream, b"there?").await.is_err());
    }
    for _ in 0..20 {
        // Taken, since a listener can't tell connections apart, and reset at once where the draw says so.
        let asked = async { ask(&mut world.dial(&proxy).await?, b"there?").await };
        lost += u64::from(asked.await.is_err());
    }
    assert!((10..=30).contains(&lost), "{lost} of 40");
    let fired = remove(&proxy, "half").await;
    assert_eq!((fired.connections, fired.resets), (lost, lost));
}

async fn holds_a_share_that_it_cannot_drop(world: &World) {
    let proxy = world.proxy();
    let mut half = fault("half", Effect::Blackhole(Blackhole {}));
    half.share = Share { parts: 1, whole: 2 };
    apply(&proxy, half).await;
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = world.dial(&proxy).await.unwrap();
        if timeout(world.patience, ask(&mut stream, b"there?")).await.is_err() {
            held.push(stream);
        }
    }
    assert!((1..=9).contains(&held.len()), "{} of 10", held.len());
    let fired = remove(&proxy, "half").await;
    let count = held.len() as u64;
    assert_eq!(fired, Fired { connections: count, chunks: count, ..Fired::default() });
    for stream in &mut held {
        let mut answer = [0; 6];
        stream.read_exact(&mut answer).await.unwrap();
    }
}

async fn a_stop_ends_everything(world: &World) {
    let proxy = world.proxy();
    let mut open = world.open(&proxy).await;
    apply(&proxy, fault("freeze", Effect::Hang(Hang {}))).await;
    let mut held = world.dial(&proxy).await.unwrap();
    world.await_connections(&proxy, 2).await;
    let port = proxy.port();
    drop(proxy);
    for stream in [&mut open, &mut held] {
        let end = timeout(Duration::from_secs(5), stream.read(&mut [0])).await.expect("an end");
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
    while world.proxy.listen(port).is_err() {
        world.client.sleep(MS).await;
    }
}

async fn nothing_runs_on(world: &World) {
    let proxy = world.proxy();
    apply(&proxy, fault("late", latency(Duration::from_secs(3600), Directions::Both))).await;
    apply(&proxy, fault("later", Effect::Reset(Reset::after(Duration::from_secs(3600))))).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = world.dial(&proxy).await.unwrap();
        stream.write_all(b"anyone?").await.unwrap();
        streams.push(stream);
    }
    world.await_tasks(21).await;
    drop(proxy);
    world.await_tasks(0).await;
}

async fn refuses_what_makes_no_sense(world: &World) {
    let proxy = world.proxy();
    let refused = async |message| match proxy.send(message).await {
        Reply::Refused { why } => why,
        other => panic!("{other:?}"),
    };
    apply(&proxy, fault("freeze", Effect::Hang(Hang {}))).await;
    let mut astray = fault("astray", Effect::Hang(Hang {}));
    astray.on = chaos_model::Target::Service("redis".to_owned());
    let twice = Message::Apply(Box::new(fault("freeze", REFUSE)));
    assert_eq!(refused(twice).await, "freeze is on gateway -> redis already");
    let why = refused(Message::Apply(Box::new(astray))).await;
    assert_eq!(why, "astray is on redis, and this is gateway -> redis");
    let why = refused(Message::Remove { fault: "thaw".to_owned() }).await;
    assert_eq!(why, "no fault called thaw is on gateway -> redis");
    let fired = BTreeMap::from([("freeze".to_owned(), Fired::default())]);
    assert_eq!(proxy.send(Message::Fired).await, Reply::Fired(fired));
}

async fn clears(world: &World) {
    let proxy = world.proxy();
    for (name, effect) in [("a", Effect::Hang(Hang {})), ("b", REFUSE), ("c", Effect::Blackhole(Blackhole {}))] {
        apply(&proxy, fault(name, effect)).await;
    }
    assert_eq!(world.dial(&proxy).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    remove(&proxy, "b").await;
    assert!(timeout(100 * MS, world.dial(&proxy)).await.is_err());
    assert_eq!(proxy.send(Message::Clear).await, Reply::Done);
    assert_eq!(proxy.send(Message::Fired).await, Reply::Fired(BTreeMap::new()));
    world.open(&proxy).await;
    assert_eq!(proxy.send(Message::Clear).await, Reply::Done);
}
