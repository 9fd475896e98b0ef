//! A Redis that is made to forget, past any proxy.

use crate::{Address, WorldError};
use host::Host;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How long a Redis may take to forget.
const FLUSHING: Duration = Duration::from_secs(2);

/// Sends FLUSHALL to a node; when it returns, all is forgotten.
///
/// # Errors
/// Where the node can't be reached, refuses, or takes more than two seconds.
pub async fn flush(host: &Host, node: &str, address: Option<Address>) -> Result<(), WorldError> {
    let Some(address) = address else { return Err(WorldError::CannotGive(format!("there is no node {node}"))) };
    let flush = async {
        let mut stream = host.dial(&address.host, address.port).await?;
        stream.write_all(b"*1\r\n$8\r\nFLUSHALL\r\n").await?;
        let mut answer = [0; 3];
        stream.read_exact(&mut answer).await.map(|_| answer)
    };
    match tokio::time::timeout(FLUSHING, flush).await {
        Ok(Ok(answer)) if answer == *b"+OK" => Ok(()),
        Ok(Ok(_)) => Err(WorldError::CannotGive(format!("{node} refuses to forget (FLUSHALL)"))),
        Ok(Err(error)) => Err(WorldError::machine(format!("{node} can't be flushed"))(error)),
        Err(_) => Err(WorldError::CannotGive(format!("{node} did not answer FLUSHALL in 2 s"))),
    }
}
