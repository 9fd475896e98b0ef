//! Rates, pieces and ends to the millisecond, on the paused clock.

use crate::support::{MS, Pair, World, apply, fault, latency, remove, rest, text};
use chaos_inject::Proxy;
use chaos_model::effect::{Bandwidth, DialDelay, HalfOpen, Slice, SlowClose};
use chaos_model::{Directions, Effect, Fault};
use host::Stream;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

const DOWN: Directions = Directions::Downstream;

fn rate(bytes_per_second: u64) -> Effect {
    Bandwidth { bytes_per_second, direction: DOWN }.into()
}

async fn with(effects: &[Effect]) -> (World, Proxy, Pair) {
    let world = World::memory();
    let (proxy, pair) = world.pair().await;
    for (index, effect) in effects.iter().enumerate() {
        apply(&proxy, fault(&index.to_string(), effect.clone())).await;
    }
    (world, proxy, pair)
}

/// The times at which bytes had come, each with their count, until there are `length`.
async fn arrivals(stream: &mut Stream, length: usize) -> Vec<(Duration, usize)> {
    let (began, mut count, mut all) = (Instant::now(), 0, Vec::new());
    let mut buffer = vec![0; 65_536];
    while count < length {
        count += stream.read(&mut buffer).await.unwrap();
        all.push((began.elapsed(), count));
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_even_and_does_not_drift() {
    let (_world, _proxy, Pair { mut client, mut served, .. }) = with(&[rate(1 << 20)]).await;
    let length = 10 << 20;
    let bytes = text(length);
    let (sent, arrivals) = tokio::join!(served.write_all(&bytes), arrivals(&mut client, length));
    sent.unwrap();
    for (at, count) in &arrivals {
        // tokio's timer rounds up to a millisecond.
        let (fewest, most) =
            ((*at).saturating_sub(MS).as_millis() * (1 << 20) / 1000, at.as_millis() * (1 << 20) / 1000);
        assert!((fewest.saturating_sub(4096)..=most).contains(&(*count as u128)), "{count} bytes after {at:?}");
    }
    assert_eq!(arrivals.last(), Some(&(Duration::from_secs(10), length)));
    assert!(arrivals.len() > 2500, "in small pieces: {}", arrivals.len());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_and_an_idle_sender_get_no_burst() {
    let (world, _proxy, Pair { mut client, mut served, .. }) = with(&[rate(1 << 20)]).await;
    let bytes = text(1 << 20);
    let sending = world.service.spawn(async move {
        served.write_all(&bytes).await.unwrap();
        served
    });
    // The pipe to the client is full long before.
    world.client.sleep(Duration::from_secs(60)).await;
    let arrived = arrivals(&mut client, 1 << 20).await;
    let in_the_pipe = arrived[0].1;
    assert_eq!(arrived[0].0, Duration::ZERO);
    let (took, _) = *arrived.last().unwrap();
    let rest = Duration::from_secs(1) * ((1 << 20) - u32::try_from(in_the_pipe).unwrap()) / (1 << 20);
    assert!(took + 5 * MS >= rest && took <= rest + 5 * MS, "{took:?}, not {rest:?}");
    let mut served = sending.await.unwrap();
    world.client.sleep(Duration::from_secs(60)).await;
    served.write_all(&text(10_486)).await.unwrap();
    let (took, _) = *arrivals(&mut client, 10_486).await.last().unwrap();
    assert_eq!(took, 11 * MS, "ten and a bit, rounded up by the timer");
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_pressed_back() {
    let (world, _proxy, Pair { mut served, .. }) = with(&[rate(1)]).await;
    let mut written = 0;
    let bytes = text(1 << 20);
    while let Ok(count) = tokio::time::timeout(MS, served.write(&bytes[written..])).await {
        written += count.unwrap();
    }
    // What the pump and two pipes take.
    assert!((256 << 10..=450 << 10).contains(&written), "{written}");
    drop(world);
}

#[tokio::test(start_paused = true)]
async fn the_lowest_rate_holds_and_delays_come_on_top() {
    let (_world, proxy, Pair { mut client, mut served, .. }) =
        with(&[rate(3000), rate(1000), rate(2000), latency(50 * MS, DOWN), latency(7 * MS, DOWN)]).await;
    served.write_all(&text(100)).await.unwrap();
    assert_eq!(arrivals(&mut client, 100).await.last(), Some(&(157 * MS, 100)));
    remove(&proxy, "1").await;
    served.write_all(&text(100)).await.unwrap();
    assert_eq!(arrivals(&mut client, 100).await.last(), Some(&(107 * MS, 100)));
}

#[tokio::test(start_paused = true)]
async fn holding_wins_over_a_rate_and_gives_no_credit() {
    let (world, proxy, Pair { mut client, mut served, .. }) =
        with(&[rate(1000), HalfOpen { direction: DOWN }.into()]).await;
    served.write_all(&text(1000)).await.unwrap();
    world.assert_silent_for(&mut client, Duration::from_secs(60)).await;
    remove(&proxy, "1").await;
    let arrivals = arrivals(&mut client, 1000).await;
    // One piece was due, and the rest comes as if nothing had waited.
    assert_eq!((arrivals[0], *arrivals.last().unwrap()), ((Duration::ZERO, 128), (872 * MS, 1000)));
}

#[tokio::test(start_paused = true)]
async fn a_rate_that_is_taken_back_releases_what_waits_for_it() {
    let (world, proxy, Pair { mut client, mut served, .. }) = with(&[rate(1000)]).await;
    served.write_all(&text(10_000)).await.unwrap();
    let release = async {
        world.client.sleep(500 * MS).await;
        remove(&proxy, "0").await
    };
    let (arrived, fired) = tokio::join!(arrivals(&mut client, 10_000), release);
    assert_eq!(arrived.last(), Some(&(500 * MS, 10_000)));
    assert_eq!(fired.chunks, 1);
}

#[tokio::test(start_paused = true)]
async fn slices_come_one_by_one() {
    let slice = Slice { size: 100, variation: 0, gap: 3 * MS, direction: DOWN };
    let (_world, _proxy, Pair { mut client, mut served, .. }) = with(&[slice.into()]).await;
    served.write_all(&text(350)).await.unwrap();
    let expected = [(Duration::ZERO, 100), (3 * MS, 200), (6 * MS, 300), (9 * MS, 350)];
    assert_eq!(arrivals(&mut client, 350).await, expected);
}

#[tokio::test(start_paused = true)]
async fn slices_keep_to_a_rate_too() {
    let slice = Slice { size: 100, variation: 0, gap: Duration::ZERO, direction: DOWN };
    let (_world, _proxy, Pair { mut client, mut served, .. }) = with(&[slice.into(), rate(100_000)]).await;
    served.write_all(&text(1000)).await.unwrap();
    let arrived = arrivals(&mut client, 1000).await;
    assert_eq!(arrived.last(), Some(&(10 * MS, 1000)));
    assert!(arrived.len() >= 10, "{arrived:?}");
}

#[tokio::test(start_paused = true)]
async fn dial_delays_add_up_from_the_accept() {
    let delay = |delay| DialDelay { delay }.into();
    let (world, proxy, Pair { mut listener, .. }) = with(&[delay(30 * MS), delay(40 * MS)]).await;
    let began = Instant::now();
    let (mut client, mut served) = world.connect(&proxy, &mut listener).await;
    assert_eq!(began.elapsed(), Duration::ZERO, "the service is dialled at once");
    served.write_all(b"hello").await.unwrap();
    client.write_all(b"hi").await.unwrap();
    tokio::join!(async { served.read_exact(&mut [0; 2]).await.unwrap() }, async {
        client.read_exact(&mut [0; 5]).await.unwrap()
    });
    assert_eq!(began.elapsed(), 70 * MS);
    served.write_all(b"free").await.unwrap();
    client.read_exact(&mut [0; 4]).await.unwrap();
    assert_eq!(began.elapsed(), 70 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_shows_after_the_dial_delay() {
    let world = World::memory();
    let proxy = world.lone_proxy();
    let free = world.service.listen(0).unwrap().port();
    proxy.point_at(world.service_name(), free);
    apply(&proxy, fault("slow", DialDelay { delay: 80 * MS }.into())).await;
    let began = Instant::now();
    let mut client = world.dial(&proxy).await.unwrap();
    crate::support::assert_reset(&mut client).await;
    assert_eq!(began.elapsed(), 80 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_late_end_counts_from_what_precedes_it() {
    for (effects, expected) in [
        (vec![], 0),
        (vec![SlowClose::by(30 * MS).into()], 30),
        (vec![SlowClose::by(30 * MS).into(), SlowClose::by(5 * MS).into(), latency(20 * MS, DOWN)], 55),
        (vec![SlowClose::by(30 * MS).into(), rate(1000)], 130),
    ] {
        let (_world, _proxy, Pair { mut client, mut served, .. }) = with(&effects).await;
        let began = Instant::now();
        served.write_all(&text(100)).await.unwrap();
        served.shutdown().await.unwrap();
        let (bytes, end) = rest(&mut client).await;
        assert_eq!((bytes.len(), end, began.elapsed()), (100, Ok(()), expected * MS), "{effects:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_ramp_grows_evenly_from_when_the_fault_begins() {
    let (world, proxy, Pair { mut client, mut served, .. }) = with(&[]).await;
    apply(&proxy, Fault { ramp: 1000 * MS, ..fault("slower", latency(100 * MS, DOWN)) }).await;
    let began = Instant::now();
    let (mut read, _write) = client.split();
    let send = async {
        for at in [0, 100, 500, 900, 1000, 5000] {
            world.service.sleep(at * MS - began.elapsed()).await;
            served.write_u8(1).await.unwrap();
        }
    };
    let receive = async {
        let mut times = Vec::new();
        for _ in 0..6 {
            read.read_u8().await.unwrap();
            times.push(began.elapsed().as_millis());
        }
        times
    };
    let ((), times) = tokio::join!(send, receive);
    assert_eq!(times, [0, 110, 550, 990, 1100, 5100]);
}
