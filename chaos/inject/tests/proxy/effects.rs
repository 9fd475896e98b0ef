//! One case for each effect on bytes, over TCP and in memory alike. What each asserts of time is a bound that no
//! machine is too slow for; exact times are on the paused clock alone.

use super::support::{MS, Pair, World, apply, assert_reset, fault, latency, pass, remove, rest, text};
use chaos_model::effect::{Bandwidth, DialDelay, HalfOpen, Hang, Latency, Limit, Reset, Slice, SlowClose};
use chaos_model::{Directions, Distribution, Effect, Fault, Share, Spread, event::Fired};
use host::Stream;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

conformance!(
    latency_of_every_distribution,
    latency_that_grows,
    bandwidth_on_either_way,
    dial_delay_of_new_connections,
    half_open_downstream,
    half_open_upstream,
    half_open_releases_the_end,
    slices,
    slow_close,
    limit_downstream,
    limit_upstream,
    limit_of_both_ways_together,
    limit_goes_on_counting_while_other_faults_come_and_go,
    limit_hears_out_who_still_sends,
    reset_after_bytes,
    reset_after_more_than_the_kernel_takes,
    limit_of_more_than_the_kernel_takes,
    a_share_of_connections_is_limited,
    a_reset_wins_over_a_limit,
    holding_wins_over_what_counts_bytes,
);

const HOUR: Duration = Duration::from_secs(3600);

/// Asserts that as much time has passed as must have.
fn at_least(since: Instant, time: Duration) {
    assert!(since.elapsed() >= time, "{:?}, not {time:?}", since.elapsed());
}

async fn latency_of_every_distribution(world: &World) {
    let (proxy, mut pair) = world.pair().await;
    for distribution in Distribution::ALL {
        let delay = Spread { mean: 30 * MS, jitter: 5 * MS, distribution };
        let name = distribution.name();
        apply(&proxy, fault(name, Effect::Latency(Latency::of(delay, Directions::Both)))).await;
        let began = Instant::now();
        pass(&mut pair.client, &mut pair.served, b"there").await;
        pass(&mut pair.served, &mut pair.client, b"and back").await;
        // Of the normal and the log-normal distribution, one in a billion twice is shorter by ten milliseconds.
        at_least(began, 40 * MS);
        assert_eq!(remove(&proxy, name).await, Fired { connections: 1, chunks: 2, ..Fired::default() });
    }
}

async fn latency_that_grows(world: &World) {
    let (proxy, mut pair) = world.pair().await;
    let whole = latency(HOUR, Directions::Downstream);
    // A thousandth after 100 milliseconds: 36 ms each 1 ms.
    apply(&proxy, Fault { ramp: 100_000 * MS, ..fault("slower", whole) }).await;
    world.client.sleep(3 * MS).await;
    let began = Instant::now();
    pass(&mut pair.served, &mut pair.client, b"soon").await;
    at_least(began, 108 * MS);
    world.client.sleep(3 * MS).await;
    pair.served.write_all(b"later").await.unwrap();
    world.assert_silent_for(&mut pair.client, 100 * MS).await;
    assert_eq!(remove(&proxy, "slower").await.chunks, 2);
    assert_eq!(pair.client.read(&mut [0; 9]).await.unwrap(), 5);
}

async fn bandwidth_on_either_way(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let bytes = text(64 * 1024);
    for direction in [Directions::Upstream, Directions::Downstream] {
        let rate = Bandwidth { bytes_per_second: 512 * 1024, direction };
        apply(&proxy, fault("narrow", rate.into())).await;
        let (slow, fast) = match direction {
            Directions::Upstream => ((&mut client, &mut served), Directions::Downstream),
            _ => ((&mut served, &mut client), Directions::Upstream),
        };
        let began = Instant::now();
        pass(slow.0, slow.1, &bytes).await;
        at_least(began, 125 * MS);
        // The other way is free: an hour's worth of bytes would never come.
        apply(&proxy, fault("still", Bandwidth { bytes_per_second: 1, direction }.into())).await;
        match fast {
            Directions::Upstream => pass(&mut client, &mut served, &bytes).await,
            _ => pass(&mut served, &mut client, &bytes).await,
        }
        assert!(remove(&proxy, "narrow").await.chunks >= 1);
        assert_eq!(remove(&proxy, "still").await.chunks, 0);
    }
    // What waits for a rate is released with it.
    apply(&proxy, fault("still", Bandwidth { bytes_per_second: 1, direction: Directions::Both }.into())).await;
    served.write_all(&bytes[..9000]).await.unwrap();
    world.assert_silent_for(&mut client, 100 * MS).await;
    assert!(remove(&proxy, "still").await.chunks >= 1);
    client.read_exact(&mut [0; 9000]).await.unwrap();
}

