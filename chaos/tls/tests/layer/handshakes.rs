//! Faults of TLS itself, as a client sees them.

use crate::support::{Tunnel, World, apply, echo, rest};
use chaos_inject::{Message, Reply};
use chaos_model::{
    Protocol,
    effect::{
        Alert, Certificate, CertificateFlaw, HandshakeAlert, HandshakeDelay, HandshakeHang, HandshakeReset,
        NoCloseNotify, ProtocolVersion, TlsVersion,
    },
};
use chaos_tls::Trust;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};
use tokio_rustls::rustls::{self, CertificateError, Error, version};

conformance!(
    each_flaw_is_seen_as_what_it_is,
    a_renewed_certificate_is_another,
    a_session_of_before_hides_no_flaw,
    a_handshake_is_reset,
    a_handshake_is_refused_with_an_alert,
    a_handshake_is_late,
    a_handshake_hangs_until_the_fault_is_over,
    one_version_alone_is_spoken,
    an_end_is_not_announced,
);

fn tunnel(world: &World) -> Tunnel {
    world.link(Protocol::TCP, Trust::default(), Some(world.serve(echo)))
}

async fn clear(tunnel: &Tunnel) {
    assert_eq!(tunnel.proxy.send(Message::Clear).await, Reply::Done);
}

/// The reason in the client's library for which it does not connect.
async fn refusal(world: &World, tunnel: &Tunnel) -> Error {
    let config = world.believing(&world.authority.pem());
    let error = world.connect_as(tunnel, "localhost", config).await.expect_err("it is refused");
    let inner = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    inner.unwrap_or_else(|| panic!("{error}")).clone()
}

/// Waits until the fault has acted on one handshake, and asserts that it was on no more: the client may know of it first.
async fn has_fired_once(tunnel: &Tunnel) {
    let fired = || {
        let fired = tunnel.proxy.fired()["it"];
        (fired.messages, fired.connections)
    };
    let acted = async {
        while fired().0 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let acted = tokio::time::timeout(Duration::from_secs(10), acted).await;
    assert!(acted.is_ok() && fired() == (1, 1), "{:?}", fired());
}

/// Says a word, and hears it.
async fn works(client: &mut crate::support::Client) {
    client.write_all(b"word").await.unwrap();
    client.flush().await.unwrap();
    let mut got = [0; 4];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"word");
}

async fn each_flaw_is_seen_as_what_it_is(world: &World) {
    let tunnel = tunnel(world);
    let mut open = world.connect(&tunnel).await;
    works(&mut open).await;
    for (_, certificate) in CertificateFlaw::ALL {
        if certificate == CertificateFlaw::Renewed {
            continue;
        }
        apply(&tunnel, Certificate { certificate }).await;
        let Error::InvalidCertificate(why) = refusal(world, &tunnel).await else { panic!("{certificate:?}") };
        let is_right = match certificate {
            CertificateFlaw::Expired => {
                matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. })
            }
            CertificateFlaw::NotYetValid => {
                matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. })
            }
            CertificateFlaw::WrongName => {
                matches!(why, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })
            }
            CertificateFlaw::UnknownAuthority | CertificateFlaw::SelfSigned => {
                matches!(why, CertificateError::UnknownIssuer)
            }
            CertificateFlaw::Renewed => false,
        };
        assert!(is_right, "{certificate:?}: {why:?}");
        has_fired_once(&tunnel).await;
        clear(&tunnel).await;
    }
    assert_eq!(tunnel.layer.doubts(), Vec::<String>::new(), "that is the faults' doing");
    works(&mut open).await;
    works(&mut world.connect(&tunnel).await).await;
}

