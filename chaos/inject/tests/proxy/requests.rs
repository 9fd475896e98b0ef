//! Effects and matchers on HTTP requests, over TCP and in memory alike: one case each.

use super::support::{MS, NONCE, World, apply, fault, remove, removed};
use chaos_inject::Proxy;
use chaos_model::{
    Fault, KeyKind, Nth, Only, Pattern, Protocol, Share, Spread,
    effect::{
        Close, Coding, Delay, Effect, Garble, Hang, Header, Oversize, Replace, ResetBody, Status, Trickle, Truncate,
        truncate::{Framing, Kept},
    },
};
use host::Stream;
use std::{collections::BTreeMap, io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

conformance!(
    statuses_in_the_services_place,
    delays_and_lets_go,
    changes_headers,
    truncates_both_ways,
    garbles_replaces_and_fills_up,
    trickles_and_lets_go,
    closes_and_resets,
    takes_only_those_that_match,
    counts_what_matches,
    counts_calls_when_they_come,
    counts_connections_that_can_not_be_read,
    takes_the_same_share_of_requests_on_one_connection,
    tells_what_it_did,
    lets_a_half_head_through_once_it_is_lost,
);

/// A service that responses each request with its target.
fn service(world: &World) -> u16 {
    let mut listener = world.service.listen(0).unwrap();
    let (port, host) = (listener.port(), world.service.clone());
    drop(world.service.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            drop(host.spawn(serve(stream)));
        }
    }));
    port
}

async fn serve(mut stream: Stream) -> io::Result<()> {
    let mut seen = Vec::new();
    loop {
        while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head: Vec<u8> = seen.drain(..end + 4).collect();
            let target = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
            let answer =
                format!("HTTP/1.1 200 OK\r\nX-Service: yes\r\ncontent-length: {}\r\n\r\n{target}", target.len());
            stream.write_all(answer.as_bytes()).await?;
        }
        if stream.read_buf(&mut seen).await? == 0 {
            return stream.shutdown().await;
        }
    }
}

fn proxy(world: &World) -> Proxy {
    let proxy = world.proxy_of(Protocol::HTTP);
    proxy.point_at(world.service_name(), service(world));
    proxy
}

/// A response: its status, its head in lower case, its body.
type Answer = (u16, String, Vec<u8>);

async fn get(stream: &mut Stream, target: &str) -> io::Result<Answer> {
    request(stream, "GET", target, "").await
}

