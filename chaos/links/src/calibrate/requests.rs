//! A share of requests, where all of them come on one connection that is kept open.

use super::bench::{Failed, link};
use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{ArrivalId, Fault, Nonce, Protocol, Share, Target, arrival::BAGGAGE_KEY, effect::Status};
use host::{Host, Stream};
use std::io;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The response of the service, and of the proxy in its place; both are as long.
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// The status in the service's place.
const TAKEN: u16 = 503;

/// Number of requests, of so many one after the other on one connection, that a fault takes which is for a share of
/// them.
pub(super) async fn met(host: &Host, share: Share, requests: u64) -> Result<u64, Failed> {
    let mut listener = host.listen(0)?;
    let service = listener.port();
    let serving = host.spawn(async move {
        if let Ok(stream) = listener.accept().await {
            // Until the proxy goes, however it goes.
            let _ = respond(stream).await;
        }
    });
    let nonce = Nonce::of_seed(host.seed());
    let config = ProxyConfig {
        link: link(),
        protocol: Protocol::HTTP,
        seed: host.seed(),
        nonce: Some(nonce),
        most_connections: None,
    };
    let proxy = Proxy::start(host, host.listen(0)?, config);
    proxy.point_at("127.0.0.1", service);
    let effect = Status { status: TAKEN, body: String::new(), content_type: None };
    let fault = Fault { share, ..Fault::new("calibration", Target::Link(link()), effect) };
    if let Err(why) = proxy.send(Message::Apply(Box::new(fault))).await.applied() {
        return Err(Failed::Refused(why));
    }
    let mut stream = host.dial("127.0.0.1", proxy.port()).await?;
    let mut met = 0;
    for n in 0..requests {
        let arrival = ArrivalId { nonce, n, step: 0 };
        let request = format!("GET /calibration HTTP/1.1\r\nbaggage: {BAGGAGE_KEY}={arrival}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let head =
            head(&mut stream, &mut Vec::new()).await?.ok_or(io::ErrorKind::UnexpectedEof).map_err(io::Error::from)?;
        met += u64::from(status(&head) == Some(TAKEN));
    }
    serving.abort();
    Ok(met)
}

async fn respond(mut stream: Stream) -> io::Result<()> {
    let mut seen = Vec::new();
    while head(&mut stream, &mut seen).await?.is_some() {
        stream.write_all(RESPONSE).await?;
    }
    Ok(())
}

/// The next head, of a message without a body; none where there is no other.
async fn head(stream: &mut Stream, seen: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Some(seen.drain(..end + 4).collect()));
        }
        if stream.read_buf(seen).await? == 0 {
            return Ok(None);
        }
    }
}

/// The status of a response (RFC 9112, 4): what follows the version.
fn status(head: &[u8]) -> Option<u16> {
    std::str::from_utf8(head).ok()?.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use host::tcp;

    #[tokio::test]
    async fn all_and_none_are_met_as_asked() {
        let host = tcp::host(tcp::Config::loopback("calibrate")).unwrap();
        assert_eq!(met(&host, Share::ALL, 20).await.unwrap(), 20);
        assert_eq!(met(&host, Share { parts: 0, whole: 10 }, 20).await.unwrap(), 0);
        let half = met(&host, Share { parts: 1, whole: 2 }, 200).await.unwrap();
        assert_eq!(half, met(&host, Share { parts: 1, whole: 2 }, 200).await.unwrap(), "drawn, and drawn alike");
        assert!((1..200).contains(&half));
    }

    #[test]
    fn a_status_follows_the_version() {
        assert_eq!(status(RESPONSE), Some(200));
        assert_eq!(status(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"), Some(TAKEN));
        assert_eq!(status(b"nonsense"), None);
    }
}
