//! Readiness of services that the engine relays connections to.

use chaos_model::{Protocol, Service};
use chaos_run::{Address, ready};
use host::Host;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;

/// Time that a connection which the engine took for a service has to stay open.
const STAYS_OPEN: Duration = Duration::from_millis(50);

/// Asks as [`ready::wait`] does, where a connection that is accepted says nothing: the engine accepts on the service's
/// behalf, and closes at once where nobody listens behind it.
pub(crate) async fn wait(host: Host, service: Service, at: Address) -> (Service, Address, Result<(), String>) {
    let (service, at, result) = ready::wait(host.clone(), service, at).await;
    let asked_nothing = service.ready.is_none() && service.protocol != Protocol::Redis;
    let result = if result.is_ok() && asked_nothing { stays_open(&host, &at).await } else { result };
    (service, at, result)
}

async fn stays_open(host: &Host, at: &Address) -> Result<(), String> {
    let mut stream = host.dial(&at.host, at.port).await.map_err(|error| error.to_string())?;
    match tokio::time::timeout(STAYS_OPEN, stream.read(&mut [0])).await {
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err("it closed the connection at once".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
    }
}
