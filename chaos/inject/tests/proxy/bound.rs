//! The bound of a link's connections.

use crate::support::{World, ask};

conformance!(resets_and_counts_connections_beyond_the_bound);

async fn resets_and_counts_connections_beyond_the_bound(world: &World) {
    let proxy = world.bounded_proxy(2);
    let mut open = world.open(&proxy).await;
    let other = world.open(&proxy).await;
    for _ in 0..2 {
        world.assert_reset_on_dial(&proxy).await;
    }
    let counts = proxy.counts();
    assert_eq!((counts.connections, counts.turned_away), (2, 2));
    ask(&mut open, b"still there").await.unwrap();
    drop(other);
    world.await_connections(&proxy, 1).await;
    world.open(&proxy).await;
}
