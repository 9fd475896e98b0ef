//! Readiness: a service is asked, past any proxy, until it answers.

use crate::{
    Instance, Question,
    redis::{Asking, judge_ping},
};
use chaos_model::{HttpProbe, Readiness, Service, protocol::Ready};
use host::{Host, Stream};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};

/// The longest time of one attempt.
const ATTEMPT: Duration = Duration::from_secs(1);
/// Bytes in which a response's first line must end.
const LONGEST: usize = 4096;
/// The least time between the beginnings of two attempts,
const EVERY: Duration = Duration::from_millis(5);
/// and between the end of a question by a command or of the output, which cost more, and the next.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells whether a service is asked over TLS whether it is ready, where its world has that.
pub(crate) fn is_over_tls(service: &Service) -> bool {
    match &service.ready {
        Some(Readiness::Http(probe)) => probe.is_tls,
        Some(Readiness::Connection(_) | Readiness::Command(_) | Readiness::Log(_)) => false,
        None => service.speaks_tls && service.protocol.ready.asks_the_program(),
    }
}

/// Asks an instance of a service once whether it is ready; by `question`, where its runtime has one for it.
///
/// # Errors
/// In words, why it is not.
pub async fn wait(
    host: &Host,
    service: &Service,
    instance: &Instance,
    question: Option<&Question>,
) -> Result<(), String> {
    let began = Instant::now();
    if let Some(question) = question {
        // It bounds its own time.
        let result = question().await;
        if result.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
        return result;
    }
    let result = match tokio::time::timeout(ATTEMPT, ask(host, service, instance)).await {
        Ok(result) => result,
        Err(_) => Err("it did not answer in a second".to_owned()),
    };
    if result.is_err() {
        tokio::time::sleep_until(began + EVERY).await;
    }
    result
}

async fn ask(host: &Host, service: &Service, instance: &Instance) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let port = match &service.ready {
        Some(Readiness::Http(HttpProbe { port, .. }) | Readiness::Connection(port)) => port.as_deref(),
        Some(Readiness::Command(_) | Readiness::Log(_)) => return Err("nobody here can ask it".to_owned()),
        None => None,
    };
    let address = instance.at(port).ok_or_else(|| format!("it has no port {}", port.unwrap_or_default()))?;
    let stream = host.dial(&address.host, address.port).await.map_err(text)?;
    match (&service.ready, service.protocol.ready) {
        (Some(Readiness::Http(probe)), _) => {
            let question = format!("GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n", probe.path);
            ask_line(stream, &question, is_success).await
        }
        (Some(_), _) | (None, Ready::Connection) => Ok(()),
        (None, Ready::Line { ask, is_ready }) => ask_line(stream, &format!("{ask}\n"), is_ready).await,
        (None, Ready::RedisPing) => judge_ping(&Asking::new(stream).ask(&["PING"]).await.map_err(text)?),
    }
}

/// Sends a question, and judges the first line that comes back.
async fn ask_line(mut stream: Stream, question: &str, is_ready: fn(&str) -> bool) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
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
