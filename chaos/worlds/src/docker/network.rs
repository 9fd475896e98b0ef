//! The run's own network, and its gateway: an address of this machine that its containers reach, and nobody else does.

use chaos_links::RESERVE;
use chaos_run::WorldError;
use chaos_supervise::{RunLabel, engine::Engine};
use host::{Host, tcp};
use std::{io, net::IpAddr};
use testcontainers::bollard::models::NetworkCreateRequest;

/// A network that was made.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) gateway: Gateway,
}

/// The address of this machine in it.
pub(super) struct Gateway {
    pub(super) address: IpAddr,
    /// A host that listens there.
    pub(super) host: Host,
}

/// Makes the network, with the run's label.
pub(super) async fn make(engine: &Engine, host: &Host, label: Option<&RunLabel>) -> Result<Made, WorldError> {
    let Some(label) = label else { return Err(WorldError::CannotGive("this run has no label".to_owned())) };
    let name = label.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |error| WorldError::machine("the engine makes no network")(io::Error::other(error));
    let request = NetworkCreateRequest {
        name: name.clone(),
        driver: Some("bridge".to_owned()),
        labels: Some(label.engine_labels().map(|(key, value)| (key.to_owned(), value)).into()),
        ..NetworkCreateRequest::default()
    };
    engine.client().create_network(request).await.map_err(failed)?;
    let network = engine.client().inspect_network(&name, None).await.map_err(failed)?;
    let config = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    let address = config.into_iter().find_map(|config| config.gateway?.parse().ok());
    let address: IpAddr = address
        .ok_or_else(|| WorldError::CannotGive(format!("the engine gave the network {name} no gateway address")))?;
    let config = tcp::Config { bind: address, seed: host.seed(), reserve: RESERVE, ..tcp::Config::loopback("proxies") };
    let gateway = tcp::host(config).map_err(WorldError::machine("this machine gives no timer"))?;
    let here = gateway.listen(0).map(drop);
    here.map_err(WorldError::machine(format!(
        "the gateway of the network {name}, {address}, is no address of this machine: the engine has to run on it"
    )))?;
    Ok(Made { name, gateway: Gateway { address, host: gateway } })
}
