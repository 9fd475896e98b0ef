//! Connections that a link's protocol does not fit: they pass, and faults on messages count them, with the reason.

use crate::support::{MS, Pair, World, apply, fault, latency, pass, remove, removed};
use chaos_inject::Proxy;
use chaos_model::{
    Directions, Protocol, Spread,
    effect::Delay,
    event::{Spared, Unreadable},
};

conformance!(
    passes_what_is_something_else_and_counts_it,
    counts_for_each_fault_what_it_could_have_met,
    counts_an_upgraded_connection,
    counts_what_can_not_be_told_apart,
    counts_one_odd_message_and_reads_on,
    counts_a_request_whose_response_can_not_be_read,
    counts_nobody_who_left_before_a_delayed_reply,
    reads_what_is_behind_a_header_of_the_proxy_protocol,
    lets_effects_on_connections_act,
);

/// The beginning of a TLS connection.
const HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";

/// A header of the PROXY protocol behind another: no balancer does that.
const PROXY_TWICE: &[u8] = b"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\nGET / HTTP/1.1\r\n\r\n";

fn slow() -> Delay {
    Delay { delay: Spread::constant(1000 * MS) }
}

fn spared(why: Unreadable) -> Spared {
    Spared::default().with(why, 1)
}

async fn pair(world: &World, protocol: Protocol) -> (Proxy, Pair) {
    let proxy = world.proxy_of(protocol);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let (client, served) = world.connect(&proxy, &mut listener).await;
    (proxy, Pair { client, served, listener })
}

