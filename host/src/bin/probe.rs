//! `probe PATH`: whether the program that listens on `PORT` of this machine answers a GET of this path with 2xx, by
//! exit code.
//!
//! It is the health check of images, which have no curl and no shell to speak of. It says why where it isn't so, since
//! engines keep what a health check printed.

use std::{process::ExitCode, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

// A program of ours, since images have no curl, and what runs in them shall not need one.
/// A program that is well answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let path = std::env::args().nth(1);
    #[expect(clippy::disallowed_methods, reason = "only here is the environment read")]
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok());
    let (Some(path), Some(port)) = (path, port) else {
        eprintln!("probe: say `probe PATH`, with PORT in the environment");
        return ExitCode::from(2);
    };
    let answer = tokio::time::timeout(PATIENCE, ask(port, &path)).await;
    match answer {
        Ok(Ok(head)) if head.starts_with("HTTP/1.1 2") => ExitCode::SUCCESS,
        Ok(Ok(head)) => said(head.lines().next().unwrap_or("nothing")),
        Ok(Err(error)) => said(&error.to_string()),
        Err(_) => said("no response"),
    }
}

fn said(what: &str) -> ExitCode {
    eprintln!("probe: {what}");
    ExitCode::FAILURE
}

/// The beginning of the response.
async fn ask(port: u16, path: &str) -> std::io::Result<String> {
    let host = host::tcp::host(host::tcp::Config::loopback("probe"))?;
    let mut stream = host.dial("127.0.0.1", port).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 64];
    let mut length = 0;
    while length < head.len() {
        match stream.read(&mut head[length..]).await? {
            0 => break,
            more => length += more,
        }
    }
    Ok(String::from_utf8_lossy(&head[..length]).into_owned())
}
