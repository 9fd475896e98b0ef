//! The parts that benchmarks share: rounds, servers, and the comparison of times.

use host::{Host, Listener, Stream};
use std::time::Duration;

/// Runs a benchmark in so many rounds. Without `--bench` (as `cargo test --benches` calls it) it only shows that it
/// works.
pub(crate) fn run<F: Future<Output = ()>>(measure: impl FnOnce(usize) -> F) {
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 15 } else { 1 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(rounds));
}

/// Serves each connection in a task of its own; the port.
pub(crate) fn serve<F>(host: &Host, each: impl Fn(Host, Stream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut listener: Listener = host.listen(0).unwrap();
    let (port, serving) = (listener.port(), host.clone());
    drop(host.spawn(async move {
        while let Ok(stream) = listener.accept().await {
            drop(serving.spawn(each(serving.clone(), stream)));
        }
    }));
    port
}

/// The thing that a proxy is compared with: bytes copied to a service and back (`tokio::io::copy_bidirectional`). Gives
/// its port.
pub(crate) fn bare_copy(host: &Host, service: u16) -> u16 {
    serve(host, move |host, mut stream| async move {
        let mut upstream = host.dial("127.0.0.1", service).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
    })
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

pub(crate) fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}
