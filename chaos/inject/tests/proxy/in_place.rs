//! Responses in the service's place: they come whether or not it lives, and whether or not the client has said its last, and
//! are counted once they have been sent.

use crate::support::{MS, World, apply, assert_reset, fault, pass, remove, rest};
use chaos_inject::Proxy;
use chaos_model::{
    Fault, Only, Pattern, Protocol, Spread,
    effect::{Delay, Hang, Status},
};
use host::Stream;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

conformance!(
    answers_for_a_service_that_is_dead,
    answers_whoever_has_closed_its_half,
    resets_what_is_for_a_service_that_is_dead,
    answers_for_a_service_that_leaves_without_a_word,
    reaches_a_service_that_is_back,
    lets_a_service_leave_that_was_told_something,
    gives_late_responses_before_the_end,
    counts_what_was_sent,
    counts_what_is_on_its_way_when_the_fault_goes,
    lets_a_service_speak_first_to_whoever_has_closed_its_half,
);

const ASK: &[u8] = b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
const OTHER: &[u8] = b"GET /y HTTP/1.1\r\nhost: a\r\n\r\n";

fn down() -> Fault {
    let only = Only { path: Some(Pattern("/x".to_owned())), ..Only::default() };
    Fault { only, ..fault("down", Status { status: 503, body: "no".to_owned(), content_type: None }.into()) }
}

/// A proxy before a service that is not there, and the port where it would be.
fn dead(world: &World) -> (Proxy, u16) {
    let proxy = world.proxy_of(Protocol::HTTP);
    let port = world.service.listen(0).unwrap().port();
    proxy.point_at(world.service_name(), port);
    (proxy, port)
}

/// Reads a response in the service's place.
async fn answered(stream: &mut Stream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\nno") {
        head.push(stream.read_u8().await.expect("a response"));
    }
    assert!(head.starts_with(b"HTTP/1.1 503 "), "{}", head.escape_ascii());
}

async fn answers_for_a_service_that_is_dead(world: &World) {
    let (proxy, _) = dead(world);
    apply(&proxy, down()).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    // That the service can't be reached is known by now.
    world.assert_silent(&mut stream).await;
    for _ in 0..3 {
        stream.write_all(ASK).await.unwrap();
        answered(&mut stream).await;
    }
    let fired = remove(&proxy, "down").await;
    assert_eq!((fired.messages, fired.connections), (3, 1));
    // Nobody answers in its place any more.
    assert_reset(&mut stream).await;
}

async fn answers_whoever_has_closed_its_half(world: &World) {
    let nowhere = world.proxy_of(Protocol::HTTP);
    let (refusing, _) = dead(world);
    let closing = world.proxy_of(Protocol::HTTP);
    let mut listener = world.service.listen(0).unwrap();
    closing.point_at(world.service_name(), listener.port());
    // A service that reads what there is, and closes.
    drop(world.service.spawn(async move {
        while let Ok(mut stream) = listener.accept().await {
            let _ = stream.read(&mut [0; 999]).await;
        }
    }));
    for proxy in [nowhere, refusing, closing] {
        apply(&proxy, down()).await;
        for _ in 0..20 {
            let mut stream = world.dial(&proxy).await.unwrap();
            stream.write_all(ASK).await.unwrap();
            stream.shutdown().await.unwrap();
            let (sent, end) = rest(&mut stream).await;
            assert!(sent.starts_with(b"HTTP/1.1 503 ") && sent.ends_with(b"no"), "{}", sent.escape_ascii());
            assert_eq!(end, Ok(()));
        }
        assert_eq!(remove(&proxy, "down").await.messages, 20);
    }
}

async fn resets_what_is_for_a_service_that_is_dead(world: &World) {
    let (proxy, _) = dead(world);
    apply(&proxy, down()).await;
    for apart in [true, false] {
        let mut stream = world.dial(&proxy).await.unwrap();
        if apart {
            stream.write_all(ASK).await.unwrap();
            answered(&mut stream).await;
            stream.write_all(OTHER).await.unwrap();
        } else {
            stream.write_all(&[ASK, OTHER].concat()).await.unwrap();
            answered(&mut stream).await;
        }
        assert_reset(&mut stream).await;
    }
    assert_eq!(remove(&proxy, "down").await.messages, 2);
}

/// A proxy before a service that takes connections and ends them at once, with a reset if `resets`; and the number of those.
fn leaving(world: &World, resets: bool) -> (Proxy, Arc<AtomicU64>) {
    let proxy = world.proxy_of(Protocol::HTTP);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    drop(world.service.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            count.fetch_add(1, Relaxed);
            if resets {
                stream.abort();
            }
        }
    }));
    (proxy, taken)
}

