//! A checked scenario: everything that a run needs to know.

use crate::{
    Diagnostic, Diagnostics, Expectation, Fault, Guard, Load, Service, Sources, Span, Start, System, Timeline,
    effect::action::ServiceAction,
};

/// A scenario that was parsed and checked: every name in it exists, every window lies within the run, every expectation
/// can be judged.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The title: what the scenario shows, in a few words.
    pub title: String,
    /// The system that it breaks.
    pub system: System,
    /// Settings over what the system's own file says: by the scenario, and by whoever runs it.
    pub settings: Vec<Set>,
    /// The load that clients put on it meanwhile.
    pub load: Load,
    /// The faults, by time.
    pub faults: Vec<Fault>,
    /// The expectations that must hold.
    pub expectations: Vec<Expectation>,
    /// The guards: expectations that depend on a protection.
    pub guards: Vec<Guard>,
    /// The timeline with its phases.
    pub timeline: Timeline,
    /// The texts that it was read from, so that a failed expectation can show its place.
    pub sources: Sources,
}

/// The worlds that there are, by the names that `--world` and `worlds` take.
pub const WORLDS: [&str; 4] = ["sim", "local", "docker", "attach"];

impl Scenario {
    /// The scenario as `world` judges it, and the expectations that it leaves to others. A guard that breaks nothing
    /// else goes with them.
    #[must_use]
    pub fn in_world(mut self, world: &str) -> (Self, Vec<String>) {
        let elsewhere = |expectation: &Expectation| {
            expectation.worlds.as_ref().is_some_and(|worlds| worlds.iter().all(|there| there != world))
        };
        let (left, judged): (Vec<_>, Vec<_>) = self.expectations.into_iter().partition(elsewhere);
        self.expectations = judged;
        let left: Vec<String> = left.into_iter().map(|expectation| expectation.that).collect();
        for guard in &mut self.guards {
            guard.breaks.retain(|that| !left.contains(that));
        }
        self.guards.retain(|guard| !guard.breaks.is_empty());
        (self, left)
    }

    /// Checks that `world` can run each service of the system, and do to it what faults ask.
    ///
    /// # Errors
    /// Diagnostics of the services that it can't run, and of the faults that it can't give, with advice.
    pub fn check_services(&self, world: &str) -> Result<(), Diagnostics> {
        // Known without the world itself, so that a mistake is refused with its place in the file and starts nothing.
        let services = self.system.services.values().filter_map(|service| unfit(service, world));
        let faults = self.faults.iter().filter_map(|fault| ungiven(fault, world));
        let list: Vec<Diagnostic> = services.chain(faults).collect();
        if list.is_empty() { Ok(()) } else { Err(Diagnostics { list, sources: self.sources.clone() }) }
    }
}

/// The mistake about a service in a world, if there is one.
fn unfit(service: &Service, world: &str) -> Option<Diagnostic> {
    let in_containers = "`--world docker` runs it";
    let (what, advice) = match (world, &service.start) {
        ("sim", Start::Command(_)) => (
            "runs a command, and a simulation runs functions of its own process",
            "`--world local` runs it; a Rust program can be built into a command of its own (`chaos_cli::main`)",
        ),
        ("sim", Start::Program(program)) if program == "redis-server" => (
            "asks for a real Redis, and a simulation has the built-in one alone",
            "`program = \"redis\"` is a real one where there is one, and the built-in one in a simulation",
        ),
        ("sim", Start::Image(_)) => ("is an image, and a simulation runs functions of its own process", in_containers),
        ("local", Start::Image(_)) => ("is an image, and the world `local` runs processes", in_containers),
        ("docker", Start::Command(_)) => (
            "runs a command, and containers run images",
            "`--world local` runs it; beside `image = \"...\"`, a command is what the container runs",
        ),
        _ => return None,
    };
    Some(Diagnostic::new(service.span.clone(), format!("service `{}` {what}", service.name)).advice(advice))
}

/// The mistake about a service's fault in a world, if there is one.
fn ungiven(fault: &Fault, world: &str) -> Option<Diagnostic> {
    let why = match (world, fault.effect.action().service) {
        ("sim", Some(ServiceAction::Limit(_))) => "in a simulation computing takes no time, and memory is not counted",
        ("local", Some(ServiceAction::Limit(_))) => "limiting a process takes cgroups, and those take root",
        ("attach", Some(ServiceAction::Limit(_))) => "what runs already has the limits that its operator gave it",
        _ => return None,
    };
    let message = format!("`{}` on `{}` can't be given here: {why}", fault.effect.name(), fault.on);
    Some(
        Diagnostic::new(fault.span.clone(), message)
            .advice("only docker can limit what a service uses: `--world docker`"),
    )
}

/// A setting of a scenario or its system that is overridden: by `--set`, or by a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The key's path, as `service.gateway.env.GATEWAY_CACHE_MEMORY` or `load.rate`. `service.…` is the system's, all
    /// else the scenario's.
    pub path: String,
    /// The new value. Values of the language are strings, so this is one; where a key wants another type (a list, a
    /// number), it is read as TOML.
    pub value: String,
    /// The place, if it stands in a file.
    pub span: Option<Span>,
}
