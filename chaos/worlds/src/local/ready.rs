//! Readiness: a node is asked, past any proxy, until it answers.

use chaos_model::{Node, Protocol};
use chaos_run::Address;
use host::Host;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How long after one attempt began the next may begin.
const EVERY: Duration = Duration::from_millis(5);

/// Asks a node once whether it is ready.
pub(super) async fn wait(host: Host, node: Node, address: Address) -> (Node, Address, Result<(), String>) {
    let began = Instant::now();
    let result = match tokio::time::timeout(ATTEMPT, ask(&host, &node, &address)).await {
        Ok(result) => result,
        Err(_) => Err("it did not answer in a second".to_owned()),
    };
    if result.is_err() {
        tokio::time::sleep_until(began + EVERY).await;
    }
    (node, address, result)
}

async fn ask(host: &Host, node: &Node, address: &Address) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = host.dial(&address.host, address.port).await.map_err(text)?;
    let (question, answer) = match (&node.ready, node.protocol) {
        (Some(probe), _) => {
            let path = &probe.path;
            (format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"), "HTTP/1.1 200")
        }
        (None, Protocol::Redis) => ("*1\r\n$4\r\nPING\r\n".to_owned(), "+PONG"),
        // A connection that is accepted is all that can be asked for.
        (None, Protocol::Http | Protocol::Tcp) => return Ok(()),
    };
    stream.write_all(question.as_bytes()).await.map_err(text)?;
    let mut seen = Vec::new();
    while seen.len() < answer.len() {
        let mut buffer = [0; 256];
        match stream.read(&mut buffer).await.map_err(text)? {
            0 => break,
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
    if seen.starts_with(answer.as_bytes()) {
        return Ok(());
    }
    let line = String::from_utf8_lossy(&seen);
    Err(format!("it answered `{}`", line.lines().next().unwrap_or_default()))
}
