//! The cost of a proxy without faults, as a ratio: beside a bare copy (`tokio::io::copy_bidirectional`), over the same
//! sockets.
//!
//! `cargo bench -p chaos-inject`. Both are measured by turns, many short rounds of each, and medians are compared: on a
//! machine that others use too, what disturbs one disturbs the other. That is why this is no ordinary benchmark, which
//! would measure one after the other.

#![expect(clippy::unwrap_used, reason = "a panic is how a benchmark fails")]

mod support;

use chaos_inject::{Proxy, ProxyConfig};
use chaos_model::{Endpoint, Link, Protocol};
use host::{Host, tcp};
use std::time::Duration;
use support::{bare_copy, median, ratio, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// Requests on one connection, one after the other, in a round.
const REQUESTS: u32 = 2000;
/// Bytes that go through in a round.
const BULK: usize = 32 << 20;

fn main() {
    support::run(measure);
}

async fn measure(rounds: usize) {
    let host = tcp::host(tcp::Config::loopback("bench")).unwrap();
    let service = serve(&host, |_, mut stream| async move {
        let (mut read, mut write) = stream.split();
        let _ = tokio::io::copy(&mut read, &mut write).await;
    });
    let bare = bare_copy(&host, service);
    let link = Link { from: Endpoint::Client, to: "service".to_owned(), label: None };
    let proxy = Proxy::start(
        &host,
        host.listen(0).unwrap(),
        ProxyConfig { link, protocol: Protocol::TCP, seed: 1, nonce: None, most_connections: None },
    );
    proxy.point_at("127.0.0.1", service);
    let mut times = [const { [const { Vec::new() }; 3] }; 2];
    for _ in 0..rounds {
        for (index, port) in [service, bare, proxy.port()].into_iter().enumerate() {
            times[0][index].push(requests(&host, port).await);
            times[1][index].push(bulk(&host, port).await);
        }
    }
    let [[direct, bare, proxied], [_, bare_bulk, proxied_bulk]] = times.map(|of| of.map(median));
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(REQUESTS);
    println!("a request, one at a time: direct {:.1} us", micros(direct));
    println!("  bare copy {:.1} us, proxy {:.1} us: ratio {:.2}", micros(bare), micros(proxied), ratio(proxied, bare));
    let rate = |time: Duration| (2 * BULK) as f64 / time.as_secs_f64() / f64::from(1 << 20);
    println!("bulk, there and back:");
    println!(
        "  bare copy {:.0} MiB/s, proxy {:.0} MiB/s: ratio of times {:.2}",
        rate(bare_bulk),
        rate(proxied_bulk),
        ratio(proxied_bulk, bare_bulk)
    );
}

async fn requests(host: &Host, port: u16) -> Duration {
    let mut stream = host.dial("127.0.0.1", port).await.unwrap();
    let mut answer = [0; 100];
    let began = Instant::now();
    for _ in 0..REQUESTS {
        stream.write_all(&[7; 100]).await.unwrap();
        stream.read_exact(&mut answer).await.unwrap();
    }
    began.elapsed()
}

async fn bulk(host: &Host, port: u16) -> Duration {
    let mut stream = host.dial("127.0.0.1", port).await.unwrap();
    let (mut read, mut write) = stream.split();
    let (bytes, mut back) = (vec![7; BULK], vec![0; BULK]);
    let began = Instant::now();
    let (sent, got) = tokio::join!(write.write_all(&bytes), read.read_exact(&mut back));
    sent.and(got.map(|_| ())).unwrap();
    began.elapsed()
}
