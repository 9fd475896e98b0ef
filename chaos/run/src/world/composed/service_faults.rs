//! Faults of services, the same in every world: which calls of a runtime each action is.

use super::ComposedWorld;
use crate::{Links, Runtime, WorldError, flush};
use chaos_model::{Fault, effect::action::ServiceAction, event::Fired, ledger::Removed};

impl<R: Runtime, L: Links> ComposedWorld<R, L> {
    /// Does to all instances of a service what the fault says. When it returns, it holds; a service that was asked to end
    /// may take its time for it.
    pub(super) async fn break_service(&mut self, name: &str, fault: &Fault) -> Result<(), WorldError> {
        let action = action::<R>(name, fault)?;
        let (service, instances) = self.with_instances(name)?;
        for instance in instances {
            let id = &instance.id;
            match action {
                ServiceAction::Pause => self.runtime.pause(id).await?,
                ServiceAction::Stop => self.terminate(id, &service.lifecycle, false).await?,
                ServiceAction::Kill => self.kill(id).await?,
                ServiceAction::Restart => self.terminate(id, &service.lifecycle, true).await?,
                ServiceAction::Flush => {
                    let secured = self.secured.get(name).filter(|_| service.speaks_tls);
                    let host = secured.unwrap_or_else(|| self.runtime.host());
                    flush::flush(host, &service, &instance.address).await?;
                }
                ServiceAction::Limit(limit) => self.runtime.limit(id, &fault.name, limit).await?,
            }
        }
        Ok(())
    }

    /// Heals what [`Self::break_service`] did, and counts the services that it was done to. Those that were ended are
    /// started again, and are ready later.
    pub(super) async fn heal_service(&mut self, name: &str, fault: &Fault) -> Result<Removed, WorldError> {
        let action = action::<R>(name, fault)?;
        let (service, instances) = self.with_instances(name)?;
        let services = instances.len() as u64;
        for instance in instances {
            match action {
                ServiceAction::Pause => self.runtime.resume(&instance.id).await?,
                ServiceAction::Stop | ServiceAction::Kill => self.start_again(&service, instance).await?,
                ServiceAction::Limit(limit) => self.runtime.lift(&instance.id, &fault.name, limit).await?,
                // They were over when they had happened.
                ServiceAction::Restart | ServiceAction::Flush => {}
            }
        }
        Ok(Removed::of(Fired { services, ..Fired::default() }))
    }
}

/// The action of a fault on a service, where this world has it.
fn action<R: Runtime>(name: &str, fault: &Fault) -> Result<ServiceAction, WorldError> {
    let effect = fault.effect.name();
    let of_links = || WorldError::CannotGive(format!("`{effect}` acts on links, and {name} is a service"));
    let action = fault.effect.action().service.ok_or_else(of_links)?;
    match (R::OFFER.does)(action) {
        Ok(()) => Ok(action),
        Err(not) => Err(WorldError::CannotGive(format!("`{effect}` can't be given to {name}: {}", not.why))),
    }
}