async fn dial_delay_of_new_connections(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    apply(&proxy, fault("slow", DialDelay { delay: 60 * MS }.into())).await;
    pass(&mut client, &mut served, b"spared").await;
    let dialed = Instant::now();
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    pass(&mut new, &mut new_served, b"up").await;
    at_least(dialed, 60 * MS);
    assert_eq!(remove(&proxy, "slow").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    apply(&proxy, fault("slower", DialDelay { delay: HOUR }.into())).await;
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    new.write_all(b"up").await.unwrap();
    new_served.write_all(b"down").await.unwrap();
    world.assert_silent_for(&mut new, 100 * MS).await;
    world.assert_silent_for(&mut new_served, 100 * MS).await;
    assert_eq!(remove(&proxy, "slower").await, Fired { connections: 1, chunks: 2, ..Fired::default() });
    new_served.read_exact(&mut [0; 2]).await.unwrap();
    new.read_exact(&mut [0; 4]).await.unwrap();
}

async fn half_open_downstream(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("deaf", HalfOpen { direction: Directions::Downstream }.into())).await;
    pass(&mut client, &mut served, b"asked").await;
    served.write_all(b"answered").await.unwrap();
    world.assert_silent(&mut client).await;
    pass(&mut client, &mut served, b"asked again").await;
    assert_eq!(remove(&proxy, "deaf").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    client.read_exact(&mut [0; 8]).await.unwrap();
}

async fn half_open_upstream(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("mute", HalfOpen { direction: Directions::Upstream }.into())).await;
    client.write_all(b"asked").await.unwrap();
    world.assert_silent(&mut served).await;
    pass(&mut served, &mut client, b"told").await;
    assert_eq!(remove(&proxy, "mute").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    served.read_exact(&mut [0; 5]).await.unwrap();
}

async fn half_open_releases_the_end(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("deaf", HalfOpen { direction: Directions::Downstream }.into())).await;
    served.write_all(b"bye").await.unwrap();
    served.shutdown().await.unwrap();
    world.assert_silent(&mut client).await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut served).await, (Vec::new(), Ok(())), "the end passes the other way");
    assert_eq!(proxy.connections(), 1);
    remove(&proxy, "deaf").await;
    assert_eq!(rest(&mut client).await, (b"bye".to_vec(), Ok(())));
    world.await_connections(&proxy, 0).await;
}

async fn slices(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let slice = Slice { size: 10, variation: 0, gap: 5 * MS, direction: Directions::Downstream };
    apply(&proxy, fault("crumbs", slice.into())).await;
    pass(&mut served, &mut client, b"ten bytes!").await;
    let began = Instant::now();
    pass(&mut served, &mut client, &text(95)).await;
    at_least(began, 45 * MS);
    pass(&mut client, &mut served, &text(95)).await;
    // The one of ten bytes was whole.
    assert_eq!(remove(&proxy, "crumbs").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    let slice = Slice { size: 1, variation: 0, gap: HOUR, direction: Directions::Both };
    apply(&proxy, fault("crumbs", slice.into())).await;
    served.write_all(b"xyz").await.unwrap();
    client.read_exact(&mut [0; 1]).await.unwrap();
    world.assert_silent_for(&mut client, 100 * MS).await;
    remove(&proxy, "crumbs").await;
    client.read_exact(&mut [0; 2]).await.unwrap();
}

async fn slow_close(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("late", SlowClose::by(60 * MS).into())).await;
    let began = Instant::now();
    pass(&mut client, &mut served, b"the last").await;
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut served).await, (Vec::new(), Ok(())));
    at_least(began, 60 * MS);
    pass(&mut served, &mut client, b"no, this is").await;
    apply(&proxy, fault("later", SlowClose::by(HOUR).into())).await;
    served.shutdown().await.unwrap();
    world.assert_silent_for(&mut client, 100 * MS).await;
    assert_eq!(remove(&proxy, "later").await, Fired { connections: 1, chunks: 1, ..Fired::default() });
    assert_eq!(rest(&mut client).await, (Vec::new(), Ok(())));
    world.await_connections(&proxy, 0).await;
    assert_eq!(remove(&proxy, "late").await, Fired { connections: 1, chunks: 2, ..Fired::default() });
}

