//! Faults on links whose protocol is below TLS.

use crate::support::{Client, World, apply, echo, http};
use chaos_model::{
    Directions, Protocol, Spread,
    effect::{
        Coding, Delay, Latency, Reset, Status, Truncate,
        truncate::{Framing, Kept},
    },
};
use chaos_tls::Trust;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

conformance!(
    a_status_is_given_in_a_dead_services_place,
    messages_are_delayed_and_cut_short,
    bytes_are_late,
    a_reset_is_one_of_tcp,
);

/// The status and the length of the body of a response; or how the connection ended instead.
async fn get(client: &mut Client) -> Result<(u16, usize), ErrorKind> {
    client.write_all(b"GET /x HTTP/1.1\r\nhost: up\r\n\r\n").await.map_err(|error| error.kind())?;
    client.flush().await.map_err(|error| error.kind())?;
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0));
            if body.len() >= length {
                return Ok((head[9..12].parse().unwrap(), body.len()));
            }
        }
        match client.read_buf(&mut seen).await {
            Ok(0) => return Err(ErrorKind::UnexpectedEof),
            Ok(_) => {}
            Err(error) => return Err(error.kind()),
        }
    }
}

async fn a_status_is_given_in_a_dead_services_place(world: &World) {
    let dead = world.service.listen(0).unwrap().port();
    let tunnel = world.link(Protocol::HTTP, Trust::default(), Some(dead));
    apply(&tunnel, Status { status: 503, body: String::new(), content_type: None }).await;
    let mut client = world.connect(&tunnel).await;
    assert_eq!(get(&mut client).await, Ok((503, 0)));
    assert_eq!(get(&mut client).await, Ok((503, 0)));
    let counts = tunnel.proxy.counts();
    assert_eq!((counts.messages.get("GET /x"), counts.unread), (Some(&2), 0), "{counts:?}");
}

async fn messages_are_delayed_and_cut_short(world: &World) {
    let tunnel = world.link(Protocol::HTTP, Trust::default(), Some(world.serve(http)));
    let mut client = world.connect(&tunnel).await;
    assert_eq!(get(&mut client).await, Ok((200, 10)));
    let late = Duration::from_millis(200);
    apply(&tunnel, Delay { delay: Spread::constant(late) }).await;
    let began = Instant::now();
    assert_eq!(get(&mut client).await, Ok((200, 10)));
    assert!(began.elapsed() >= late, "{:?}", began.elapsed());
    tunnel.proxy.send(chaos_inject::Message::Clear).await;
    let keep = Kept::PerMillion(500_000);
    apply(&tunnel, Truncate { keep, framing: Framing::Whole, coding: Coding::Undone }).await;
    assert_eq!(get(&mut client).await, Err(ErrorKind::UnexpectedEof));
}

async fn bytes_are_late(world: &World) {
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(world.serve(echo)));
    let mut client = world.connect(&tunnel).await;
    client.write_all(b"hello").await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();
    let late = Duration::from_millis(150);
    apply(&tunnel, Latency::of(Spread::constant(late), Directions::Downstream)).await;
    let began = Instant::now();
    client.write_all(b"hello").await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();
    assert!(began.elapsed() >= late, "{:?}", began.elapsed());
}

async fn a_reset_is_one_of_tcp(world: &World) {
    let tunnel = world.link(Protocol::TCP, Trust::default(), Some(world.serve(echo)));
    let mut client = world.connect(&tunnel).await;
    client.write_all(b"hello").await.unwrap();
    client.read_exact(&mut [0; 5]).await.unwrap();
    apply(&tunnel, Reset::after(Duration::ZERO)).await;
    let end = client.read(&mut [0]).await;
    assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
}
