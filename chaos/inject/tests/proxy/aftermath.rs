//! Faults on messages that are gone when the response comes: it is as it would be without them, since nobody would be told of
//! what they did.

use super::support::{MS, World, apply, fault, pass, remove};
use chaos_inject::Proxy;
use chaos_model::{
    Effect, Fault, Protocol, Share, Spread,
    effect::{
        Close, Coding, Delay, Error, Garble, Header, Lose, Oversize, Replace, ResetBody, Stale, Status, Trickle,
        Truncate, Wrong,
        truncate::{Framing, Kept},
    },
};
use host::Stream;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

conformance!(
    leaves_responses_as_they_are,
    leaves_replies_as_they_are,
    lets_go_of_what_it_kept_of_a_response,
    lets_go_of_what_it_kept_of_a_reply,
    lets_go_of_a_request_whose_body_it_waited_for,
);

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nx-a: b\r\ncontent-length: 10\r\n\r\n0123456789";
const HALF: Kept = Kept::PerMillion(500_000);
const RAW: Coding = Coding::Raw;

/// The longest time that anything may take which nothing holds.
const PATIENCE: Duration = Duration::from_secs(10);

fn endless() -> Effect {
    Delay { delay: Spread::constant(Duration::from_secs(100_000)) }.into()
}

fn cut(framing: Framing) -> Effect {
    Truncate { keep: HALF, framing, coding: RAW }.into()
}

fn header() -> Effect {
    Header { header: "x-a".to_owned(), value: None }.into()
}

/// A proxy with both ends of a connection through it.
async fn connection(world: &World, protocol: Protocol) -> (Proxy, Stream, Stream) {
    let proxy = world.proxy_of(protocol);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let (client, served) = world.connect(&proxy, &mut listener).await;
    (proxy, client, served)
}

/// Asks under each of these, and takes it back before the response comes.
async fn ask_under(world: &World, protocol: Protocol, effects: Vec<Effect>, request: &[u8], response: &[u8]) {
    let (proxy, mut client, mut served) = connection(world, protocol).await;
    for effect in effects {
        let name = effect.name();
        apply(&proxy, fault(name, effect)).await;
        pass(&mut client, &mut served, request).await;
        assert_eq!(remove(&proxy, name).await.messages, 0, "{name}");
        let began = Instant::now();
        pass(&mut served, &mut client, response).await;
        assert!(began.elapsed() < PATIENCE, "{name}: {:?}", began.elapsed());
    }
}

async fn leaves_responses_as_they_are(world: &World) {
    let effects = vec![
        endless(),
        header(),
        Garble { parts_per_million: 500_000, coding: RAW }.into(),
        Replace { body: "other".to_owned(), coding: RAW }.into(),
        Oversize { size: 1 << 20, coding: RAW }.into(),
        cut(Framing::Short),
        Trickle { bytes_per_second: 1 }.into(),
        cut(Framing::Whole),
        Close {}.into(),
        ResetBody { keep: HALF }.into(),
    ];
    ask_under(world, Protocol::HTTP, effects, REQUEST, RESPONSE).await;
}

async fn leaves_replies_as_they_are(world: &World) {
    let wrong = Wrong { value: Some("other".to_owned()) };
    let effects = vec![endless(), Lose {}.into(), wrong.into(), cut(Framing::Whole), Close {}.into()];
    ask_under(world, Protocol::REDIS, effects, b"GET a\r\n", b"$3\r\none\r\n").await;
}

/// Lets the beginning of a response come that a fault keeps, takes that back, and lets the rest follow. Then, under another
/// fault, the connection is read as if nothing had been: `next` in the service's place.
async fn take_back_halfway(
    world: &World,
    protocol: Protocol,
    kept: Effect,
    (request, first, rest): (&[u8], &[u8], &[u8]),
    (refused, next): (Effect, &[u8]),
) {
    let name = kept.name();
    let (proxy, mut client, mut served) = connection(world, protocol).await;
    apply(&proxy, fault(name, kept)).await;
    pass(&mut client, &mut served, request).await;
    served.write_all(first).await.unwrap();
    world.assert_silent_for(&mut client, 20 * MS).await;
    assert_eq!(remove(&proxy, name).await.messages, 0, "{name}");
    let expect = async |client: &mut Stream, expected: &[u8]| {
        let mut got = vec![0; expected.len()];
        timeout(PATIENCE, client.read_exact(&mut got)).await.expect("it is let go").unwrap();
        assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{name}");
    };
    expect(&mut client, first).await;
    pass(&mut served, &mut client, rest).await;
    apply(&proxy, fault("next", refused)).await;
    client.write_all(request).await.unwrap();
    expect(&mut client, next).await;
}

async fn lets_go_of_what_it_kept_of_a_response(world: &World) {
    let chunks: (&[u8], &[u8]) =
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nef", b"gh\r\n0\r\n\r\n");
    let cases = [
        (header(), RESPONSE.split_at(20)),
        (cut(Framing::Whole), chunks),
        (cut(Framing::Short), chunks),
        (ResetBody { keep: HALF }.into(), chunks),
    ];
    for (effect, (first, rest)) in cases {
        let refused = Status { status: 503, body: String::new(), content_type: None };
        let next = (refused.into(), &b"HTTP/1.1 503"[..]);
        take_back_halfway(world, Protocol::HTTP, effect, (REQUEST, first, rest), next).await;
    }
}

async fn lets_go_of_what_it_kept_of_a_reply(world: &World) {
    let wrong = Wrong { value: Some("other".to_owned()) };
    for effect in [wrong.into(), Stale {}.into()] {
        let parts = (&b"GET a\r\n"[..], &b"$6\r\nabc"[..], &b"def\r\n"[..]);
        let next = (Error { reply: "ERR no".to_owned() }.into(), &b"-ERR no\r\n"[..]);
        take_back_halfway(world, Protocol::REDIS, effect, parts, next).await;
    }
}

/// The draw of a share waits for it.
async fn lets_go_of_a_request_whose_body_it_waited_for(world: &World) {
    let (proxy, mut client, mut served) = connection(world, Protocol::HTTP).await;
    let half = Share { parts: 1, whole: 2 };
    apply(&proxy, Fault { share: half, ..fault("late", endless()) }).await;
    let head = b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\n";
    client.write_all(head).await.unwrap();
    world.assert_silent_for(&mut served, 20 * MS).await;
    assert_eq!(remove(&proxy, "late").await.messages, 0);
    let mut got = vec![0; head.len()];
    timeout(PATIENCE, served.read_exact(&mut got)).await.expect("it is let go").unwrap();
    assert_eq!(got, head);
    pass(&mut client, &mut served, b"abc").await;
    pass(&mut served, &mut client, RESPONSE).await;
}