async fn limit_downstream(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    let bytes = text(200_000);
    let limit = |bytes| Limit { bytes, direction: Directions::Downstream };
    apply(&proxy, fault("short", limit(100_001).into())).await;
    // What goes the other way doesn't count.
    pass(&mut client, &mut served, &bytes).await;
    let (got, _) = tokio::join!(rest(&mut client), served.write_all(&bytes));
    assert!(got == (bytes[..100_001].to_vec(), Ok(())), "{} bytes, {:?}", got.0.len(), got.1);
    assert_eq!(rest(&mut served).await, (Vec::new(), Ok(())), "both sides are closed in good order");
    // A new connection has a budget of its own, and one that stays below it is not closed.
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    pass(&mut new_served, &mut new, &bytes[..100_000]).await;
    pass(&mut new, &mut new_served, b"still there").await;
    assert_eq!(remove(&proxy, "short").await, Fired { connections: 2, closes: 1, ..Fired::default() });
    pass(&mut new_served, &mut new, &bytes).await;
}

async fn limit_upstream(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("short", Limit { bytes: 4, direction: Directions::Upstream }.into())).await;
    pass(&mut served, &mut client, &text(1000)).await;
    client.write_all(b"12345678").await.unwrap();
    assert_eq!(rest(&mut served).await, (b"1234".to_vec(), Ok(())));
    assert_eq!(rest(&mut client).await, (Vec::new(), Ok(())));
    drop((client, served));
    world.await_connections(&proxy, 0).await;
}

async fn limit_of_both_ways_together(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("short", Limit { bytes: 10, direction: Directions::Both }.into())).await;
    pass(&mut client, &mut served, b"123456").await;
    served.write_all(b"7890abc").await.unwrap();
    assert_eq!(rest(&mut client).await, (b"7890".to_vec(), Ok(())));
    assert_eq!(rest(&mut served).await, (Vec::new(), Ok(())));
}

async fn limit_goes_on_counting_while_other_faults_come_and_go(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("short", Limit { bytes: 10, direction: Directions::Upstream }.into())).await;
    pass(&mut client, &mut served, b"1234").await;
    apply(&proxy, fault("slow", latency(MS, Directions::Upstream))).await;
    pass(&mut client, &mut served, b"5678").await;
    remove(&proxy, "slow").await;
    client.write_all(b"90abcdef").await.unwrap();
    assert_eq!(rest(&mut served).await, (b"90".to_vec(), Ok(())));
}

/// A close with bytes left unread is a reset: who sends on must not get that in place of the end.
async fn limit_hears_out_who_still_sends(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let held = HalfOpen { direction: Directions::Upstream };
    apply(&proxy, fault("mute", held.into())).await;
    apply(&proxy, fault("short", Limit { bytes: 4, direction: Directions::Downstream }.into())).await;
    client.write_all(&text(300_000)).await.unwrap();
    served.write_all(b"12345678").await.unwrap();
    world.client.sleep(20 * MS).await;
    assert_eq!(rest(&mut client).await, (b"1234".to_vec(), Ok(())));
    assert_eq!(rest(&mut served).await, (Vec::new(), Ok(())));
    // A fault that is taken back meanwhile doesn't wait for them to go.
    let began = Instant::now();
    remove(&proxy, "short").await;
    assert!(began.elapsed() < 1000 * MS);
    drop((client, served));
    world.await_connections(&proxy, 0).await;
}

async fn reset_after_bytes(world: &World) {
    let (proxy, Pair { mut client, mut served, mut listener }) = world.pair().await;
    let bytes = text(70_000);
    let reset = |bytes, direction| Reset { after: Duration::ZERO, after_bytes: Some(bytes), direction };
    apply(&proxy, fault("cut", reset(50_001, Directions::Downstream).into())).await;
    pass(&mut client, &mut served, &bytes).await;
    let (got, _) = tokio::join!(rest(&mut client), served.write_all(&bytes));
    assert!(got == (bytes[..50_001].to_vec(), Err(ErrorKind::ConnectionReset)), "{} bytes, {:?}", got.0.len(), got.1);
    assert_reset(&mut served).await;
    let (mut new, mut new_served) = world.connect(&proxy, &mut listener).await;
    pass(&mut new_served, &mut new, &bytes[..50_000]).await;
    new_served.write_all(b"1").await.unwrap();
    assert_eq!(rest(&mut new).await, (b"1".to_vec(), Err(ErrorKind::ConnectionReset)));
    assert_eq!(remove(&proxy, "cut").await, Fired { connections: 2, resets: 2, ..Fired::default() });
    world.await_connections(&proxy, 0).await;
}

