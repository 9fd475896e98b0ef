//! What connections begin with, where nothing else of them is read.

use crate::support::{World, pass};
use chaos_model::Protocol;
use std::collections::BTreeMap;

conformance!(counts_what_connections_begin_with);

async fn counts_what_connections_begin_with(world: &World) {
    let mut listener = world.service.listen(0).unwrap();
    let proxy = world.lone_proxy();
    proxy.point_at(world.service_name(), listener.port());
    let hello: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";
    for (client_begins, first) in
        [(true, hello), (true, b"GET / HTTP/1.1\r\n\r\n"), (true, hello), (false, b"INFO {}\r\n"), (false, b"\0")]
    {
        let (mut client, mut served) = world.connect(&proxy, &mut listener).await;
        let (from, to) = if client_begins { (&mut client, &mut served) } else { (&mut served, &mut client) };
        pass(from, to, first).await;
        // Only the first words count.
        pass(to, from, b"PRI * HTTP/2.0\r\n\r\n").await;
    }
    // One on which nobody says anything.
    let _silent = world.connect(&proxy, &mut listener).await;
    let expected = [("tls", 2), ("http", 1), ("nats", 1), ("unknown", 1)];
    let expected: BTreeMap<String, u64> = expected.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    assert_eq!((proxy.counts().begins, proxy.counts().connections), (expected, 6));
    let read = world.proxy_of(Protocol::HTTP);
    read.point_at(world.service_name(), listener.port());
    let (mut client, mut served) = world.connect(&read, &mut listener).await;
    pass(&mut client, &mut served, hello).await;
    assert_eq!(read.counts().begins, BTreeMap::new(), "what is read is told otherwise");
}
