//! Faults on connections say whose bytes they met, where the proxy reads along: the ledger joins by it.

use super::support::{MS, World, apply, ask, assert_reset, fault, latency, removed};
use chaos_inject::{Message, Proxy, Reply};
use chaos_model::{
    Directions, Effect, Injection, KeyKind, Protocol,
    effect::{Bandwidth, HalfOpen, Hang, Reset},
    event::Fired,
};
use host::{Listener, Stream};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

conformance!(
    a_delay_tells_whose_bytes_it_held,
    a_hang_tells_whose_bytes_it_holds,
    what_a_reset_cuts_off_is_told,
    a_response_that_still_waits_is_cut_off_too,
    what_is_slow_is_told_once_a_message,
    a_command_is_told_by_its_key,
    what_goes_on_when_a_fault_comes_is_not_of_who_was_told_before,
    bytes_that_nobody_understands_are_the_connections,
);

const ASK: &[u8] = b"GET /users/7 HTTP/1.1\r\nbaggage: chaos.request=00000000000000ab-42-0\r\n\r\n";
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// A proxy with a connection through it.
async fn connected(world: &World, protocol: Protocol) -> (Proxy, Listener, Stream, Stream) {
    let proxy = world.proxy_of(protocol);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let (client, service) = world.connect(&proxy, &mut listener).await;
    (proxy, listener, client, service)
}

async fn arrives(from: &mut Stream, to: &mut Stream, bytes: &[u8]) {
    super::support::pass(from, to, bytes).await;
}

async fn fired(proxy: &Proxy, name: &str) -> Fired {
    match proxy.send(Message::Fired).await {
        Reply::Fired(all) => all[name],
        other => panic!("{other:?}"),
    }
}

/// The facts of injections: subject, arrival, and whether nobody waited.
fn facts(injections: &[Injection]) -> Vec<(&str, Option<u64>, bool)> {
    assert!(injections.iter().all(|one| one.key == KeyKind::Connection), "{injections:?}");
    injections.iter().map(|one| (one.subject.as_str(), one.arrival.map(|arrival| arrival.n), one.idle)).collect()
}

async fn a_delay_tells_whose_bytes_it_held(world: &World) {
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    arrives(&mut client, &mut service, ASK).await;
    apply(&proxy, fault("slow", latency(5 * MS, Directions::Both))).await;
    // This one was asked for before: its number is known, and no more.
    arrives(&mut service, &mut client, OK).await;
    arrives(&mut client, &mut service, ASK).await;
    arrives(&mut service, &mut client, OK).await;
    let (_, injections, _) = removed(&proxy, "slow").await;
    let (before, known) = (("connection 0", Some(42), false), ("GET /users/7", Some(42), false));
    assert_eq!(facts(&injections), [before, known, known]);
    assert!(injections.iter().all(|one| one.achieved >= Some(5 * MS)), "{injections:?}");
}

async fn a_hang_tells_whose_bytes_it_holds(world: &World) {
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    arrives(&mut client, &mut service, ASK).await;
    arrives(&mut service, &mut client, OK).await;
    apply(&proxy, fault("silence", Hang {}.into())).await;
    apply(&proxy, fault("half", HalfOpen { direction: Directions::Upstream }.into())).await;
    client.write_all(ASK).await.unwrap();
    world.assert_silent_for(&mut service, 20 * MS).await;
    for name in ["silence", "half"] {
        let (_, injections, _) = removed(&proxy, name).await;
        assert_eq!(facts(&injections), [("GET /users/7", Some(42), false)], "nothing of the idle connection");
    }
    let mut got = vec![0; ASK.len()];
    service.read_exact(&mut got).await.unwrap();
    assert_eq!(got, ASK);
}

