//! What the kernel sees of a fault: a client and a node of std's sockets alone.

use crate::support::{REFUSE, apply, fault, link, remove};
use chaos_inject::{Proxy, ProxyConfig};
use chaos_model::Effect;
use chaos_model::Protocol;
use chaos_model::effect::{Blackhole, Hang, Reset};
use host::{TaskGroup, tcp};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};
use tokio::runtime::Runtime;

struct Raw {
    runtime: Runtime,
    tasks: TaskGroup,
    proxy: Proxy,
    node: TcpListener,
}

impl Raw {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let node = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = node.local_addr().unwrap().port();
        let (proxy, tasks) = runtime.block_on(async {
            let (host, tasks) = tcp::node(tcp::Config::loopback("proxy")).unwrap();
            let proxy = Proxy::start(
                &host,
                host.listen(0).unwrap(),
                ProxyConfig { link: link(), protocol: Protocol::Tcp, seed: 1 },
            );
            proxy.point_at("127.0.0.1", port);
            (proxy, tasks)
        });
        Self { runtime, tasks, proxy, node }
    }

    /// Both ends of a connection through the proxy.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let mut client = TcpStream::connect(("127.0.0.1", self.proxy.port())).unwrap();
        let (mut served, _) = self.node.accept().unwrap();
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
fn what_a_node_sent_before_it_reset_arrives_and_then_the_reset() {
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
fn a_client_that_resets_resets_the_node() {
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