async fn request(stream: &mut Stream, method: &str, target: &str, headers: &str) -> io::Result<Answer> {
    let request = format!("{method} {target} HTTP/1.1\r\nhost: service\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).await?;
    Ok((status, head, body))
}

fn status(status: u16) -> Effect {
    Status { status, body: "no".to_owned(), content_type: None }.into()
}

fn delay(delay: Duration) -> Effect {
    Delay { delay: Spread::constant(delay) }.into()
}

async fn statuses_in_the_services_place(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    assert_eq!(get(&mut stream, "/a").await.unwrap().0, 200);
    apply(&proxy, fault("down", status(503))).await;
    let (code, head, body) = get(&mut stream, "/b").await.unwrap();
    assert_eq!((code, body.as_slice()), (503, b"no".as_slice()), "a connection that was open meets it");
    assert!(!head.contains("x-service"), "{head}");
    let fired = remove(&proxy, "down").await;
    assert_eq!((fired.messages, fired.connections), (1, 1));
    let (code, head, body) = get(&mut stream, "/c").await.unwrap();
    assert_eq!((code, body.as_slice()), (200, b"/c".as_slice()), "and is of use after it");
    assert!(head.contains("x-service: yes"), "{head}");
}

async fn delays_and_lets_go(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    apply(&proxy, fault("slow", delay(50 * MS))).await;
    let asked = Instant::now();
    assert_eq!(get(&mut stream, "/a").await.unwrap().2, b"/a");
    assert!(asked.elapsed() >= 50 * MS, "{:?}", asked.elapsed());
    remove(&proxy, "slow").await;
    apply(&proxy, fault("endless", delay(Duration::from_secs(100_000)))).await;
    stream.write_all(b"GET /b HTTP/1.1\r\n\r\n").await.unwrap();
    world.assert_silent(&mut stream).await;
    assert_eq!(remove(&proxy, "endless").await.messages, 1);
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

async fn changes_headers(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    let set = Header { header: "x-service".to_owned(), value: Some("no".to_owned()) };
    apply(&proxy, fault("set", set.into())).await;
    let head = get(&mut stream, "/a").await.unwrap().1;
    assert!(head.contains("x-service: no") && !head.contains("yes"), "{head}");
    remove(&proxy, "set").await;
    let gone = Header { header: "x-service".to_owned(), value: None };
    apply(&proxy, fault("gone", gone.into())).await;
    assert!(!get(&mut stream, "/a").await.unwrap().1.contains("x-service"));
}

async fn truncates_both_ways(world: &World) {
    let proxy = proxy(world);
    let keep = Kept::PerMillion(500_000);
    let mut stream = world.dial(&proxy).await.unwrap();
    apply(&proxy, fault("short", Truncate { keep, framing: Framing::Short, coding: Coding::Undone }.into())).await;
    assert_eq!(get(&mut stream, "/123").await.unwrap().2, b"/1", "the head says so");
    remove(&proxy, "short").await;
    assert_eq!(get(&mut stream, "/123").await.unwrap().2, b"/123", "and the connection is of use");
    apply(&proxy, fault("cut", Truncate { keep, framing: Framing::Whole, coding: Coding::Undone }.into())).await;
    let error = get(&mut stream, "/123").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "fewer bytes than announced, then an orderly end");
}

async fn garbles_replaces_and_fills_up(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    let target = format!("/{}", "a".repeat(500));
    apply(&proxy, fault("noise", Garble { parts_per_million: 10_000, coding: Coding::Undone }.into())).await;
    let body = get(&mut stream, &target).await.unwrap().2;
    let wrong = body.iter().zip(target.as_bytes()).filter(|(one, other)| one != other).count();
    assert!(body.len() == target.len() && (1..=20).contains(&wrong), "{wrong} bytes are wrong");
    remove(&proxy, "noise").await;
    apply(&proxy, fault("other", Replace { body: "{}".to_owned(), coding: Coding::Undone }.into())).await;
    let (_, head, body) = get(&mut stream, "/a").await.unwrap();
    assert!(body == b"{}" && head.contains("x-service: yes"), "{head}");
    remove(&proxy, "other").await;
    apply(&proxy, fault("huge", Oversize { size: 3 << 20, coding: Coding::Undone }.into())).await;
    let body = get(&mut stream, "/a").await.unwrap().2;
    assert!(body.len() == 3 << 20 && body.starts_with(b"/a  ") && body.ends_with(b"  "));
    remove(&proxy, "huge").await;
    assert_eq!(get(&mut stream, "/b").await.unwrap().2, b"/b");
}

async fn trickles_and_lets_go(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    let target = format!("/{}", "a".repeat(99));
    apply(&proxy, fault("drops", Trickle { bytes_per_second: 1000 }.into())).await;
    let asked = Instant::now();
    assert_eq!(get(&mut stream, &target).await.unwrap().2.len(), 100);
    assert!(asked.elapsed() >= 99 * MS, "{:?}", asked.elapsed());
    remove(&proxy, "drops").await;
    apply(&proxy, fault("slower", Trickle { bytes_per_second: 1 }.into())).await;
    stream.write_all(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(remove(&proxy, "slower").await.messages, 1);
    let mut rest = vec![0; 47 + 100 - 15 + 1];
    stream.read_exact(&mut rest).await.unwrap();
    assert!(rest.ends_with(b"aaa"));
}

async fn closes_and_resets(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    apply(&proxy, fault("away", Close {}.into())).await;
    let error = get(&mut stream, "/a").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    remove(&proxy, "away").await;
    let mut stream = world.dial(&proxy).await.unwrap();
    apply(&proxy, fault("rst", ResetBody { keep: Kept::Bytes(2) }.into())).await;
    let error = get(&mut stream, "/abc").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(remove(&proxy, "rst").await.messages, 1);
}

fn only(only: Only) -> Fault {
    Fault { only, ..fault("some", status(503)) }
}

async fn takes_only_those_that_match(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    let pattern = |text: &str| Pattern(text.to_owned());
    let all: [(Only, [u16; 4]); 6] = [
        (Only { methods: vec!["PUT".to_owned()], ..Only::default() }, [200, 503, 200, 200]),
        (Only { path: Some(pattern("/users/*")), ..Only::default() }, [503, 200, 503, 200]),
        (Only { path: Some(pattern("/users/7")), ..Only::default() }, [503, 200, 200, 200]),
        (Only { query: Some(pattern("x=*")), ..Only::default() }, [503, 200, 200, 200]),
        (Only { headers: vec![("x-tenant".to_owned(), pattern("b*"))], ..Only::default() }, [200, 200, 503, 200]),
        (Only { baggage: vec![("experiment".to_owned(), pattern("a"))], ..Only::default() }, [200, 200, 200, 503]),
    ];
    let turned = all.clone().map(|(matcher, taken)| {
        let spared = taken.map(|status| if status == 200 { 503 } else { 200 });
        (Fault { except: Some(matcher), ..only(Only::default()) }, spared)
    });
    for (matcher, wanted) in all.map(|(matcher, taken)| (only(matcher), taken)).into_iter().chain(turned) {
        apply(&proxy, matcher.clone()).await;
        let requests = [
            ("GET", "/users/7?x=1", ""),
            ("PUT", "/orders", ""),
            ("GET", "/users/8", "X-Tenant: blue\r\n"),
            ("GET", "/", "baggage: other=1, experiment=a;p=2\r\n"),
        ];
        let mut seen = Vec::new();
        for (method, target, headers) in requests {
            seen.push(request(&mut stream, method, target, headers).await.unwrap().0);
        }
        assert_eq!(seen, wanted, "only {}, except {:?}", matcher.only, matcher.except);
        remove(&proxy, "some").await;
    }
}

/// Waits until the proxy has counted so many requests of each kind.
async fn counted(proxy: &Proxy, wanted: &[(&str, u64)]) {
    let wanted = wanted.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect::<BTreeMap<_, _>>();
    while proxy.counts().messages != wanted {
        tokio::time::sleep(MS).await;
    }
}

/// A request is a call of its caller when its head has come: also one that waits, is answered by a fault, lacks its body, or
/// whose client has gone.
async fn counts_calls_when_they_come(world: &World) {
    let proxy = proxy(world);
    apply(&proxy, fault("held", Hang {}.into())).await;
    let mut held = world.dial(&proxy).await.unwrap();
    held.write_all(b"GET /users/7?x=1 HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    counted(&proxy, &[("GET /users/*", 1)]).await;
    drop(held);
    remove(&proxy, "held").await;
    counted(&proxy, &[("GET /users/*", 1)]).await;
    apply(&proxy, Fault { share: Share { parts: 1, whole: 2 }, ..fault("half", status(503)) }).await;
    let mut waits = world.dial(&proxy).await.unwrap();
    waits.write_all(b"POST /users HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n").await.unwrap();
    counted(&proxy, &[("GET /users/*", 1), ("POST /users", 1)]).await;
    waits.write_all(b"abc").await.unwrap();
    let mut response = [0; 12];
    waits.read_exact(&mut response).await.unwrap();
    counted(&proxy, &[("GET /users/*", 1), ("POST /users", 1)]).await;
    remove(&proxy, "half").await;
    apply(&proxy, fault("all", status(503))).await;
    let mut stream = world.dial(&proxy).await.unwrap();
    assert_eq!(get(&mut stream, "/a").await.unwrap().0, 503);
    counted(&proxy, &[("GET /a", 1), ("GET /users/*", 1), ("POST /users", 1)]).await;
    assert_eq!(proxy.counts().unread, 0);
}

async fn counts_connections_that_can_not_be_read(world: &World) {
    let proxy = proxy(world);
    for (nth, bytes) in [&b"\x16\x03\x01\x02\x00\x01"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"].into_iter().enumerate()
    {
        let mut stream = world.dial(&proxy).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        while proxy.counts().unread != nth as u64 + 1 {
            tokio::time::sleep(MS).await;
        }
    }
    assert_eq!(proxy.counts().messages, BTreeMap::new());
}

async fn counts_what_matches(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    let all = [
        (Nth::Only(2), [200, 503, 200, 200, 200, 200]),
        (Nth::First(2), [503, 503, 200, 200, 200, 200]),
        (Nth::Every(3), [200, 200, 503, 200, 200, 503]),
    ];
    for (nth, wanted) in all {
        apply(&proxy, only(Only { nth: Some(nth), path: Some(Pattern("/a".to_owned())), ..Only::default() })).await;
        let mut seen = Vec::new();
        for _ in 0..6 {
            seen.push(get(&mut stream, "/a").await.unwrap().0);
            assert_eq!(get(&mut stream, "/b").await.unwrap().0, 200);
        }
        assert_eq!(seen, wanted, "{nth:?}");
        remove(&proxy, "some").await;
    }
}

/// The numbered requests that fail under a fault for a tenth of them.
async fn failing(world: &World, numbers: impl Iterator<Item = u64>, others: &[Fault]) -> Vec<u64> {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    for other in others {
        apply(&proxy, other.clone()).await;
    }
    apply(&proxy, Fault { share: Share { parts: 1, whole: 10 }, ..fault("tenth", status(503)) }).await;
    let mut failing = Vec::new();
    for n in numbers {
        let headers = format!("baggage: chaos.request={NONCE}-{n}-0\r\n");
        if request(&mut stream, "GET", "/users/7", &headers).await.unwrap().0 == 503 {
            failing.push(n);
        }
    }
    failing.sort_unstable();
    failing
}

async fn takes_the_same_share_of_requests_on_one_connection(world: &World) {
    let first = failing(world, 0..500, &[]).await;
    assert!((23..=77).contains(&first.len()), "{} of 500", first.len());
    let header = Header { header: "x".to_owned(), value: None };
    let other = Fault { share: Share { parts: 1, whole: 2 }, ..fault("half", header.into()) };
    let backwards = failing(world, (0..500).rev(), &[other]).await;
    assert_eq!(first, backwards, "in another order, beside another fault");
}

async fn tells_what_it_did(world: &World) {
    let proxy = proxy(world);
    let mut stream = world.dial(&proxy).await.unwrap();
    apply(&proxy, fault("slow", delay(20 * MS))).await;
    let numbered = format!("baggage: chaos.request={NONCE}-42-0\r\n");
    request(&mut stream, "GET", "/users/7", &numbered).await.unwrap();
    get(&mut stream, "/users/8").await.unwrap();
    get(&mut stream, "/users/8").await.unwrap();
    let (fired, injections, left_out) = removed(&proxy, "slow").await;
    assert_eq!((fired.messages, left_out), (3, 0));
    let facts: Vec<_> = injections
        .iter()
        .map(|one| (one.subject.as_str(), one.key, one.arrival.map(|arrival| arrival.n), one.attempt))
        .collect();
    let wanted = [
        ("GET /users/7", KeyKind::NumberedRequest, Some(42), 0),
        ("GET /users/8", KeyKind::Request, None, 0),
        ("GET /users/8", KeyKind::Request, None, 1),
    ];
    assert_eq!(facts, wanted);
    for one in &injections {
        assert_eq!(one.asked, Some(20 * MS));
        assert!(one.achieved.unwrap() >= 20 * MS, "{one:?}");
        assert_eq!((one.fault.as_str(), one.link.as_str()), ("slow", "gateway -> redis"));
    }
    // Of two delays of one message each is told its own.
    apply(&proxy, fault("short", delay(10 * MS))).await;
    apply(&proxy, fault("long", delay(40 * MS))).await;
    get(&mut stream, "/users/9").await.unwrap();
    for (name, own) in [("short", 10), ("long", 40)] {
        let (_, injections, _) = removed(&proxy, name).await;
        let told: Vec<_> = injections.iter().map(|one| one.asked).collect();
        assert_eq!(told, [Some(own * MS)], "{name}");
        assert!(injections[0].achieved.unwrap() >= own * MS, "{injections:?}");
    }
}

/// A service that responses before it was asked is not understood: what was kept of the request goes on all the same.
async fn lets_a_half_head_through_once_it_is_lost(world: &World) {
    let proxy = world.proxy_of(Protocol::HTTP);
    let mut listener = world.service.listen(0).unwrap();
    proxy.point_at(world.service_name(), listener.port());
    let mut stream = world.dial(&proxy).await.unwrap();
    stream.write_all(b"GET / HT").await.unwrap();
    let mut service = listener.accept().await.unwrap();
    let late = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
    service.write_all(late).await.unwrap();
    let mut seen = vec![0; late.len()];
    stream.read_exact(&mut seen).await.unwrap();
    let mut half = [0; 8];
    service.read_exact(&mut half).await.unwrap();
    assert_eq!(&half, b"GET / HT");
}
