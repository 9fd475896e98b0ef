//! Without a fault, and after any, the proxy changes no byte; what ends a connection ends it at its byte.

use crate::support::{MS, Pair, World, apply, fault, remove, rest, text};
use chaos_inject::Proxy;
use chaos_model::{
    Directions, Distribution, Effect, Fault, Share, Spread,
    effect::{Bandwidth, Blackhole, DialDelay, HalfOpen, Hang, Latency, Limit, Reset, Slice, SlowClose},
};
use futures_util::future::join_all;
use host::Stream;
use proptest::prelude::*;
use std::{io::ErrorKind, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Script of one side: pieces that it sends, with pauses between.
type Script = Vec<(Vec<u8>, u8)>;

/// A fault, when it comes, and for how long.
type Visit = (Effect, u8, u8);

/// Plays a script and then closes this half; gives all that was received until the other side closed its.
async fn play(mut stream: Stream, script: Script) -> Vec<u8> {
    let (mut read, mut write) = stream.split();
    let send = async {
        for (bytes, pause) in script {
            write.write_all(&bytes).await.unwrap();
            tokio::time::sleep(u32::from(pause) * MS).await;
        }
        write.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let (received, ()) = tokio::join!(read.read_to_end(&mut got), send);
    received.unwrap();
    got
}

fn sent(script: &Script) -> Vec<u8> {
    script.iter().flat_map(|(bytes, _)| bytes.clone()).collect()
}

/// Faults come and go, several at a time.
async fn steer(proxy: &Proxy, visits: Vec<Visit>) {
    let all = visits.into_iter().enumerate().map(async |(index, (effect, from, lasts))| {
        let name = index.to_string();
        // Every third is for some connections alone.
        let share = Share { parts: if index % 3 == 2 { 1 } else { 2 }, whole: 2 };
        tokio::time::sleep(u32::from(from) * MS).await;
        apply(proxy, Fault { share, ..fault(&name, effect) }).await;
        tokio::time::sleep(u32::from(lasts) * MS).await;
        remove(proxy, &name).await;
    });
    join_all(all).await;
}

/// Both sides of three connections play their scripts while faults come and go.
async fn both_ways(up: Script, down: Script, visits: Vec<Visit>) {
    let world = World::memory();
    let proxy = world.lone_proxy();
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let mut sides = Vec::new();
    for _ in 0..3 {
        let (client, served) = world.connect(&proxy, &mut listener).await;
        sides.push((client, served));
    }
    let (sent_up, sent_down) = (sent(&up), sent(&down));
    let playing = sides.into_iter().map(async |(client, served)| {
        let (got_down, got_up) = tokio::join!(play(client, up.clone()), play(served, down.clone()));
        assert!(got_up == sent_up, "what the service got is not what the client sent");
        assert!(got_down == sent_down, "what the client got is not what the service sent");
    });
    tokio::join!(join_all(playing), steer(&proxy, visits));
    world.await_connections(&proxy, 0).await;
}

/// The service sends so many bytes, and a fault ends the connection at one of them, whatever else there is.
async fn ends_at_its_byte(cut: Effect, length: usize, piece: usize, visits: Vec<Visit>) {
    let expected = match cut {
        Effect::Limit(Limit { bytes, .. }) => (bytes, Ok(())),
        Effect::Reset(Reset { after_bytes: Some(bytes), .. }) => (bytes, Err(ErrorKind::ConnectionReset)),
        other => panic!("{other:?} counts no bytes"),
    };
    let world = World::memory();
    let (proxy, Pair { mut client, mut served, .. }) = world.pair().await;
    apply(&proxy, fault("cut", cut)).await;
    let bytes = text(length);
    let serve = async {
        for part in bytes.chunks(piece) {
            if served.write_all(part).await.is_err() {
                return;
            }
        }
        let _ = served.shutdown().await;
    };
    let ((got, end), (), ()) = tokio::join!(rest(&mut client), serve, steer(&proxy, visits));
    let many = usize::try_from(expected.0).unwrap();
    assert!(got == bytes[..many.min(length)], "{} bytes, not {many} of {length}", got.len());
    assert_eq!(end, if many <= length { expected.1 } else { Ok(()) });
}

fn script() -> impl Strategy<Value = Script> {
    let piece = (any::<u8>(), prop_oneof![0..20_usize, 0..100_000_usize]);
    let bytes =
        piece.prop_map(|(first, length)| (0..=250).cycle().take(length).map(|at| first.wrapping_add(at)).collect());
    prop::collection::vec((bytes, 0..5_u8), 0..8)
}

/// Any effect that leaves connections alive.
pub(crate) fn effect() -> impl Strategy<Value = Effect> {
    let direction = || prop::sample::select(Directions::ALL.to_vec());
    let distribution = prop::sample::select(Distribution::ALL.to_vec());
    let millis = |most: u64| (0..most).prop_map(Duration::from_millis);
    let latency =
        (millis(100), millis(50), distribution, direction()).prop_map(|(mean, jitter, distribution, direction)| {
            // Half of the distributions are of what is above nothing.
            let delay = Spread { mean: mean + MS, jitter, distribution };
            Effect::Latency(Latency::of(delay, direction))
        });
    let rate = prop_oneof![1..1000_u64, 1..100_000_000_u64];
    prop_oneof![
        latency,
        (rate, direction()).prop_map(|(bytes_per_second, direction)| Bandwidth { bytes_per_second, direction }.into()),
        millis(50).prop_map(|delay| DialDelay { delay }.into()),
        Just(Hang {}.into()),
        Just(Blackhole {}.into()),
        direction().prop_map(|direction| HalfOpen { direction }.into()),
        (1..40_000_u32, millis(3), direction()).prop_map(|(size, gap, direction)| Slice {
            size,
            variation: 0,
            gap,
            direction
        }
        .into()),
        millis(50).prop_map(|delay| SlowClose::by(delay).into()),
        direction().prop_map(|direction| Limit { bytes: 1 << 40, direction }.into()),
        Just(Reset::after(Duration::from_secs(3600)).into()),
    ]
}

fn visits() -> impl Strategy<Value = Vec<Visit>> {
    prop::collection::vec((effect(), 0..40_u8, 0..30_u8), 0..8)
}

fn cut() -> impl Strategy<Value = Effect> {
    let direction = Directions::Downstream;
    let reset = move |bytes| Reset { after: Duration::ZERO, after_bytes: Some(bytes), direction }.into();
    prop_oneof![
        (1..400_000_u64).prop_map(move |bytes| Limit { bytes, direction }.into()),
        (1..400_000_u64).prop_map(reset)
    ]
}

pub(crate) fn run(body: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(body);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_pass_unchanged(up in script(), down in script(), visits in visits()) {
        run(both_ways(up, down, visits));
    }

    #[test]
    fn what_counts_bytes_ends_at_its_byte(
        cut in cut(),
        length in 0..500_000_usize,
        piece in 1..70_000_usize,
        visits in visits(),
    ) {
        run(ends_at_its_byte(cut, length, piece.max(length / 500 + 1), visits));
    }
}
