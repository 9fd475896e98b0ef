//! Offers of worlds: what each can give, known of its type alone, so that a mistake is refused with its place in the file
//! and starts nothing.

use chaos_model::{Diagnostic, Diagnostics, Fault, Scenario, Service, Start, effect::action::ServiceAction};

/// The offer of a world: its name, the services that it can run, and what it can do to them.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The world's name, as `--world` and `worlds` take it.
    pub name: &'static str,
    /// Tells if the world runs services that start so.
    pub runs: fn(&Start) -> Result<(), Unfit>,
    /// Tells if the world does this to services; else the reason, in words.
    pub does: fn(ServiceAction) -> Result<(), NotGiven>,
}

/// The reason that a service can't run in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The mistake, behind the service's name: `is an image, and a simulation runs functions`.
    pub what: &'static str,
    /// The way out.
    pub advice: &'static str,
}

/// The reason that a world can't give a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotGiven {
    /// The reason, as `memory is not counted`.
    pub why: &'static str,
    /// The way out.
    pub advice: &'static str,
}

impl Offer {
    /// Checks that the world can run each service of a scenario's system, and do to it what faults ask.
    ///
    /// # Errors
    /// Diagnostics of the services that it can't run, and of the faults that it can't give, with advice.
    pub fn check(&self, scenario: &Scenario) -> Result<(), Diagnostics> {
        let services = scenario.system.services.values().filter_map(|service| self.unfit(service));
        let faults = scenario.faults.iter().filter_map(|fault| self.not_given(fault));
        let list: Vec<Diagnostic> = services.chain(faults).collect();
        if list.is_empty() { Ok(()) } else { Err(Diagnostics { list, sources: scenario.sources.clone() }) }
    }

    fn unfit(&self, service: &Service) -> Option<Diagnostic> {
        let Unfit { what, advice } = (self.runs)(&service.start).err()?;
        Some(Diagnostic::new(service.span.clone(), format!("service `{}` {what}", service.name)).advice(advice))
    }

    fn not_given(&self, fault: &Fault) -> Option<Diagnostic> {
        let NotGiven { why, advice } = (self.does)(fault.effect.action().service?).err()?;
        let message = format!("`{}` on `{}` can't be given here: {why}", fault.effect.name(), fault.on);
        Some(Diagnostic::new(fault.span.clone(), message).advice(advice))
    }
}
