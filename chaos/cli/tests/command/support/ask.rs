//! Questions to a program over a plain socket.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Connects, as a client of its own.
#[expect(clippy::disallowed_methods, reason = "these tests are clients of real processes, in no world")]
pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(address).await
}

/// An address at which nothing listens.
pub(crate) fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address")
}

/// Tells if anything listens there.
pub(crate) async fn listens(address: SocketAddr) -> bool {
    connect(address).await.is_ok()
}

/// Tells if anything is said there to who connects and says nothing, before the connection ends.
pub(crate) async fn hears_from(address: SocketAddr) -> bool {
    let Ok(mut stream) = connect(address).await else { return false };
    stream.read(&mut [0]).await.is_ok_and(|read| read > 0)
}

/// Says this, and gives all that is answered until the other side closes.
pub(crate) async fn say(address: SocketAddr, text: &str) -> String {
    try_say(address, text).await.expect("it answers")
}

async fn try_say(address: SocketAddr, text: &str) -> std::io::Result<String> {
    let mut stream = connect(address).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut response = String::new();
    stream.read_to_string(&mut response).await?;
    Ok(response)
}

/// Gets this path, and gives head and body of what is answered.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    try_get(address, path).await.expect("it answers")
}

/// The same where nobody may answer.
pub(crate) async fn try_get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    try_say(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await
}
