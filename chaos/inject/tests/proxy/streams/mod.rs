//! A protocol with many messages at once on a connection (`mux`), handed in: each stream is held, answered and ended by
//! itself. Its frames are numbered in each direction, whoever sends them, so that the order in which they are said is
//! seen on the wire, as with HTTP/2's header compression.

mod filter;
mod frame;
mod order;
mod plan;

use crate::support::{MS, World, apply, fault, latency, remove, removed};
use chaos_inject::Proxy;
use chaos_model::{
    Directions, Distribution, Effect, Fault, Only, Protocol, Spread,
    effect::{
        Close, Coding, Delay, Error, Level, Trickle, Truncate,
        truncate::{Framing, Kept},
    },
    protocol::{Ready, Recognised, Row, Words},
};
use filter::{END, MuxFilter, TELL, TOLD};
use frame::{HEAD, Peer};
use std::time::Duration;
use tokio::time::Instant;

static MUX: Row = Row {
    name: "mux",
    about: "requests and responses in frames, each on a stream",
    usual_port: 7071,
    unprivileged_port: 7071,
    schemes: &[],
    programs: &[],
    ready: Ready::Connection,
    words: Some(Words { message: "request", messages: "requests", response: "response" }),
    levels: &[Level::Connections, Level::Messages, Level::Requests, Level::Commands],
    only: &["command"],
    alpn: &[],
    takes_password: false,
    elsewhere: &[],
    limits: &[],
    recognise: |_| Recognised::Yes,
    filter: chaos_inject::filter!(|| Box::new(MuxFilter::default())),
};

const HOUR: Duration = Duration::from_secs(3600);

conformance!(
    holds_one_stream_and_passes_others,
    numbers_what_it_held_when_that_goes,
    says_what_was_held_before_the_end,
    answers_one_stream_in_the_services_place,
    ends_one_stream_and_not_the_connection,
    gives_up_what_one_stream_holds,
    gives_up_no_part_of_a_frame,
    ends_the_connection_behind_one_stream,
    sends_on_its_own_in_both_directions,
    slows_one_stream_and_no_other,
);

/// A proxy, and both ends of a connection through it.
async fn pair(world: &World) -> (Proxy, Peer, Peer) {
    let proxy = world.proxy_of(Protocol::new(&MUX));
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let (client, served) = world.connect(&proxy, &mut listener).await;
    (proxy, Peer::new(client), Peer::new(served))
}

fn on(command: &str, effect: impl Into<Effect>) -> Fault {
    let only = Only { commands: vec![command.to_owned()], ..Only::default() };
    Fault { only, ..fault(&format!("on {command}"), effect.into()) }
}

fn delay(delay: Duration) -> Delay {
    Delay { delay: Spread { mean: delay, jitter: Duration::ZERO, distribution: Distribution::Uniform } }
}

/// A request that passes, and its response that passes at once.
async fn ask(client: &mut Peer, served: &mut Peer, stream: u16, text: &str) {
    client.send(stream, true, text).await;
    served.expect(stream, true, text).await;
    served.send(stream, true, "OK").await;
    client.expect(stream, true, "OK").await;
}

async fn holds_one_stream_and_passes_others(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(400 * MS))).await;
    let began = Instant::now();
    client.send(1, true, "SLOW a").await;
    served.expect(1, true, "SLOW a").await;
    served.send(1, false, "part").await;
    served.send(1, true, "+ rest").await;
    // While the response waits: some that came before, and some after.
    ask(&mut client, &mut served, 3, "GET b").await;
    ask(&mut client, &mut served, 5, "GET c").await;
    client.expect(1, false, "part").await;
    assert!(began.elapsed() >= 400 * MS, "{:?}", began.elapsed());
    client.expect(1, true, "+ rest").await;
    let (fired, injections, _) = removed(&proxy, "on SLOW").await;
    assert_eq!((fired.messages, injections.len()), (1, 1));
    assert_eq!(injections[0].asked, Some(400 * MS));
    ask(&mut client, &mut served, 1, "SLOW a").await;
}

async fn numbers_what_it_held_when_that_goes(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(100 * MS))).await;
    // What was numbered before is still on its way when the other is released.
    apply(&proxy, fault("far", latency(300 * MS, Directions::Downstream))).await;
    for (stream, text) in [(1, "SLOW a"), (3, "GET b")] {
        client.send(stream, true, text).await;
        served.expect(stream, true, text).await;
        served.send(stream, false, "first").await;
    }
    let more = async {
        for _ in 0..30 {
            world.service.sleep(10 * MS).await;
            served.send(3, false, "more").await;
            served.send(1, false, "more").await;
        }
    };
    let read = async {
        // The peer looks at the numbers.
        let mut got = [0, 0, 0, 0];
        while got[1] + got[3] < 62 {
            got[usize::from(client.next().await.unwrap().stream)] += 1;
        }
        got
    };
    let (got, ()) = tokio::join!(read, more);
    assert_eq!(got[1..], [31, 0, 31]);
}

async fn says_what_was_held_before_the_end(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(200 * MS))).await;
    client.send(1, true, "SLOW a").await;
    served.expect(1, true, "SLOW a").await;
    served.send(1, true, "OK").await;
    drop(served);
    client.expect(1, true, "OK").await;
    assert_eq!(client.next().await, None);
}

