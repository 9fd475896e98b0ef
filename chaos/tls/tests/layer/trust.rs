//! Who believes whom.

use crate::support::{Tunnel, World, echo};
use chaos_model::Protocol;
use chaos_tls::{Authority, Trust};
use std::{sync::Arc, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

conformance!(
    a_service_of_an_unknown_authority_is_not_believed,
    a_service_of_another_name_is_not_believed,
    a_service_without_tls_is_told_of,
    a_machine_of_its_own_asks_past_the_proxy,
);

/// Sends a word there and back; none where that fails.
async fn word(world: &World, tunnel: &Tunnel, name: &str) -> Option<()> {
    let config = world.believing(&world.authority.pem());
    // The client's own handshake needs no service, but ends with that.
    let mut client = world.connect_as(tunnel, name, config).await.ok()?;
    client.write_all(b"word").await.ok()?;
    client.flush().await.ok()?;
    client.read_exact(&mut [0; 4]).await.ok().map(drop)
}

/// The only doubt.
fn doubt(tunnel: &Tunnel) -> String {
    let mut doubts = tunnel.layer.doubts();
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    doubts.remove(0)
}

async fn a_service_of_an_unknown_authority_is_not_believed(world: &World) {
    let other = Authority::new(&world.service).unwrap();
    let issued = other.issue("up").unwrap();
    let port = world.serve_as(&issued, &[], echo);
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(port));
    assert_eq!(word(world, &tunnel, "localhost").await, None);
    let why = doubt(&tunnel);
    assert!(why.starts_with("TLS failed on 1 connection of app -> up: its certificate is not to be believed"), "{why}");
    assert!(why.contains("UnknownIssuer") && why.contains("`tls.ca = \"cert.pem\"` in [service.up]"), "{why}");
    let own = issued.certificate.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    for (trust, name, is_believed) in [
        (Trust::default().with(other.pem().as_bytes()).unwrap(), "localhost", true),
        (Trust::default().with(other.pem().as_bytes()).unwrap(), "elsewhere.example", false),
        (Trust::default().with(own.as_bytes()).unwrap(), "elsewhere.example", true),
        (Trust::insecure(), "elsewhere.example", true),
    ] {
        let tunnel = world.link(Protocol::TCP, trust, Some(port));
        assert_eq!(word(world, &tunnel, name).await.is_some(), is_believed, "{:?}", tunnel.layer.doubts());
    }
    Trust::default().with(b"no certificate").unwrap_err();
}

async fn a_service_of_another_name_is_not_believed(world: &World) {
    let port = world.serve(echo);
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(port));
    for name in ["localhost", "up", "127.0.0.1"] {
        assert_eq!(word(world, &tunnel, name).await, Some(()), "{name}");
    }
    assert_eq!(word(world, &tunnel, "elsewhere.example").await, None);
    assert!(doubt(&tunnel).contains("elsewhere.example"), "{}", doubt(&tunnel));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_that_has_expired_is_not_believed() {
    let world = World::memory();
    let old = Authority::new(&world.service).unwrap();
    let (issued, pem) = (old.issue("up").unwrap(), old.pem());
    world.client.sleep(Duration::from_secs(31 * 24 * 3600)).await;
    let port = world.serve_as(&issued, &[], echo);
    let authority = Arc::new(Authority::new(&world.proxy).unwrap());
    let world = World { authority, ..world };
    let tunnel = world.link(Protocol::TCP, Trust::default().with(pem.as_bytes()).unwrap(), Some(port));
    assert_eq!(word(&world, &tunnel, "localhost").await, None);
    assert!(doubt(&tunnel).contains("Expired") || doubt(&tunnel).contains("expired"), "{}", doubt(&tunnel));
}

// Over TCP alone: the client's library tries to send its alert once, and in memory gets no further than what comes before that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_believe_the_run_is_told_of() {
    let world = World::tcp();
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(world.serve(echo)));
    let other = Authority::new(&world.client).unwrap();
    let stream = world.client.dial(&world.names.0, tunnel.proxy.port()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(world.believing(&other.pem())));
    let connecting = connector.connect(ServerName::try_from("localhost").unwrap(), stream).into_fallible();
    // It leaves in good order: a reset would take its alert with it.
    let (_, mut stream) = connecting.await.err().unwrap();
    stream.shutdown().await.unwrap();
    while tunnel.layer.doubts().is_empty() {
        world.client.sleep(Duration::from_millis(1)).await;
    }
    let why = doubt(&tunnel);
    assert!(why.contains("the client does not believe the run's authority") && why.contains("`{run.ca}`"), "{why}");
}

async fn a_machine_of_its_own_asks_past_the_proxy(world: &World) {
    let other = Authority::new(&world.service).unwrap();
    let name = &world.names.1;
    for (issued, believed) in [(world.authority.issue(name).unwrap(), true), (other.issue(name).unwrap(), false)] {
        let port = world.serve_as(&issued, &[], echo);
        let asks = world.authority.secured(&world.client, "up", Protocol::HTTP, Trust::default());
        let asked = asks.dial(name, port).await;
        assert_eq!(asked.is_ok(), believed);
        match asked {
            Ok(mut stream) => {
                stream.write_all(b"word").await.unwrap();
                stream.flush().await.unwrap();
                let mut got = [0; 4];
                stream.read_exact(&mut got).await.unwrap();
                assert_eq!(&got, b"word");
            }
            Err(error) => {
                let why = error.to_string();
                assert!(why.contains("its certificate is not to be believed") && why.contains("[service.up]"), "{why}");
            }
        }
    }
}

async fn a_service_without_tls_is_told_of(world: &World) {
    let mut listener = world.service.listen(0).unwrap();
    let port = listener.port();
    drop(world.service.spawn(async move {
        let mut stream = listener.accept().await.unwrap();
        stream.write_all(b"220 no TLS here\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }));
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(port));
    assert_eq!(word(world, &tunnel, "localhost").await, None);
    assert_eq!(tunnel.layer.doubts(), Vec::<String>::new(), "without a proxy it would have failed too");
}
