//! A Redis that is made to forget, past any proxy.

use crate::{Address, WorldError};
use host::Host;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The longest time that a Redis may take to forget.
const FLUSHING: Duration = Duration::from_secs(2);

/// Sends FLUSHALL to a service; when it returns, all is forgotten.
///
/// # Errors
/// Where the service can't be reached, refuses, or takes more than two seconds.
pub async fn flush(host: &Host, service: &str, address: Option<Address>) -> Result<(), WorldError> {
    let Some(address) = address else { return Err(WorldError::CannotGive(format!("there is no service {service}"))) };
    let flush = async {
        let mut stream = host.dial(&address.host, address.port).await?;
        stream.write_all(b"*1\r\n$8\r\nFLUSHALL\r\n").await?;
        let mut answer = [0; 3];
        stream.read_exact(&mut answer).await.map(|_| answer)
    };
    match tokio::time::timeout(FLUSHING, flush).await {
        Ok(Ok(answer)) if answer == *b"+OK" => Ok(()),
        Ok(Ok(_)) => Err(WorldError::CannotGive(format!("{service} refuses to forget (FLUSHALL)"))),
        Ok(Err(error)) => Err(WorldError::machine(format!("{service} can't be flushed"))(error)),
        Err(_) => Err(WorldError::CannotGive(format!("{service} did not answer FLUSHALL in 2 s"))),
    }
}
