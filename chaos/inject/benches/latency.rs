//! The time that a transfer takes under `latency`: the delay, beyond what it takes without.
//!
//! `cargo bench -p chaos-inject --bench latency`. Over loopback, 5 MiB and 60 MiB, without a fault and under each delay by
//! turns; medians are compared, and each is to be within a tenth or 3 ms of what was asked. Beside it, a bare copy. In virtual time the same is a test,
//! `a_delay_takes_its_time_once_however_much_comes`.

#![expect(clippy::unwrap_used, reason = "a panic is how a benchmark fails")]

mod support;

use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{
    Directions, Endpoint, Fault, Link, Protocol, Target,
    effect::{Effect, Latency, Spread},
};
use host::{Host, tcp};
use std::time::Duration;
use support::{bare_copy, median, ratio, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

// As in `chaos` itself: what is under way is memory that comes and goes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MIB: usize = 1 << 20;
const LENGTHS: [usize; 2] = [5 * MIB, 60 * MIB];
const DELAYS: [u64; 5] = [0, 10, 50, 100, 200];
/// A transfer is right within this, or a tenth of all.
const MARGIN: Duration = Duration::from_millis(3);

fn main() {
    support::run(measure);
}

/// The length that a request asks for: its target.
fn length(request: &[u8]) -> usize {
    let text = std::str::from_utf8(request).unwrap();
    text.split(['/', ' ']).nth(2).unwrap().parse().unwrap()
}

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")
}

fn link() -> Link {
    Link { from: Endpoint::Client, to: "service".to_owned(), label: None }
}

async fn measure(rounds: usize) {
    // As many as the median is to be of.
    let rounds = rounds.min(11);
    let host = tcp::host(tcp::Config::loopback("bench")).unwrap();
    let service = serve(&host, |_, mut stream| async move {
        let piece = vec![7; MIB];
        let mut asked = [0; 64];
        while let Ok(count @ 1..) = stream.read(&mut asked).await {
            let length = length(&asked[..count]);
            stream.write_all(head(length).as_bytes()).await.unwrap();
            for _ in 0..length / MIB {
                stream.write_all(&piece).await.unwrap();
            }
        }
    });
    let bare = bare_copy(&host, service);
    for (name, protocol) in [("TCP", Protocol::TCP), ("HTTP, read along", Protocol::HTTP)] {
        let config = ProxyConfig { link: link(), protocol, seed: 1, nonce: None, most_connections: None };
        let proxy = Proxy::start(&host, host.listen(0).unwrap(), config);
        proxy.point_at("127.0.0.1", service);
        println!("{name}, medians of {rounds}:");
        for length in LENGTHS {
            let (mut times, mut copied) = (DELAYS.map(|_| Vec::new()), Vec::new());
            for _ in 0..rounds {
                copied.push(transfer(&host, bare, length).await);
                for (times, delay) in times.iter_mut().zip(DELAYS) {
                    apply(&proxy, Duration::from_millis(delay)).await;
                    times.push(transfer(&host, proxy.port(), length).await);
                    proxy.send(Message::Clear).await;
                }
            }
            let (times, copied) = (times.map(median), median(copied));
            let beside = ratio(times[0], copied);
            println!("  {} MiB, bare copy: {copied:.1?}; proxy without a fault: {beside:.2} times that", length / MIB);
            for (took, delay) in times.into_iter().zip(DELAYS) {
                let asked = times[0] + Duration::from_millis(delay);
                let margin = MARGIN.max(asked / 10);
                // Sooner where processors are few: while the proxy may not write, the service has them for itself.
                let word = match took.abs_diff(asked) {
                    off if off <= margin => "right",
                    _ if took < asked => "sooner",
                    _ => "WRONG",
                };
                println!("  {} MiB, {delay} ms: {took:.1?}, asked {asked:.1?}: {word}", length / MIB);
            }
        }
    }
}

/// Puts a delay on the link, where it is one.
async fn apply(proxy: &Proxy, delay: Duration) {
    if !delay.is_zero() {
        let effect: Effect = Latency::of(Spread::constant(delay), Directions::Downstream).into();
        let fault = Fault::new("far", Target::Link(link()), effect);
        proxy.send(Message::Apply(Box::new(fault))).await.applied().unwrap();
    }
}

/// The time from a request to the last byte of its response.
async fn transfer(host: &Host, port: u16, length: usize) -> Duration {
    let mut stream = host.dial("127.0.0.1", port).await.unwrap();
    let mut buffer = vec![0; MIB];
    let began = Instant::now();
    stream.write_all(format!("GET /{length} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
    let mut left = head(length).len() + length;
    while left > 0 {
        left -= stream.read(&mut buffer[..left.min(MIB)]).await.unwrap();
    }
    began.elapsed()
}
