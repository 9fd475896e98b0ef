//! Behaviour that only TCP can show: what is on the wire, as plain sockets of the standard library see it.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

use host::{Host, ListenMode, tcp};
use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn host(bind: impl Into<IpAddr>) -> Host {
    tcp::host(tcp::Config { bind: bind.into(), ..tcp::Config::loopback("test") }).unwrap()
}

/// A plain client of a listener, and the host's end of the connection. Both have been used.
async fn open_connection() -> (TcpStream, host::Stream) {
    let mut listener = host(Ipv4Addr::LOCALHOST).listen(0).unwrap();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut server = listener.accept().await.unwrap();
    client.write_all(b"ping").unwrap();
    server.read_exact(&mut [0; 4]).await.unwrap();
    server.write_all(b"pong").await.unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    (client, server)
}

#[tokio::test]
async fn connections_that_would_take_what_is_set_apart_are_neither_taken_nor_made() {
    // All descriptors are.
    let host = tcp::host(tcp::Config { reserve: u64::MAX, ..tcp::Config::loopback("poor") }).unwrap();
    let mut listener = host.listen(0).unwrap();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
    assert_eq!(listener.accept().await.unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
    let there = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let error = host.dial("127.0.0.1", there.local_addr().unwrap().port()).await.unwrap_err();
    assert!(tcp::is_exhaustion(&error), "{error}");
}

#[tokio::test]
async fn an_abort_is_a_reset() {
    let (mut client, server) = open_connection().await;
    server.abort();
    let error = client.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
}

#[tokio::test]
async fn an_abort_after_a_split_is_a_reset() {
    let (client, mut server) = open_connection().await;
    {
        let (_read, mut write) = server.split();
        write.write_all(b"x").await.unwrap();
    }
    server.abort();
    // Seen without reading: the error is on the socket before what has arrived is read.
    let pending = loop {
        if let Some(error) = client.take_error().unwrap() {
            break error;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(pending.raw_os_error(), Some(libc::ECONNRESET));
}

#[tokio::test]
async fn what_has_not_arrived_is_unsent() {
    let (mut client, mut server) = open_connection().await;
    assert_eq!(server.unsent(), 0);
    // Far more than both kernels' buffers take together.
    let bytes = vec![7; 64 << 20];
    let mut written = 0;
    while let Ok(count) = tokio::time::timeout(Duration::from_millis(200), server.write(&bytes[written..])).await {
        written += count.unwrap();
    }
    assert!(server.unsent() > 0 && server.unsent() < written);
    let reading = std::thread::spawn(move || client.read_exact(&mut vec![0; written]).map(|()| client));
    while server.unsent() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut client = reading.join().unwrap().unwrap();
    server.abort();
    assert_eq!(client.read(&mut [0; 1]).unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
}

#[tokio::test]
async fn a_drop_is_an_end_and_no_reset() {
    let (mut client, server) = open_connection().await;
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    assert!(client.take_error().unwrap().is_none());
}

#[tokio::test]
async fn an_abort_at_the_client_is_a_reset() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = host(Ipv4Addr::LOCALHOST).dial("127.0.0.1", port).await.unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.abort();
    assert_eq!(server.read(&mut [0; 1]).unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
}

/// Servers of the standard library and of tokio set `SO_REUSEADDR`, as we do: none may get in, whatever the mode is.
#[tokio::test]
async fn no_other_program_gets_a_port_that_we_have() {
    let host = host(Ipv4Addr::LOCALHOST);
    let first = host.listen(0).unwrap();
    let port = first.port();
    drop(first);
    // By its number as well as chosen by the kernel.
    for listener in [host.listen(port).unwrap(), host.listen(0).unwrap()] {
        for mode in
            [ListenMode::Accept, ListenMode::Refuse, ListenMode::Hang, ListenMode::Blackhole, ListenMode::Refuse]
        {
            listener.control().set(mode).unwrap();
            let other = TcpListener::bind((Ipv4Addr::LOCALHOST, listener.port()));
            assert_eq!(other.unwrap_err().kind(), io::ErrorKind::AddrInUse, "{mode:?}");
        }
        listener.control().set(ListenMode::Accept).unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, listener.port())).unwrap();
    }
}

#[tokio::test]
async fn localhost_is_either_loopback() {
    // Without IPv6 on the machine there is nothing to show.
    let loopbacks: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for bind in loopbacks {
        if TcpListener::bind((bind, 0)).is_err() {
            continue;
        }
        let host = host(bind);
        let mut listener = host.listen(0).unwrap();
        for name in ["localhost".to_owned(), bind.to_string()] {
            let mut client = host.dial(&name, listener.port()).await.unwrap();
            client.write_all(b"x").await.unwrap();
            listener.accept().await.unwrap().read_exact(&mut [0]).await.unwrap();
        }
    }
}

/// Filters and refusals work on IPv6 sockets, too.
#[tokio::test]
async fn answers_hold_on_ipv6() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return;
    }
    let host = host(Ipv6Addr::LOCALHOST);
    let mut listener = host.listen(0).unwrap();
    let control = listener.control();
    control.set(ListenMode::Refuse).unwrap();
    let refused = host.dial("::1", listener.port()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    control.set(ListenMode::Blackhole).unwrap();
    let dial = host.dial("::1", listener.port());
    assert!(tokio::time::timeout(Duration::from_millis(200), dial).await.is_err());
    assert_eq!(control.turned_away().dropped, 1);
    control.set(ListenMode::Accept).unwrap();
    host.dial("::1", listener.port()).await.unwrap();
    listener.accept().await.unwrap();
}

/// A process shows what it takes of its machine, by the names that Prometheus's own client libraries give.
#[tokio::test]
async fn a_host_shows_its_process() {
    let families = host(Ipv4Addr::LOCALHOST).metrics().gather();
    let gauge = |name: &str| {
        let family = families.iter().find(|family| family.name() == name);
        family.map_or(0.0, |family| family.get_metric()[0].get_gauge().get_value())
    };
    assert!(gauge("process_resident_memory_bytes") > 1e6);
    assert!(gauge("process_open_fds") >= 3.0);
}

#[tokio::test]
async fn entropy_is_another_each_time_and_in_memory_the_seed() {
    let host = tcp::host(tcp::Config { seed: 7, ..tcp::Config::loopback("here") }).unwrap();
    assert_ne!(host.entropy().unwrap(), host.entropy().unwrap());
    let simulated = host::memory::MemoryNetwork::new(7).host("here");
    assert_eq!([simulated.entropy().unwrap(), simulated.entropy().unwrap()], [7, 7]);
}
