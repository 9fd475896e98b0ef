//! `chaos proxy FILE --health`: whether the one that runs by this file is well.

use crate::{commands::complain, exit::Exit};
use chaos_links::CONTROL_PREFIX;
use host::tcp;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The longest wait for a response.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn ask(control: SocketAddr) -> Result<Exit, String> {
    let well = tokio::time::timeout(PATIENCE, first_line(control)).await;
    let why = match well {
        Ok(Ok(line)) if line.starts_with("HTTP/1.1 200 ") => return Ok(Exit::Pass),
        Ok(Ok(line)) => format!("it answered `{line}`"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no response in {PATIENCE:?}"),
    };
    complain("proxy", &format!("{control}: {why}"));
    Ok(Exit::Failed)
}

async fn first_line(control: SocketAddr) -> std::io::Result<String> {
    let here = match control.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let host = tcp::host(tcp::Config::loopback("health"))?;
    let mut stream = host.dial(&here.to_string(), control.port()).await?;
    let request = format!("GET {CONTROL_PREFIX}/health HTTP/1.1\r\nhost: proxies\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    (&mut stream).take(4096).read_to_end(&mut response).await?;
    Ok(String::from_utf8_lossy(&response).lines().next().unwrap_or_default().to_owned())
}
