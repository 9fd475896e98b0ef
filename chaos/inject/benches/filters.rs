//! The cost of reading along, as ratios: the proxies of HTTP and Redis beside a bare copy over the same sockets.
//!
//! `cargo bench -p chaos-inject --bench filters`. Three proxies a protocol: without faults, with one that matches
//! nothing (each message is looked at), and with one that delays connections by nothing worth mentioning (each message
//! is told by its name). Messages go one at a time, and sixteen at once. All are measured by turns, as in `passthrough`.

#![expect(clippy::unwrap_used, reason = "a panic is how a benchmark fails")]

mod support;

use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::{
    Directions, Effect, Endpoint, Fault, Link, Nonce, Only, Pattern, Protocol, Spread, Target,
    effect::{Delay, Latency},
};
use host::{Host, tcp};
use std::time::Duration;
use support::{bare_copy, median, ratio, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// Messages on one connection in a round.
const MESSAGES: usize = 2048;
/// Messages under way at once.
const AT_ONCE: [usize; 2] = [1, 16];

/// A request and its response, always the same.
#[derive(Clone, Copy)]
struct Exchange {
    protocol: Protocol,
    ask: &'static [u8],
    answer: &'static [u8],
}

const HTTP: Exchange = Exchange {
    protocol: Protocol::HTTP,
    ask: b"GET /orders/user/42?full=1 HTTP/1.1\r\nHost: order-service:8002\r\nUser-Agent: bench\r\nAccept: */*\r\n\
        traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nbaggage: chaos.request=00000000000000ab-4711-0\r\n\r\n",
    answer:
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\nDate: Thu, 01 Jan 2026 00:00:00 \
        GMT\r\n\r\n{\"orders\":[{\"id\":\"o1\",\"product\":\"p1\"}]}",
};

const REDIS: Exchange = Exchange {
    protocol: Protocol::REDIS,
    ask: b"*2\r\n$3\r\nGET\r\n$18\r\ngateway:profile:42\r\n",
    answer: b"$64\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
};

fn main() {
    support::run(async |rounds| {
        for (name, exchange) in [("HTTP", HTTP), ("Redis", REDIS)] {
            measure(name, exchange, rounds).await;
        }
    });
}

async fn measure(name: &str, exchange: Exchange, rounds: usize) {
    let host = tcp::host(tcp::Config::loopback("bench")).unwrap();
    let service = serve(&host, move |_, stream| answer(stream, exchange));
    let bare = bare_copy(&host, service);
    let (idle, asked, told) = (
        proxy(&host, service, exchange, None).await,
        proxy(&host, service, exchange, Some(matches_nothing(exchange.protocol))).await,
        proxy(&host, service, exchange, Some(tells_names())).await,
    );
    let ports = [service, bare, idle.port(), asked.port(), told.port()];
    for at_once in AT_ONCE {
        let mut times = [const { Vec::new() }; 5];
        for _ in 0..rounds {
            for (times, port) in times.iter_mut().zip(ports) {
                times.push(round(&host, port, exchange, at_once).await);
            }
        }
        let [direct, bare, idle, asked, told] = times.map(median);
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / MESSAGES as f64;
        println!(
            "{name}, {at_once} at once: direct {:.2} us a message, bare copy {:.2} us",
            micros(direct),
            micros(bare)
        );
        for (what, time) in [("no fault", idle), ("one that matches nothing", asked), ("one on connections", told)] {
            println!("  proxy, {what}: {:.2} us, ratio {:.2}", micros(time), ratio(time, bare));
        }
    }
}

async fn proxy(host: &Host, service: u16, exchange: Exchange, fault: Option<Fault>) -> Proxy {
    let config = ProxyConfig {
        link: link(),
        protocol: exchange.protocol,
        seed: 1,
        nonce: Some(Nonce(0xab)),
        most_connections: None,
    };
    let proxy = Proxy::start(host, host.listen(0).unwrap(), config);
    proxy.point_at("127.0.0.1", service);
    if let Some(fault) = fault {
        assert_eq!(proxy.send(Message::Apply(Box::new(fault))).await, Reply::Done);
    }
    proxy
}

fn link() -> Link {
    Link { from: Endpoint::Client, to: "service".to_owned(), label: None }
}

fn matches_nothing(protocol: Protocol) -> Fault {
    let nothing = Pattern("no such thing".to_owned());
    let effect: Effect = Delay { delay: Spread::constant(Duration::from_secs(1)) }.into();
    let only = if protocol == Protocol::REDIS {
        Only { key: Some(nothing), ..Only::default() }
    } else {
        Only { path: Some(nothing), ..Only::default() }
    };
    Fault { only, ..Fault::new("none", Target::Link(link()), effect) }
}

fn tells_names() -> Fault {
    let delay = Spread::constant(Duration::from_nanos(1));
    let effect: Effect = Latency::of(delay, Directions::Upstream).into();
    Fault::new("least", Target::Link(link()), effect)
}

async fn answer(mut stream: host::Stream, exchange: Exchange) {
    let mut asked = vec![0; exchange.ask.len() * AT_ONCE[1]];
    let mut came = 0;
    let all: Vec<u8> = exchange.answer.repeat(AT_ONCE[1]);
    while let Ok(count @ 1..) = stream.read(&mut asked).await {
        came += count;
        let whole = came / exchange.ask.len();
        came %= exchange.ask.len();
        if stream.write_all(&all[..whole * exchange.answer.len()]).await.is_err() {
            return;
        }
    }
}

async fn round(host: &Host, port: u16, exchange: Exchange, at_once: usize) -> Duration {
    let mut stream = host.dial("127.0.0.1", port).await.unwrap();
    let ask = exchange.ask.repeat(at_once);
    let mut answer = vec![0; exchange.answer.len() * at_once];
    let began = Instant::now();
    for _ in 0..MESSAGES / at_once {
        stream.write_all(&ask).await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
    }
    let took = began.elapsed();
    assert_eq!(answer, exchange.answer.repeat(at_once), "it is passed as it came");
    took
}
