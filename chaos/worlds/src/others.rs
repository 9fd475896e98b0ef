//! Services at addresses: others have started them, a run uses them by its proxies, and neither starts nor ends them.

use chaos_links::reach;
use chaos_model::{Service, Start, System, attach::HostPort};
use chaos_run::{Address, Instance, InstanceId, WorldError};
use host::Host;
use std::{fmt, sync::Arc};

/// Rules for services at addresses: what may be reached, and how names are resolved.
#[derive(Clone)]
pub struct Others {
    /// True where addresses that are not local may be used.
    pub remote: bool,
    /// The resolver of their names.
    pub resolve: reach::Resolve,
}

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Others").field("remote", &self.remote).finish_non_exhaustive()
    }
}

impl Others {
    /// Nothing but what is local, by names as this machine resolves them.
    #[must_use]
    pub fn local() -> Self {
        Self { remote: false, resolve: reach::resolve_here() }
    }

    /// Refuses addresses that are not local, unless they may be used. Where a system has some, gives the host by which they are
    /// reached, and by which nothing else is: names can be made to lead elsewhere in mid-run.
    ///
    /// # Errors
    /// Where one is not local.
    pub(crate) async fn prepare(&self, host: &Host, system: &System) -> Result<Option<Host>, WorldError> {
        let others: Vec<&HostPort> = system.services.values().filter_map(of).collect();
        if others.is_empty() || self.remote {
            return Ok(None);
        }
        for address in others {
            reach::allow(address, &self.resolve).await?;
        }
        Ok(Some(reach::within_reach(host, Vec::new(), reach::OwnAddresses::default(), Arc::clone(&self.resolve))))
    }
}

/// The address of a service that others have started.
fn of(service: &Service) -> Option<&HostPort> {
    match &service.start {
        Start::Address(address) => Some(address),
        Start::Program(_) | Start::Command(_) | Start::Image(_) | Start::Compose(_) => None,
    }
}

/// The instance of such a service.
pub(crate) fn instance(service: &Service) -> Option<Instance> {
    let HostPort { host, port } = of(service)?;
    Some(Instance {
        id: InstanceId::first(service.name.as_str()),
        address: Address { host: host.clone(), port: *port },
        ports: service.ports.clone(),
        what: "runs already".to_owned(),
    })
}
