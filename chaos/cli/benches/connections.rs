//! Memory of open connections of the network in memory, both their ends: the allocations' maximum, over their number.
//!
//! `cargo bench -p chaos-cli --bench connections`.

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use host::memory::MemoryNetwork;
use std::io;

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

#[divan::bench(args = [1000, 10_000], sample_count = 5, sample_size = 1)]
fn connections(bencher: Bencher<'_, '_>, count: u64) {
    bencher.counter(ItemsCount::new(count)).bench(|| {
        chaos_sim::block_on(async move {
            let network = MemoryNetwork::new(1);
            let (a, b) = (network.host("a"), network.host("b"));
            let mut listener = b.listen(80)?;
            let mut open = Vec::new();
            for _ in 0..count {
                open.push((a.dial("b", 80).await?, listener.accept().await?));
            }
            Ok::<_, io::Error>(open.len())
        })
    });
}
