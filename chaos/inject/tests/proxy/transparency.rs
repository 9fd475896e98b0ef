//! Without a fault, and after one, the proxy changes no byte.

use crate::support::{MS, World, apply, fault, remove};
use chaos_model::{
    Direction, Distribution, Effect, Spread,
    effect::{Blackhole, Hang, Latency},
};
use host::Stream;
use proptest::prelude::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What one side sends: pieces, with pauses between.
type Script = Vec<(Vec<u8>, u8)>;

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

fn text(script: &Script) -> Vec<u8> {
    script.iter().flat_map(|(bytes, _)| bytes.clone()).collect()
}

/// Both sides play their scripts while faults come and go at these times.
async fn both_ways(up: Script, down: Script, faults: Vec<(Effect, u8, u8)>) {
    let world = World::memory();
    let proxy = world.lone_proxy();
    let mut listener = world.node.listen(0).unwrap();
    proxy.point_at(world.node_name(), listener.port());
    let client = world.dial(&proxy).await.unwrap();
    let served = listener.accept().await.unwrap();
    let (sent_up, sent_down) = (text(&up), text(&down));
    let steer = async {
        for (index, (effect, from, lasts)) in faults.into_iter().enumerate() {
            tokio::time::sleep(u32::from(from) * MS).await;
            apply(&proxy, fault(&index.to_string(), effect)).await;
            tokio::time::sleep(u32::from(lasts) * MS).await;
            remove(&proxy, &index.to_string()).await;
        }
    };
    let (got_down, got_up, ()) = tokio::join!(play(client, up), play(served, down), steer);
    assert!(got_up == sent_up, "what the node got is not what the client sent");
    assert!(got_down == sent_down, "what the client got is not what the node sent");
    world.await_connections(&proxy, 0).await;
}

fn script() -> impl Strategy<Value = Script> {
    let piece = (any::<u8>(), prop_oneof![0..20_usize, 0..100_000_usize]);
    let bytes =
        piece.prop_map(|(first, length)| (0..=250).cycle().take(length).map(|at| first.wrapping_add(at)).collect());
    prop::collection::vec((bytes, 0..5_u8), 0..12)
}

fn effect() -> impl Strategy<Value = Effect> {
    let latency = (0..100_u64, 0..50_u64, 0..3_u8).prop_map(|(delay, jitter, direction)| {
        let (mean, jitter) = (Duration::from_millis(delay), Duration::from_millis(jitter));
        let distribution = Distribution::ALL[usize::try_from(delay % 4).unwrap()];
        let delay = Spread { mean, jitter, distribution };
        Effect::Latency(Latency { delay, direction: Direction::ALL[usize::from(direction)] })
    });
    prop_oneof![Just(Hang {}.into()), Just(Blackhole {}.into()), latency]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_pass_unchanged(
        up in script(),
        down in script(),
        faults in prop::collection::vec((effect(), 0..10_u8, 0..30_u8), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(both_ways(up, down, faults));
    }
}