/// A reset throws away what the kernel has not delivered: it has to wait for that.
async fn reset_after_more_than_the_kernel_takes(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let (length, bytes) = (6_000_000, text(8_000_000));
    let reset = Reset { after: Duration::ZERO, after_bytes: Some(length as u64), direction: Directions::Downstream };
    apply(&proxy, fault("cut", reset.into())).await;
    let sending = world.service.spawn(async move {
        let _ = served.write_all(&bytes).await;
        served
    });
    // One that wrote would hear of the reset there, and only there.
    let (got, end) = read_slowly(world, &mut client, b"").await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    assert!(got == text(length), "{} bytes", got.len());
    drop(sending.await.unwrap());
}

/// A close with bytes left unread is a reset, which throws away what the kernel has not delivered.
async fn limit_of_more_than_the_kernel_takes(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let (length, bytes) = (6_000_000, text(8_000_000));
    apply(&proxy, fault("short", Limit { bytes: length as u64, direction: Directions::Downstream }.into())).await;
    let sending = world.service.spawn(async move {
        let _ = served.write_all(&bytes).await;
        served
    });
    let (got, end) = read_slowly(world, &mut client, b"still there").await;
    assert_eq!(end, Ok(()));
    assert!(got == text(length), "{} bytes", got.len());
    drop(sending.await.unwrap());
}

/// Reads to the end, long after all has been written, and sends this meanwhile.
async fn read_slowly(world: &World, stream: &mut Stream, sends: &[u8]) -> (Vec<u8>, Result<(), ErrorKind>) {
    let (mut got, mut part) = (Vec::new(), vec![0; 100_000]);
    loop {
        let _ = timeout(MS, stream.write_all(sends)).await;
        world.client.sleep(5 * MS).await;
        match stream.read(&mut part).await {
            Ok(0) => return (got, Ok(())),
            Ok(count) => got.extend_from_slice(&part[..count]),
            Err(error) => return (got, Err(error.kind())),
        }
    }
}

async fn a_share_of_connections_is_limited(world: &World) {
    let (proxy, Pair { mut listener, .. }) = world.pair().await;
    let limit = Limit { bytes: 3, direction: Directions::Upstream };
    apply(&proxy, Fault { share: Share { parts: 1, whole: 2 }, ..fault("short", limit.into()) }).await;
    let mut closed = 0;
    for _ in 0..20 {
        let (mut client, mut served) = world.connect(&proxy, &mut listener).await;
        client.write_all(b"12345").await.unwrap();
        client.shutdown().await.unwrap();
        let got = rest(&mut served).await;
        let whole = got == (b"12345".to_vec(), Ok(()));
        assert!(whole || got == (b"123".to_vec(), Ok(())), "{got:?}");
        closed += u64::from(!whole);
    }
    assert!((2..=18).contains(&closed), "{closed} of 20");
    let fired = remove(&proxy, "short").await;
    assert_eq!(fired.closes, closed);
    assert!((closed..=closed + 1).contains(&fired.connections), "the first one is open all the while");
}

async fn a_reset_wins_over_a_limit(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let direction = Directions::Upstream;
    apply(&proxy, fault("short", Limit { bytes: 4, direction }.into())).await;
    apply(&proxy, fault("cut", Reset { after: Duration::ZERO, after_bytes: Some(4), direction }.into())).await;
    client.write_all(b"12345678").await.unwrap();
    assert_eq!(rest(&mut served).await, (b"1234".to_vec(), Err(ErrorKind::ConnectionReset)));
    assert_eq!(remove(&proxy, "cut").await, Fired { connections: 1, resets: 1, ..Fired::default() });
    assert_eq!(remove(&proxy, "short").await, Fired { connections: 1, ..Fired::default() });
}

async fn holding_wins_over_what_counts_bytes(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    let direction = Directions::Upstream;
    apply(&proxy, fault("cut", Reset { after: Duration::ZERO, after_bytes: Some(4), direction }.into())).await;
    apply(&proxy, fault("freeze", Hang {}.into())).await;
    client.write_all(b"12345678").await.unwrap();
    world.assert_silent_for(&mut client, 100 * MS).await;
    remove(&proxy, "freeze").await;
    assert_eq!(rest(&mut served).await, (b"1234".to_vec(), Err(ErrorKind::ConnectionReset)));
}
