//! Asks Redis behind the gateway's back.

use host::Host;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Sends one inline command on a connection of its own, and reads until the server has said `QUIT`'s farewell.
pub(crate) async fn ask_redis(from: &Host, command: &str) -> String {
    let mut stream = from.dial("redis", 6379).await.unwrap();
    stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply.strip_suffix("+OK\r\n").unwrap().trim_end().to_owned()
}