async fn a_renewed_certificate_is_another(world: &World) {
    let tunnel = tunnel(world);
    let shown = |client: &crate::support::Client| client.get_ref().1.peer_certificates().unwrap()[0].clone();
    let (first, again) = (shown(&world.connect(&tunnel).await), shown(&world.connect(&tunnel).await));
    assert_eq!(first, again);
    apply(&tunnel, Certificate { certificate: CertificateFlaw::Renewed }).await;
    let mut client = world.connect(&tunnel).await;
    assert_ne!(shown(&client), first);
    works(&mut client).await;
}

async fn a_session_of_before_hides_no_flaw(world: &World) {
    let tunnel = tunnel(world);
    let config = world.believing(&world.authority.pem());
    for resumed in [false, true] {
        let mut client = world.connect_as(&tunnel, "localhost", config.clone()).await.unwrap();
        works(&mut client).await;
        let kind = client.get_ref().1.handshake_kind();
        assert_eq!(kind == Some(rustls::HandshakeKind::Resumed), resumed, "{kind:?}");
    }
    apply(&tunnel, Certificate { certificate: CertificateFlaw::Expired }).await;
    world.connect_as(&tunnel, "localhost", config).await.unwrap_err();
}

async fn a_handshake_is_reset(world: &World) {
    let tunnel = tunnel(world);
    apply(&tunnel, HandshakeReset {}).await;
    let config = world.believing(&world.authority.pem());
    let error = world.connect_as(&tunnel, "localhost", config).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    has_fired_once(&tunnel).await;
}

async fn a_handshake_is_refused_with_an_alert(world: &World) {
    let tunnel = tunnel(world);
    for (name, expected) in [
        ("unrecognized_name", rustls::AlertDescription::UnrecognisedName),
        ("internal_error", rustls::AlertDescription::InternalError),
    ] {
        apply(&tunnel, HandshakeAlert { alert: Alert::of(name).unwrap() }).await;
        assert_eq!(refusal(world, &tunnel).await, Error::AlertReceived(expected));
        clear(&tunnel).await;
    }
    works(&mut world.connect(&tunnel).await).await;
}

async fn a_handshake_is_late(world: &World) {
    let tunnel = tunnel(world);
    let late = Duration::from_millis(200);
    apply(&tunnel, HandshakeDelay { delay: late }).await;
    let began = Instant::now();
    let mut client = world.connect(&tunnel).await;
    assert!(began.elapsed() >= late, "{:?}", began.elapsed());
    let began = Instant::now();
    works(&mut client).await;
    assert!(began.elapsed() < late, "what is inside is not: {:?}", began.elapsed());
}

async fn a_handshake_hangs_until_the_fault_is_over(world: &World) {
    let tunnel = tunnel(world);
    apply(&tunnel, HandshakeHang {}).await;
    let mut connecting = std::pin::pin!(world.connect(&tunnel));
    let waited = tokio::time::timeout(Duration::from_millis(100), &mut connecting).await;
    assert!(waited.is_err(), "it connects");
    clear(&tunnel).await;
    works(&mut connecting.await).await;
}

async fn one_version_alone_is_spoken(world: &World) {
    let tunnel = tunnel(world);
    let spoken = async |world: &World| world.connect(&tunnel).await.get_ref().1.protocol_version().unwrap();
    assert_eq!(spoken(world).await, rustls::ProtocolVersion::TLSv1_3);
    apply(&tunnel, TlsVersion { version: ProtocolVersion::Tls12 }).await;
    assert_eq!(spoken(world).await, rustls::ProtocolVersion::TLSv1_2);
    let config = world.believing_with(&world.authority.pem(), &[&version::TLS13]);
    let error = world.connect_as(&tunnel, "localhost", config).await.unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

async fn an_end_is_not_announced(world: &World) {
    let tunnel = tunnel(world);
    let mut client = world.connect(&tunnel).await;
    works(&mut client).await;
    apply(&tunnel, NoCloseNotify { bytes: 4 }).await;
    client.write_all(b"last and more").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(rest(&mut client).await, (b"last".to_vec(), Err(io::ErrorKind::UnexpectedEof)));
}