async fn answers_one_stream_in_the_services_place(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("DOWN", Error { reply: "LOADING it is".to_owned() })).await;
    client.send(1, true, "GET a").await;
    served.expect(1, true, "GET a").await;
    client.send(3, true, "DOWN b").await;
    client.expect(3, true, "LOADING it is").await;
    served.send(1, true, "OK").await;
    client.expect(1, true, "OK").await;
    // Neither asked nor numbered.
    ask(&mut client, &mut served, 5, "GET c").await;
    assert_eq!(remove(&proxy, "on DOWN").await.messages, 1);
}

async fn ends_one_stream_and_not_the_connection(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("HALF", Close {})).await;
    client.send(1, true, "GET a").await;
    served.expect(1, true, "GET a").await;
    client.send(3, true, "HALF b").await;
    client.expect(3, true, END).await;
    served.send(1, true, "OK").await;
    client.expect(1, true, "OK").await;
    ask(&mut client, &mut served, 3, "GET c").await;
}

async fn gives_up_what_one_stream_holds(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(HOUR))).await;
    for stream in [1, 3] {
        client.send(stream, true, "SLOW a").await;
        served.expect(stream, true, "SLOW a").await;
        served.send(stream, true, "OK").await;
    }
    ask(&mut client, &mut served, 5, "GET b").await;
    client.send(1, true, "CANCEL").await;
    client.expect(1, true, END).await;
    served.expect(1, true, "CANCEL").await;
    // The stream is free for another request.
    ask(&mut client, &mut served, 1, "GET c").await;
    let (fired, injections, _) = removed(&proxy, "on SLOW").await;
    client.expect(3, true, "OK").await;
    assert_eq!((fired.messages, injections.len()), (2, 2), "{injections:?}");
    ask(&mut client, &mut served, 7, "GET d").await;
}

async fn gives_up_no_part_of_a_frame(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("BIG", Trickle { bytes_per_second: 100_000_000 })).await;
    client.send(1, true, "BIG a").await;
    served.expect(1, true, "BIG a").await;
    // More than goes while the client does not read, and less than the proxy keeps.
    let text = "+".repeat(200_000);
    served.send(1, false, &text).await;
    world.client.sleep(20 * MS).await;
    client.send(1, true, "CANCEL").await;
    served.expect(1, true, "CANCEL").await;
    client.expect(1, false, &text).await;
    client.expect(1, true, END).await;
}

async fn ends_the_connection_behind_one_stream(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(HOUR))).await;
    let cut = Truncate { keep: Kept::PerMillion(500_000), framing: Framing::Whole, coding: Coding::Undone };
    apply(&proxy, on("CUT", cut)).await;
    apply(&proxy, Fault { name: "late".to_owned(), ..on("CUT", delay(300 * MS)) }).await;
    let began = Instant::now();
    for (stream, text) in [(1, "SLOW a"), (3, "CUT b")] {
        client.send(stream, true, text).await;
        served.expect(stream, true, text).await;
        served.send(stream, true, "OK").await;
    }
    // Until then all others go on.
    ask(&mut client, &mut served, 5, "GET c").await;
    ask(&mut client, &mut served, 7, "GET d").await;
    assert_eq!(client.next().await, None);
    let took = began.elapsed();
    assert!(took >= 300 * MS && took < HOUR / 2, "{took:?}");
}

async fn sends_on_its_own_in_both_directions(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("SLOW", delay(100 * MS))).await;
    ask(&mut client, &mut served, 1, TELL).await;
    client.send(3, true, "SLOW a").await;
    served.expect(3, true, "SLOW a").await;
    served.send(3, false, "some").await;
    served.send(3, false, "more").await;
    served.send(3, true, "OK").await;
    ask(&mut client, &mut served, 5, "GET b").await;
    // The fourth that comes.
    client.send(7, true, "GET c").await;
    client.expect(0, false, &format!("CAME {TOLD}")).await;
    served.expect(7, true, "GET c").await;
    // The fourth that goes is one of those that were held: two have gone before.
    client.expect(3, false, "some").await;
    client.expect(3, false, "more").await;
    client.expect(3, true, "OK").await;
    served.expect(0, false, &format!("WENT {TOLD}")).await;
    served.send(7, true, "OK").await;
    client.expect(7, true, "OK").await;
}

async fn slows_one_stream_and_no_other(world: &World) {
    let (proxy, mut client, mut served) = pair(world).await;
    apply(&proxy, on("BIG", Trickle { bytes_per_second: 250 })).await;
    let text = "+".repeat(100 - HEAD);
    client.send(1, true, "BIG a").await;
    served.expect(1, true, "BIG a").await;
    client.send(3, true, "GET b").await;
    served.expect(3, true, "GET b").await;
    let began = Instant::now();
    for nth in 0..3 {
        served.send(1, nth == 2, &text).await;
        for _ in 0..10 {
            served.send(3, false, &text.repeat(10)).await;
        }
    }
    let mut fast = 0;
    for nth in 1..=3 {
        let frame = loop {
            match client.next().await.unwrap() {
                frame if frame.stream == 1 => break frame,
                _ => fast += 1,
            }
        };
        assert!(began.elapsed() >= nth * 400 * MS, "frame {nth} after {:?}", began.elapsed());
        assert_eq!(frame.last, nth == 3);
    }
    assert_eq!(fast, 30);
    // The rate was that message's.
    client.send(1, true, "GET c").await;
    served.expect(1, true, "GET c").await;
    served.send(1, true, &text.repeat(200)).await;
    client.expect(1, true, &text.repeat(200)).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
