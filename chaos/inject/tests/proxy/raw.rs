//! Faults as the kernel sees them: a client and a service of std's sockets alone.

use crate::support::{REFUSE, apply, fault, link, remove};
use chaos_inject::{Proxy, ProxyConfig};
use chaos_model::effect::{Blackhole, HalfOpen, Hang, Limit, Reset, Slice};
use chaos_model::{Directions, Effect, Protocol};
use host::{TaskGroup, tcp};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::fd::AsRawFd as _,
    time::Duration,
};
use tokio::runtime::Runtime;

struct Raw {
    runtime: Runtime,
    tasks: TaskGroup,
    proxy: Proxy,
    service: TcpListener,
}

impl Raw {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = service.local_addr().unwrap().port();
        let (proxy, tasks) = runtime.block_on(async {
            let (host, tasks) = tcp::node(tcp::Config::loopback("proxy")).unwrap();
            let proxy = Proxy::start(
                &host,
                host.listen(0).unwrap(),
                ProxyConfig { link: link(), protocol: Protocol::TCP, seed: 1, nonce: None, most_connections: None },
            );
            proxy.point_at("127.0.0.1", port);
            (proxy, tasks)
        });
        Self { runtime, tasks, proxy, service }
    }

    /// Both ends of a connection through the proxy.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(("127.0.0.1", self.proxy.port())).unwrap();
        let (mut served, _) = self.service.accept().unwrap();
        for stream in [&client, &served] {
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        }
        let mut got = [0; 4];
        client.write_all(b"PING").unwrap();
        served.read_exact(&mut got).unwrap();
        served.write_all(b"PONG").unwrap();
        client.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"PONG");
        (client, served)
    }

    fn apply(&self, effect: Effect) {
        self.runtime.block_on(apply(&self.proxy, fault("fault", effect)));
    }
}

/// A FIN would show as `Ok(0)`.
fn assert_reset(stream: &mut TcpStream) {
    assert_eq!(stream.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
}

fn assert_silent(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
    assert_eq!(stream.read(&mut [0]).map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
}

#[test]
fn a_reset_after_bytes_comes_after_exactly_these_and_is_no_fin() {
    let raw = Raw::start();
    let (mut client, mut served) = raw.connect();
    raw.apply(Reset { after: Duration::ZERO, after_bytes: Some(7), direction: Directions::Downstream }.into());
    served.write_all(b"before and after").unwrap();
    let mut got = [0; 7];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"before ");
    assert_reset(&mut client);
    assert_reset(&mut served);
}

#[test]
fn a_limit_is_a_fin_and_no_reset_though_bytes_are_left_unread() {
    let raw = Raw::start();
    let (mut client, mut served) = raw.connect();
    raw.apply(Limit { bytes: 7, direction: Directions::Downstream }.into());
    client.write_all(&[7; 200_000]).unwrap();
    served.write_all(b"before and after").unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).unwrap();
    assert_eq!(got, b"before ");
    // What had passed the other way is read before its end, too.
    served.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn the_dead_direction_of_a_half_open_connection_ends_neither_way() {
    let raw = Raw::start();
    let (mut client, mut served) = raw.connect();
    raw.apply(HalfOpen { direction: Directions::Upstream }.into());
    client.write_all(b"unheard").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert_silent(&mut served);
    served.write_all(b"heard").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn each_slice_is_a_segment_of_its_own() {
    let raw = Raw::start();
    let (mut client, mut served) = raw.connect();
    let before = segments(&client);
    served.write_all(&[7; 500]).unwrap();
    client.read_exact(&mut [0; 500]).unwrap();
    assert!(segments(&client) - before <= 2, "whole without the fault");
    raw.apply(
        Slice { size: 10, variation: 0, gap: Duration::from_millis(1), direction: Directions::Downstream }.into(),
    );
    let before = segments(&client);
    served.write_all(&[7; 500]).unwrap();
    client.read_exact(&mut [0; 500]).unwrap();
    let slices = segments(&client) - before;
    assert!(slices >= 50, "{slices} segments");
}

/// Segments with bytes in them that have come: `tcpi_data_segs_in` of `TCP_INFO` (linux/tcp.h).
#[expect(unsafe_code, reason = "the standard library does not tell")]
fn segments(stream: &TcpStream) -> u32 {
    const DATA_SEGS_IN: usize = 152;
    let mut info = [0_u8; 256];
    let mut length = 256;
    // SAFETY: the pointer and length describe `info`; the kernel writes at most so many bytes.
    let result = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    assert_eq!(result, 0);
    u32::from_ne_bytes(info[DATA_SEGS_IN..DATA_SEGS_IN + 4].try_into().unwrap())
}

#[test]
fn open_connections_get_a_reset_and_no_fin_on_both_sides() {
    for effect in
        [REFUSE, Effect::Reset(Reset::after(Duration::ZERO)), Effect::Reset(Reset::after(Duration::from_millis(30)))]
    {
        let raw = Raw::start();
        let (mut client, mut served) = raw.connect();
        raw.apply(effect);
        assert_reset(&mut client);
        assert_reset(&mut served);
    }
}

#[test]
fn a_held_connection_neither_closes_nor_answers_on_either_side() {
    for effect in [Effect::Hang(Hang {}), Effect::Blackhole(Blackhole {})] {
        let raw = Raw::start();
        let (mut client, mut served) = raw.connect();
        raw.apply(effect);
        client.write_all(b"PING").unwrap();
        served.write_all(b"late").unwrap();
        assert_silent(&mut client);
        assert_silent(&mut served);
        assert_eq!(raw.runtime.block_on(remove(&raw.proxy, "fault")).chunks, 2);
        let mut got = [0; 4];
        served.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"PING");
        client.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"late");
    }
}

#[test]
fn the_end_of_one_side_while_held_stays_hidden_from_the_other() {
    let raw = Raw::start();
    let (client, mut served) = raw.connect();
    raw.apply(Effect::Hang(Hang {}));
    drop(client);
    assert_silent(&mut served);
    raw.runtime.block_on(remove(&raw.proxy, "fault"));
    assert_eq!(served.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_a_service_sent_before_it_reset_arrives_and_then_the_reset() {
    let raw = Raw::start();
    let (mut client, mut served) = raw.connect();
    // Bytes left unread when a socket is closed make it a reset (RFC 1122, 4.2.2.13).
    client.write_all(b"unread").unwrap();
    served.peek(&mut [0]).unwrap();
    served.write_all(b"bye").unwrap();
    let mut got = [0; 3];
    client.read_exact(&mut got).unwrap();
    drop(served);
    assert_reset(&mut client);
}

#[test]
fn a_client_that_resets_resets_the_service() {
    let raw = Raw::start();
    let (client, mut served) = raw.connect();
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    assert_reset(&mut served);
}

#[test]
fn a_reset_that_shows_in_a_write_alone_is_passed_on_all_the_same() {
    // The kernel reports it once: the write that meets it fails, and the read after that sees a plain end.
    let raw = Raw::start();
    let (mut client, served) = raw.connect();
    raw.tasks.freeze();
    socket2::SockRef::from(&served).set_linger(Some(Duration::ZERO)).unwrap();
    drop(served);
    client.write_all(b"PING").unwrap();
    raw.tasks.thaw();
    assert_reset(&mut client);
}