async fn answers_for_a_service_that_leaves_without_a_word(world: &World) {
    for resets in [false, true] {
        let (proxy, taken) = leaving(world, resets);
        apply(&proxy, down()).await;
        let (mut stream, mut other) = (world.dial(&proxy).await.unwrap(), world.dial(&proxy).await.unwrap());
        // It has left by now.
        world.assert_silent(&mut stream).await;
        for _ in 0..3 {
            stream.write_all(ASK).await.unwrap();
            answered(&mut stream).await;
        }
        assert_eq!(taken.load(Relaxed), 2, "once for each client");
        // What is for it goes to it, which may be another by now; this one leaves again.
        stream.write_all(OTHER).await.unwrap();
        let (sent, _) = rest(&mut stream).await;
        assert!(sent.is_empty(), "{}", sent.escape_ascii());
        assert_eq!(taken.load(Relaxed), 3);
        assert_eq!(remove(&proxy, "down").await.messages, 3);
        // Nobody answers in its place any more: now its end is seen.
        let (sent, end) = rest(&mut other).await;
        assert!(sent.is_empty() && end == if resets { Err(io::ErrorKind::ConnectionReset) } else { Ok(()) }, "{end:?}");
    }
}

async fn lets_a_service_leave_that_was_told_something(world: &World) {
    let proxy = world.proxy_of(Protocol::HTTP);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    apply(&proxy, down()).await;
    for speaks in [false, true] {
        let (mut stream, mut served) = world.connect(&proxy, &mut listener).await;
        if speaks {
            pass(&mut served, &mut stream, b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n").await;
        } else {
            pass(&mut stream, &mut served, OTHER).await;
        }
        drop(served);
        assert_eq!(rest(&mut stream).await, (Vec::new(), Ok(())));
    }
}

async fn reaches_a_service_that_is_back(world: &World) {
    let (proxy, port) = dead(world);
    apply(&proxy, down()).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    answered(&mut stream).await;
    let mut listener = world.service.listen(port).unwrap();
    stream.write_all(OTHER).await.unwrap();
    let mut served = listener.accept().await.unwrap();
    let mut came = vec![0; OTHER.len()];
    served.read_exact(&mut came).await.unwrap();
    assert_eq!(came, OTHER);
    pass(&mut served, &mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").await;
    stream.write_all(ASK).await.unwrap();
    answered(&mut stream).await;
}

async fn gives_late_responses_before_the_end(world: &World) {
    let (proxy, _) = dead(world);
    apply(&proxy, down()).await;
    apply(&proxy, fault("slow", Delay { delay: Spread::constant(100 * MS) }.into())).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    stream.shutdown().await.unwrap();
    let (sent, end) = rest(&mut stream).await;
    assert!(sent.starts_with(b"HTTP/1.1 503 ") && end == Ok(()), "{} {end:?}", sent.escape_ascii());
    assert_eq!((remove(&proxy, "slow").await.messages, remove(&proxy, "down").await.messages), (1, 1));
}

/// Waits until so many requests have come.
async fn came(proxy: &Proxy, count: u64) {
    while proxy.counts().messages.values().sum::<u64>() < count {
        tokio::time::sleep(MS).await;
    }
}

async fn counts_what_was_sent(world: &World) {
    let (proxy, _) = dead(world);
    apply(&proxy, down()).await;
    apply(&proxy, fault("held", Hang {}.into())).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    came(&proxy, 1).await;
    let fired = proxy.fired()["down"];
    assert_eq!(fired.messages, 0, "it is held, and nobody has seen it");
    remove(&proxy, "held").await;
    answered(&mut stream).await;
    assert_eq!(remove(&proxy, "down").await.messages, 1);
}

async fn counts_what_is_on_its_way_when_the_fault_goes(world: &World) {
    let (proxy, _) = dead(world);
    apply(&proxy, down()).await;
    apply(&proxy, fault("held", Hang {}.into())).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    came(&proxy, 1).await;
    assert_eq!(remove(&proxy, "down").await.messages, 1);
    remove(&proxy, "held").await;
    answered(&mut stream).await;
}

async fn lets_a_service_speak_first_to_whoever_has_closed_its_half(world: &World) {
    let proxy = world.lone_proxy();
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    for _ in 0..20 {
        let mut stream = world.dial(&proxy).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut served =
            tokio::time::timeout(Duration::from_secs(5), listener.accept()).await.expect("a client").unwrap();
        pass(&mut served, &mut stream, b"220 mail").await;
        assert_eq!(served.read(&mut [0]).await.unwrap(), 0, "and is told that the client has said its last");
        served.shutdown().await.unwrap();
        assert_eq!(rest(&mut stream).await, (Vec::new(), Ok(())));
    }
}
