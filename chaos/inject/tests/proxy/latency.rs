//! Delays to the millisecond, on the paused clock.

use crate::support::{MS, World, apply, ask, assert_reset, fault, latency, remove, removed};
use chaos_inject::Proxy;
use chaos_model::effect::{Bandwidth, Hang, Latency, Reset};
use chaos_model::{Directions, Distribution, Effect, Protocol, Spread};
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
async fn each_of_two_delays_of_a_chunk_is_told_its_own() {
    let (_world, proxy, mut stream) = with(&[20, 5].map(|delay| latency(delay * MS, Directions::Downstream))).await;
    round_trip(&mut stream).await;
    for (name, own) in [("0", 20), ("1", 5)] {
        let (_, injections, _) = removed(&proxy, name).await;
        let told: Vec<_> = injections.iter().map(|one| (one.asked, one.achieved)).collect();
        assert_eq!(told, [(Some(own * MS), Some(own * MS))]);
    }
}

#[tokio::test(start_paused = true)]
async fn uniform_jitter_stays_within_its_bounds_and_uses_them() {
    let jittered = Effect::Latency(Latency::of(
        Spread { mean: 50 * MS, jitter: 20 * MS, distribution: Distribution::Uniform },
        Directions::Downstream,
    ));
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
    let jittered = Effect::Latency(Latency::of(
        Spread { mean: 50 * MS, jitter: 50 * MS, distribution: Distribution::Normal },
        Directions::Both,
    ));
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
async fn a_delay_takes_its_time_once_however_much_comes() {
    for length in [200 << 10, 5 << 20, 60 << 20] {
        for delay in [10, 50, 100, 200] {
            let (_world, proxy, mut stream) = with(&[latency(delay * MS, Directions::Upstream)]).await;
            assert_eq!(transfer(&mut stream, length).await, delay * MS, "{length} bytes");
            assert_eq!(remove(&proxy, "0").await.throttled, 0, "{length} bytes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_response_takes_its_delay_once_where_it_is_read_along() {
    let body = "x".repeat(5 << 20);
    let chunks =
        body.as_bytes().chunks(1000).map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), "x".repeat(chunk.len())));
    let chunks = chunks.collect::<String>();
    for response in [
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"),
    ] {
        let world = World::memory();
        let proxy = world.proxy_of(Protocol::HTTP);
        let mut listener = world.service.listen(0).unwrap();
        proxy.point_at(world.service_name(), listener.port());
        apply(&proxy, fault("far", latency(100 * MS, Directions::Downstream))).await;
        let (mut client, mut served) = world.connect(&proxy, &mut listener).await;
        let request = "GET /x HTTP/1.1\r\n\r\n";
        let mut asked = vec![0; request.len()];
        client.write_all(request.as_bytes()).await.unwrap();
        served.read_exact(&mut asked).await.unwrap();
        let began = Instant::now();
        let mut came = vec![0; response.len()];
        let (sent, got) = tokio::join!(served.write_all(response.as_bytes()), client.read_exact(&mut came));
        sent.and(got.map(|_| ())).unwrap();
        assert_eq!(began.elapsed(), 100 * MS);
        assert!(came == response.as_bytes());
        let fired = remove(&proxy, "far").await;
        assert_eq!((fired.throttled, fired.connections), (0, 1));
    }
}

/// A delay of 100 ms with a MiB under way.
fn narrow(direction: Directions) -> Effect {
    let delay = Spread::constant(100 * MS);
    Effect::Latency(Latency { in_flight: 1 << 20, ..Latency::of(delay, direction) })
}

#[tokio::test(start_paused = true)]
async fn beyond_what_may_be_under_way_a_sender_waits_and_that_is_told() {
    // As much as fits, and no more: nobody waits.
    for (length, took, throttled) in [(900 << 10, 100..=100, 0), (1 << 20, 100..=100, 0), (5 << 20, 500..=600, 1)] {
        let (_world, proxy, mut stream) = with(&[narrow(Directions::Upstream)]).await;
        let time = transfer(&mut stream, length).await.as_millis();
        assert!(took.contains(&time), "{length} bytes took {time} ms");
        let again = transfer(&mut stream, length).await.as_millis();
        assert!(took.contains(&again), "{length} bytes took {again} ms the second time");
        assert_eq!(remove(&proxy, "0").await.throttled, throttled, "a connection counts once, {length} bytes");
    }
}

/// The bytes that a sender gets rid of while nobody answers.
async fn taken(stream: &mut Stream) -> usize {
    let mut taken = 0;
    while let Ok(wrote) = tokio::time::timeout(Duration::from_secs(1), stream.write(&[7; 10_000])).await {
        taken += wrote.unwrap();
        if taken > 3 << 20 {
            break;
        }
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn what_is_held_or_goes_at_a_rate_presses_back_and_what_is_late_does_not() {
    let late = || latency(Duration::from_secs(3600), Directions::Both);
    let rate = Effect::Bandwidth(Bandwidth { bytes_per_second: 1, direction: Directions::Upstream });
    for (effects, room) in [
        (vec![late()], 3 << 20..4 << 20),
        (vec![late(), Effect::Hang(Hang {})], 256 << 10..512 << 10),
        (vec![late(), rate], 256 << 10..512 << 10),
    ] {
        let (_world, proxy, mut stream) = with(&effects).await;
        let taken = taken(&mut stream).await;
        assert!(room.contains(&taken), "{taken} bytes under {effects:?}");
        assert_eq!(remove(&proxy, "0").await.throttled, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_released_when_the_delay_is_taken_back() {
    let (world, proxy, mut stream) = with(&[latency(Duration::from_secs(3600), Directions::Upstream)]).await;
    let release = async {
        world.client.sleep(30 * MS).await;
        remove(&proxy, "0").await;
    };
    let (took, ()) = tokio::join!(transfer(&mut stream, 20 << 20), release);
    assert_eq!(took, 30 * MS);
    assert_eq!(transfer(&mut stream, 20 << 20).await, Duration::ZERO);
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