async fn passes_what_is_something_else_and_counts_it(world: &World) {
    for (protocol, first, why) in [
        (Protocol::HTTP, HELLO, Unreadable::Tls),
        (Protocol::REDIS, HELLO, Unreadable::Tls),
        (Protocol::HTTP, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Unreadable::Http2),
        (Protocol::HTTP, PROXY_TWICE, Unreadable::ProxyProtocol),
        (Protocol::HTTP, b"*1\r\n$4\r\nPING\r\n", Unreadable::OtherProtocol),
        (Protocol::REDIS, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", Unreadable::OtherProtocol),
    ] {
        // A command without its line's end may be one, and is not held for that.
        let least = if first.starts_with(b"GET") { first.len() } else { 1 };
        for cut in [least, 2.max(least), first.len()] {
            let (proxy, Pair { mut client, mut served, .. }) = pair(world, protocol).await;
            apply(&proxy, fault("slow", slow().into())).await;
            let (one, other) = first.split_at(cut);
            let send = async {
                use tokio::io::AsyncWriteExt as _;
                client.write_all(one).await.unwrap();
                client.write_all(other).await.unwrap();
            };
            let mut got = vec![0; first.len()];
            let read = tokio::io::AsyncReadExt::read_exact(&mut served, &mut got);
            let ((), read) = tokio::join!(send, read);
            read.unwrap();
            assert_eq!(got, first);
            pass(&mut served, &mut client, b"whatever").await;
            pass(&mut client, &mut served, b"and so on").await;
            let fired = remove(&proxy, "slow").await;
            // The client spoke once more after a response, which is a message more.
            let spared = spared(why).with_messages(why, 1);
            assert_eq!((fired.any(), fired.spared), (false, spared), "{protocol}: {}", first.escape_ascii());
        }
    }
}

async fn counts_nobody_who_left_before_a_delayed_reply(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::REDIS).await;
    apply(&proxy, fault("slow", slow().into())).await;
    pass(&mut client, &mut served, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n").await;
    // It gives up, and says no more; what the server says is on its way.
    tokio::io::AsyncWriteExt::shutdown(&mut client).await.unwrap();
    pass(&mut served, &mut client, b"$1\r\nv\r\n").await;
    let fired = remove(&proxy, "slow").await;
    assert_eq!((fired.messages, fired.spared), (1, Spared::default()));
}

async fn counts_for_each_fault_what_it_could_have_met(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    pass(&mut client, &mut served, HELLO).await;
    apply(&proxy, fault("idle", slow().into())).await;
    pass(&mut served, &mut client, b"whatever").await;
    assert_eq!(remove(&proxy, "idle").await.spared, Spared::default(), "the client sent nothing");
    apply(&proxy, fault("met", slow().into())).await;
    pass(&mut client, &mut served, b"whatever").await;
    assert_eq!(proxy.fired()["met"].spared, spared(Unreadable::Tls));
    apply(&proxy, fault("later", slow().into())).await;
    pass(&mut client, &mut served, b"whatever").await;
    for name in ["met", "later"] {
        assert_eq!(remove(&proxy, name).await.spared, spared(Unreadable::Tls), "{name}");
    }
}

async fn counts_an_upgraded_connection(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    pass(&mut client, &mut served, b"GET /a HTTP/1.1\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n").await;
    let switched = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n";
    apply(&proxy, fault("slow", slow().into())).await;
    pass(&mut served, &mut client, switched).await;
    assert_eq!(proxy.fired()["slow"].spared, Spared::default());
    pass(&mut client, &mut served, b"hello").await;
    pass(&mut client, &mut served, b"you").await;
    assert_eq!(remove(&proxy, "slow").await.spared, spared(Unreadable::Upgraded));
}

async fn counts_what_can_not_be_told_apart(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    apply(&proxy, fault("slow", slow().into())).await;
    // Two lengths: where the request ends depends on who reads it.
    let unclear = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc";
    pass(&mut client, &mut served, unclear).await;
    let message = Spared::NONE.with_messages(Unreadable::AmbiguousLength, 1);
    assert_eq!(proxy.fired()["slow"].spared, message);
    pass(&mut served, &mut client, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(proxy.fired()["slow"].spared, message);
    // What follows may be anything: the connection is spared, and on it a message for each turn of the client.
    pass(&mut client, &mut served, b"GET / HT").await;
    pass(&mut client, &mut served, b"TP/1.1\r\n\r\n").await;
    assert_eq!(proxy.fired()["slow"].spared, message.with(Unreadable::AmbiguousLength, 1));
    for messages in 2..4 {
        pass(&mut served, &mut client, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        pass(&mut client, &mut served, b"GET / HTTP/1.1\r\n\r\n").await;
        let spared = message.with(Unreadable::AmbiguousLength, 1).with_messages(Unreadable::AmbiguousLength, messages);
        assert_eq!(proxy.fired()["slow"].spared, spared);
    }
}

/// A request and a response whose ends are sure, though not all that is in them: the connection stays readable.
async fn counts_one_odd_message_and_reads_on(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    apply(&proxy, fault("slow", Delay { delay: Spread::constant(MS) }.into())).await;
    let odd = b"POST / HTTP/1.1\r\nx: a\rb: c\r\ncontent-length: 2\r\n\r\nok";
    pass(&mut client, &mut served, odd).await;
    pass(&mut served, &mut client, b"HTTP/1.1 204 .\r\n\r\n").await;
    pass(&mut client, &mut served, b"GET / HTTP/1.1\r\n\r\n").await;
    pass(&mut served, &mut client, b"HTTP/1.1 204 .\r\n\r\n").await;
    let fired = remove(&proxy, "slow").await;
    assert_eq!((fired.messages, fired.spared), (1, Spared::NONE.with_messages(Unreadable::UnreadableHead, 1)));
}

async fn counts_a_request_whose_response_can_not_be_read(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    apply(&proxy, fault("slow", slow().into())).await;
    pass(&mut client, &mut served, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    pass(&mut served, &mut client, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nabc").await;
    let fired = remove(&proxy, "slow").await;
    assert_eq!((fired.messages, fired.spared), (0, Spared::NONE.with_messages(Unreadable::AmbiguousLength, 1)));
}

/// A load balancer puts the client's address before what that says.
async fn reads_what_is_behind_a_header_of_the_proxy_protocol(world: &World) {
    const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02";
    for (header, protocol, ask, answer) in [
        (
            &b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"[..],
            Protocol::HTTP,
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &b"HTTP/1.1 204 .\r\n\r\n"[..],
        ),
        (VERSION_2, Protocol::HTTP, b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 .\r\n\r\n"),
        (VERSION_2, Protocol::REDIS, b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
    ] {
        let all = [header, ask].concat();
        for cut in [1, header.len() - 1, header.len(), header.len() + 1, all.len()] {
            let (proxy, Pair { mut client, mut served, .. }) = pair(world, protocol).await;
            apply(&proxy, fault("slow", Delay { delay: Spread::constant(MS) }.into())).await;
            let (one, other) = all.split_at(cut);
            let mut got = vec![0; all.len()];
            let send = async {
                use tokio::io::AsyncWriteExt as _;
                client.write_all(one).await.unwrap();
                client.write_all(other).await.unwrap();
            };
            let read = tokio::io::AsyncReadExt::read_exact(&mut served, &mut got);
            let ((), read) = tokio::join!(send, read);
            read.unwrap();
            assert_eq!(got, all);
            pass(&mut served, &mut client, answer).await;
            let fired = remove(&proxy, "slow").await;
            assert_eq!((fired.messages, fired.spared), (1, Spared::NONE), "{protocol} {cut}");
        }
    }
}

async fn lets_effects_on_connections_act(world: &World) {
    let (proxy, Pair { mut client, mut served, .. }) = pair(world, Protocol::HTTP).await;
    apply(&proxy, fault("far", latency(20 * MS, Directions::Upstream))).await;
    pass(&mut client, &mut served, HELLO).await;
    let (fired, injections, _) = removed(&proxy, "far").await;
    assert_eq!((fired.chunks, fired.spared), (1, Spared::default()));
    assert_eq!(injections.len(), 1);
}
