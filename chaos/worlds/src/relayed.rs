//! Whether a node is ready that the engine relays connections to.

use chaos_model::{Node, Protocol};
use chaos_run::{Address, ready};
use host::Host;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// How long a connection that the engine took for a node has to stay open.
const STAYS_OPEN: Duration = Duration::from_millis(50);

/// As [`ready::wait`], where a connection that is accepted says nothing: the engine accepts on the node's behalf, and closes
/// at once where nobody listens behind it.
pub(crate) async fn wait(host: Host, node: Node, at: Address) -> (Node, Address, Result<(), String>) {
    let (node, at, result) = ready::wait(host.clone(), node, at).await;
    let asked_nothing = node.ready.is_none() && node.protocol != Protocol::Redis;
    let result = if result.is_ok() && asked_nothing { stays_open(&host, &at).await } else { result };
    (node, at, result)
}

async fn stays_open(host: &Host, at: &Address) -> Result<(), String> {
    let mut stream = host.dial(&at.host, at.port).await.map_err(|error| error.to_string())?;
    match tokio::time::timeout(STAYS_OPEN, stream.read(&mut [0])).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err("it closed the connection at once".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
    }
}
