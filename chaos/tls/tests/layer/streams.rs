//! What passes: bytes, ends, protocols, names.

use crate::support::{Served, Tunnel, World, echo, rest, text};
use chaos_model::Protocol;
use chaos_tls::Trust;
use std::{io::ErrorKind, sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, pki_types::ServerName, version::TLS12},
};

conformance!(
    large_bodies_pass_both_ways_and_halves_close,
    an_end_without_a_word_is_passed_on_as_such,
    an_end_with_a_word_is_passed_on_as_such,
    the_protocol_that_can_be_read_is_chosen,
    a_silent_client_and_a_slow_one_hold_up_nobody,
    what_is_no_tls_gets_an_alert,
    sessions_are_resumed,
    older_clients_are_served,
);

fn plain(world: &World, port: u16) -> Tunnel {
    world.link(Protocol::TCP, Trust::default(), Some(port))
}

async fn large_bodies_pass_both_ways_and_halves_close(world: &World) {
    let tunnel = plain(world, world.serve(echo));
    let client = world.connect(&tunnel).await;
    let (mut read, mut write) = tokio::io::split(client);
    let sent = text(3 << 20);
    let all = sent.clone();
    let writing = async move {
        write.write_all(&all).await.unwrap();
        write.shutdown().await.unwrap();
        write
    };
    // The service sends its last after the client has ended its half.
    let (_write, (got, end)) = tokio::join!(writing, rest(&mut read));
    assert!(got == sent, "{} bytes came of {}", got.len(), sent.len());
    assert_eq!(end, Ok(()));
    assert_eq!(tunnel.layer.doubts(), Vec::<String>::new());
}

/// Says a word, and ends TCP without saying so in TLS.
async fn cut(mut stream: Served) {
    stream.write_all(b"word").await.unwrap();
    stream.flush().await.unwrap();
    let (mut below, _) = stream.into_inner();
    below.shutdown().await.unwrap();
    let _ = below.read(&mut [0]).await;
}

async fn an_end_without_a_word_is_passed_on_as_such(world: &World) {
    let tunnel = plain(world, world.serve(cut));
    let mut client = world.connect(&tunnel).await;
    assert_eq!(rest(&mut client).await, (b"word".to_vec(), Err(ErrorKind::UnexpectedEof)));
}

async fn closes(mut stream: Served) {
    stream.write_all(b"word").await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read(&mut [0]).await;
}

async fn an_end_with_a_word_is_passed_on_as_such(world: &World) {
    let tunnel = plain(world, world.serve(closes));
    let mut client = world.connect(&tunnel).await;
    assert_eq!(rest(&mut client).await, (b"word".to_vec(), Ok(())));
}

/// Says which protocol was agreed on, and which name was asked for.
async fn tells(mut stream: Served) {
    let (_, connection) = stream.get_ref();
    let protocol = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    let told = format!("{} {}", protocol.as_deref().unwrap_or("-"), connection.server_name().unwrap_or("-"));
    stream.write_all(told.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read(&mut [0]).await;
}

async fn the_protocol_that_can_be_read_is_chosen(world: &World) {
    let issued = world.authority.issue("up").unwrap();
    let port = world.serve_as(&issued, &["h2", "http/1.1", "postgresql"], tells);
    for (protocol, name, offered, expected) in [
        (Protocol::HTTP, "localhost", &["h2", "http/1.1"][..], "http/1.1 localhost"),
        (Protocol::HTTP, "up", &["h2"][..], "h2 up"),
        (Protocol::HTTP, "127.0.0.1", &[][..], "- -"),
        (Protocol::TCP, "localhost", &["postgresql", "http/1.1"][..], "postgresql localhost"),
    ] {
        let tunnel = world.link(protocol, Trust::default(), Some(port));
        let mut config = world.believing(&world.authority.pem());
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut client = world.connect_as(&tunnel, name, config).await.unwrap();
        let chosen = client.get_ref().1.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        let (told, end) = rest(&mut client).await;
        assert_eq!((String::from_utf8(told).unwrap().as_str(), end), (expected, Ok(())), "{offered:?}");
        assert_eq!(chosen.as_deref().unwrap_or("-"), expected.split(' ').next().unwrap(), "both sides agree");
    }
}

async fn a_silent_client_and_a_slow_one_hold_up_nobody(world: &World) {
    let tunnel = plain(world, world.serve(echo));
    let dial = || world.client.dial(&world.names.0, tunnel.proxy.port());
    let (_silent, mut slow) = (dial().await.unwrap(), dial().await.unwrap());
    // The beginning of a record with a handshake, and nothing more of it.
    slow.write_all(&[22, 3, 1, 2, 0, 1, 0, 1]).await.unwrap();
    let mut client = world.connect(&tunnel).await;
    client.write_all(b"hello").await.unwrap();
    let mut got = [0; 5];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"hello");
    assert_eq!(tunnel.proxy.connections(), 3, "they wait still");
}

async fn what_is_no_tls_gets_an_alert(world: &World) {
    let tunnel = plain(world, world.serve(echo));
    let mut client = world.client.dial(&world.names.0, tunnel.proxy.port()).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: up\r\n\r\n").await.unwrap();
    let (got, end) = rest(&mut client).await;
    assert_eq!((got.first(), end), (Some(&21), Ok(())), "an alert: {got:?}");
    assert_eq!(
        tunnel.layer.doubts(),
        Vec::<String>::new(),
        "it would not have been served without TLS ended here either"
    );
}

async fn sessions_are_resumed(world: &World) {
    let tunnel = plain(world, world.serve(echo));
    let connector = TlsConnector::from(Arc::new(world.believing(&world.authority.pem())));
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let stream = world.client.dial(&world.names.0, tunnel.proxy.port()).await.unwrap();
        let mut client = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        // Tickets come before what is read here.
        client.read_exact(&mut [0; 5]).await.unwrap();
        kinds.push(client.get_ref().1.handshake_kind().unwrap());
        client.shutdown().await.unwrap();
    }
    assert_eq!(kinds, [HandshakeKind::Full, HandshakeKind::Resumed]);
}

async fn older_clients_are_served(world: &World) {
    let tunnel = plain(world, world.serve(echo));
    let mut config = world.believing(&world.authority.pem());
    config.alpn_protocols.clear();
    let builder = ClientConfig::builder_with_provider(config.crypto_provider().clone());
    let builder = builder.with_protocol_versions(&[&TLS12]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(crate::support::certificates(&world.authority.pem()));
    let mut older = builder.with_root_certificates(roots).with_no_client_auth();
    older.time_provider = config.time_provider;
    let mut client = world.connect_as(&tunnel, "localhost", older).await.unwrap();
    assert_eq!(client.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    client.write_all(b"hello").await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();
    // Nothing more comes: it waits for the client.
    let silence = tokio::time::timeout(Duration::from_millis(20), client.read(&mut [0])).await;
    assert!(silence.is_err(), "{silence:?}");
}
