//! Delays to the millisecond, on the paused clock.

use crate::support::{MS, World, apply, ask, assert_reset, fault, latency, remove};
use chaos_inject::Proxy;
use chaos_model::effect::{Hang, Latency, Reset};
use chaos_model::{Directions, Distribution, Effect, Spread};
use host::Stream;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// The time until the response to one request is there.
async fn round_trip(stream: &mut Stream) -> Duration {
    let asked = Instant::now();
    ask(stream, b"PING").await.unwrap();
    asked.elapsed()
}

/// A proxy with these faults, and a connection through it.
async fn with(effects: &[Effect]) -> (World, Proxy, Stream) {
    let world = World::memory();
    let proxy = world.proxy();
    let stream = world.open(&proxy).await;
    for (index, effect) in effects.iter().enumerate() {
        apply(&proxy, fault(&index.to_string(), effect.clone())).await;
    }
    (world, proxy, stream)
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_the_delay_once_or_twice_and_delays_add_up() {
    for (expected, effects) in [
        (0, vec![]),
        (20, vec![latency(20 * MS, Directions::Upstream)]),
        (20, vec![latency(20 * MS, Directions::Downstream)]),
        (40, vec![latency(20 * MS, Directions::Both)]),
        (25, vec![latency(20 * MS, Directions::Downstream), latency(5 * MS, Directions::Downstream)]),
        (45, vec![latency(20 * MS, Directions::Both), latency(5 * MS, Directions::Upstream)]),
    ] {
        let (world, proxy, mut open) = with(&effects).await;
        let mut new = world.dial(&proxy).await.unwrap();
        assert_eq!(round_trip(&mut open).await, expected * MS, "{effects:?}");
        assert_eq!(round_trip(&mut new).await, expected * MS, "{effects:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn uniform_jitter_stays_within_its_bounds_and_uses_them() {
    let jittered = Effect::Latency(Latency {
        delay: Spread { mean: 50 * MS, jitter: 20 * MS, distribution: Distribution::Uniform },
        direction: Directions::Downstream,
    });
    let (_world, _proxy, mut stream) = with(&[jittered]).await;
    let mut times = Vec::new();
    for _ in 0..300 {
        times.push(round_trip(&mut stream).await);
    }
    // tokio's timer rounds up to a millisecond.
    assert!(times.iter().all(|time| (30 * MS..=71 * MS).contains(time)), "{times:?}");
    assert!(times.iter().min() < Some(&(32 * MS)) && times.iter().max() > Some(&(68 * MS)), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn chunks_on_their_way_do_not_wait_for_each_other() {
    let (world, _proxy, mut stream) = with(&[latency(100 * MS, Directions::Upstream)]).await;
    let (mut read, mut write) = stream.split();
    let began = Instant::now();
    let send = async {
        for number in 0..50 {
            write.write_all(&[number]).await.unwrap();
            world.client.sleep(MS).await;
        }
    };
    let receive = async {
        for number in 0..50 {
            assert_eq!(read.read_u8().await.unwrap(), number);
            assert_eq!(began.elapsed(), 100 * MS + u32::from(number) * MS);
        }
    };
    tokio::join!(send, receive);
}

#[tokio::test(start_paused = true)]
async fn jitter_never_reorders() {
    let jittered = Effect::Latency(Latency {
        delay: Spread { mean: 50 * MS, jitter: 50 * MS, distribution: Distribution::Normal },
        direction: Directions::Both,
    });
    let (world, _proxy, mut stream) = with(&[jittered]).await;
    let (mut read, mut write) = stream.split();
    let send = async {
        for number in 0..200 {
            write.write_all(&[number]).await.unwrap();
            world.client.sleep(MS).await;
        }
    };
    let receive = async {
        for number in 0..200 {
            assert_eq!(read.read_u8().await.unwrap(), number);
        }
    };
    tokio::join!(send, receive);
}

/// Sends so many bytes and reads them back; how long it takes.
async fn transfer(stream: &mut Stream, length: usize) -> Duration {
    let began = Instant::now();
    let (mut read, mut write) = stream.split();
    let bytes = vec![7; length];
    let mut back = vec![0; length];
    let (sent, got) = tokio::join!(write.write_all(&bytes), read.read_exact(&mut back));
    sent.and(got.map(|_| ())).unwrap();
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_delay_costs_no_throughput_up_to_the_bound_and_then_presses_back() {
    let (_world, _proxy, mut stream) = with(&[latency(100 * MS, Directions::Upstream)]).await;
    assert_eq!(transfer(&mut stream, 200 * 1024).await, 100 * MS);
    let long = transfer(&mut stream, 2 * 1024 * 1024).await;
    assert!((500 * MS..=1000 * MS).contains(&long), "{long:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_held_longer_than_its_delay_goes_at_once_and_else_waits_for_the_rest() {
    for (held, expected) in [(200, 200), (40, 100)] {
        let (world, proxy, mut stream) = with(&[latency(100 * MS, Directions::Upstream), Effect::Hang(Hang {})]).await;
        let release = async {
            world.client.sleep(held * MS).await;
            remove(&proxy, "1").await;
        };
        let (time, ()) = tokio::join!(round_trip(&mut stream), release);
        assert_eq!(time, expected * MS);
    }
}

#[tokio::test(start_paused = true)]
async fn removal_releases_what_is_delayed_at_that_moment() {
    let (world, proxy, mut stream) = with(&[latency(10_000 * MS, Directions::Both)]).await;
    let release = async {
        world.client.sleep(30 * MS).await;
        remove(&proxy, "0").await
    };
    let (time, fired) = tokio::join!(round_trip(&mut stream), release);
    assert_eq!((time, fired.chunks), (30 * MS, 1));
    assert_eq!(round_trip(&mut stream).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_that_waits_is_judged_again_when_the_faults_change() {
    let effects = [latency(100 * MS, Directions::Upstream), latency(10_000 * MS, Directions::Upstream)];
    let (world, proxy, mut stream) = with(&effects).await;
    let change = async {
        world.client.sleep(30 * MS).await;
        remove(&proxy, "1").await;
        apply(&proxy, fault("2", latency(50 * MS, Directions::Upstream))).await;
    };
    let (time, ()) = tokio::join!(round_trip(&mut stream), change);
    assert_eq!(time, 150 * MS);
    assert_eq!(remove(&proxy, "2").await.chunks, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_as_late_as_its_bytes() {
    let (_world, proxy, mut stream) = with(&[latency(20 * MS, Directions::Both)]).await;
    let began = Instant::now();
    stream.write_all(b"bye").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!((rest.as_slice(), began.elapsed()), (b"bye".as_slice(), 40 * MS));
    drop((stream, proxy));
}

#[tokio::test(start_paused = true)]
async fn a_reset_wins_over_holding() {
    let (_world, _proxy, mut stream) = with(&[Effect::Hang(Hang {}), Effect::Reset(Reset::after(30 * MS))]).await;
    let began = Instant::now();
    assert_reset(&mut stream).await;
    assert_eq!(began.elapsed(), 30 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_longer_than_endless_delay_is_no_trouble() {
    let (world, proxy, mut stream) = with(&[latency(Duration::MAX, Directions::Both)]).await;
    apply(&proxy, fault("late", Effect::Reset(Reset::after(Duration::MAX)))).await;
    stream.write_all(b"?").await.unwrap();
    world.assert_silent(&mut stream).await;
}