async fn what_a_reset_cuts_off_is_told(world: &World) {
    let reset = || fault("cut", Reset::after(Duration::ZERO).into());
    let (proxy, mut listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    arrives(&mut client, &mut service, &[ASK, ASK].concat()).await;
    apply(&proxy, reset()).await;
    assert_reset(&mut client).await;
    let (_, injections, _) = removed(&proxy, "cut").await;
    assert_eq!(facts(&injections), [("connection 0", Some(42), false); 2]);

    let (mut client, mut service) = world.connect(&proxy, &mut listener).await;
    arrives(&mut client, &mut service, ASK).await;
    arrives(&mut service, &mut client, OK).await;
    apply(&proxy, reset()).await;
    assert_reset(&mut client).await;
    // Who connects now has not said what for.
    world.assert_reset_on_dial(&proxy).await;
    let (_, injections, _) = removed(&proxy, "cut").await;
    assert_eq!(facts(&injections), [("connection 1", None, true), ("connection 2", None, false)]);
}

async fn a_response_that_still_waits_is_cut_off_too(world: &World) {
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    apply(&proxy, fault("slow", latency(3_600_000 * MS, Directions::Downstream))).await;
    arrives(&mut client, &mut service, ASK).await;
    service.write_all(OK).await.unwrap();
    // The proxy has read the response.
    while fired(&proxy, "slow").await.chunks == 0 {
        world.client.sleep(MS).await;
    }
    apply(&proxy, fault("cut", Reset::after(Duration::ZERO).into())).await;
    assert_reset(&mut client).await;
    let (_, injections, _) = removed(&proxy, "cut").await;
    assert_eq!(facts(&injections), [("GET /users/7", Some(42), false)]);
}

async fn what_is_slow_is_told_once_a_message(world: &World) {
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    let rate = Bandwidth { bytes_per_second: 1024 * 1024, direction: Directions::Downstream };
    apply(&proxy, fault("narrow", rate.into())).await;
    arrives(&mut client, &mut service, ASK).await;
    let body = vec![b'x'; 20_000];
    arrives(&mut service, &mut client, b"HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\n").await;
    arrives(&mut service, &mut client, &body).await;
    arrives(&mut client, &mut service, ASK).await;
    arrives(&mut service, &mut client, OK).await;
    let (fired, injections, _) = removed(&proxy, "narrow").await;
    assert_eq!(facts(&injections), [("GET /users/7", Some(42), false); 2]);
    assert!(fired.chunks >= 3, "{fired:?}");
}

async fn a_command_is_told_by_its_key(world: &World) {
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::REDIS).await;
    apply(&proxy, fault("slow", latency(5 * MS, Directions::Downstream))).await;
    arrives(&mut client, &mut service, b"*2\r\n$3\r\nGET\r\n$9\r\nprofile:7\r\n*1\r\n$4\r\nPING\r\n").await;
    arrives(&mut service, &mut client, b"$-1\r\n+PONG\r\n").await;
    let (_, injections, _) = removed(&proxy, "slow").await;
    assert_eq!(facts(&injections), [("GET profile:7", None, false), ("PING", None, false)]);
}

/// A request and its response that are under way when a fault comes, behind others that were told of another one.
async fn what_goes_on_when_a_fault_comes_is_not_of_who_was_told_before(world: &World) {
    const POST: &[u8] =
        b"POST /users/8 HTTP/1.1\r\nbaggage: chaos.request=00000000000000ab-43-0\r\ncontent-length: 6\r\n\r\nabc";
    let (proxy, _listener, mut client, mut service) = connected(world, Protocol::HTTP).await;
    let slow = || fault("slow", latency(5 * MS, Directions::Both));
    apply(&proxy, slow()).await;
    arrives(&mut client, &mut service, ASK).await;
    arrives(&mut service, &mut client, OK).await;
    removed(&proxy, "slow").await;
    arrives(&mut client, &mut service, POST).await;
    apply(&proxy, slow()).await;
    arrives(&mut client, &mut service, b"def").await;
    let (_, injections, _) = removed(&proxy, "slow").await;
    assert_eq!(facts(&injections), [("connection 0", Some(43), false)]);
    arrives(&mut service, &mut client, b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nabc").await;
    apply(&proxy, slow()).await;
    arrives(&mut service, &mut client, b"def").await;
    let (_, injections, _) = removed(&proxy, "slow").await;
    assert_eq!(facts(&injections), [("connection 0", Some(43), false)]);
}

async fn bytes_that_nobody_understands_are_the_connections(world: &World) {
    for protocol in [Protocol::TCP, Protocol::HTTP] {
        let proxy = world.proxy_of(protocol);
        proxy.point_at(world.service_name(), world.echo());
        let mut client = world.dial(&proxy).await.unwrap();
        ask(&mut client, b"\x01\x02\r\n\r\n").await.unwrap();
        let hang: Effect = Hang {}.into();
        apply(&proxy, fault("silence", hang)).await;
        let (fired, injections, _) = removed(&proxy, "silence").await;
        assert_eq!((fired.connections, facts(&injections)), (1, vec![("connection 0", None, false)]), "{protocol:?}");
    }
}
