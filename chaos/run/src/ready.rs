//! Readiness: a service is asked, past any proxy, until it answers.

use crate::Address;
use chaos_model::{Protocol, Service};
use host::Host;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// The longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(1);
/// Bytes in which a response's first line must end.
const LONGEST: usize = 4096;
/// The least time between the beginnings of two attempts.
const EVERY: Duration = Duration::from_millis(5);

/// Asks a service once whether it is ready.
pub async fn wait(host: Host, service: Service, address: Address) -> (Service, Address, Result<(), String>) {
    let began = Instant::now();
    let result = match tokio::time::timeout(ATTEMPT, ask(&host, &service, &address)).await {
        Ok(result) => result,
        Err(_) => Err("it did not answer in a second".to_owned()),
    };
    if result.is_err() {
        tokio::time::sleep_until(began + EVERY).await;
    }
    (service, address, result)
}

async fn ask(host: &Host, service: &Service, address: &Address) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let mut stream = host.dial(&address.host, address.port).await.map_err(text)?;
    let (question, is_ready): (_, fn(&str) -> bool) = match (&service.ready, service.protocol) {
        (Some(probe), _) => {
            let path = &probe.path;
            (format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"), is_success)
        }
        (None, Protocol::Redis) => ("*1\r\n$4\r\nPING\r\n".to_owned(), |line| line == "+PONG"),
        // A connection that is accepted is all that can be asked for.
        (None, Protocol::Http | Protocol::Tcp) => return Ok(()),
    };
    stream.write_all(question.as_bytes()).await.map_err(text)?;
    let mut seen = Vec::new();
    while !seen.contains(&b'\n') && seen.len() < LONGEST {
        let mut buffer = [0; 256];
        match stream.read(&mut buffer).await.map_err(text)? {
            0 => break,
            count => seen.extend_from_slice(&buffer[..count]),
        }
    }
    let seen = String::from_utf8_lossy(&seen);
    let line = seen.lines().next().unwrap_or_default();
    if is_ready(line) { Ok(()) } else { Err(format!("it answered `{line}`")) }
}

/// True if a status line says that all is well: any HTTP/1 and any 2xx (RFC 9112, section 4).
fn is_success(line: &str) -> bool {
    let mut words = line.split(' ');
    words.next().is_some_and(|version| version.starts_with("HTTP/1."))
        && words.next().is_some_and(|status| status.len() == 3 && status.starts_with('2'))
}

#[cfg(test)]
mod tests {
    use super::is_success;

    #[test]
    fn any_success_of_any_http_1_is_ready() {
        for line in ["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 204 No Content", "HTTP/1.1 200"] {
            assert!(is_success(line), "{line}");
        }
        for line in ["", "HTTP/1.1 503 Service Unavailable", "HTTP/1.1 404 Not Found", "+PONG", "HTTP/1.1 2"] {
            assert!(!is_success(line), "{line}");
        }
    }
}
