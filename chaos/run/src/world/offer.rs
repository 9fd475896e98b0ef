//! Offers of worlds: what each can give, known of its type alone, so that a mistake is refused with its place in the file
//! and starts nothing.

use chaos_model::{
    Diagnostic, Diagnostics, Fault, Readiness, RunFile, Scenario, Service, Start, System, Template,
    effect::{Level, action::ServiceAction},
    system::Piece,
};

/// The offer of a world: its name, the services that it can run, and what it can do to them.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The world's name, as `--world` and `worlds` take it.
    pub name: &'static str,
    /// Tells if the world runs services that start so.
    pub runs: fn(&Start) -> Result<(), Unfit>,
    /// Tells if the world has this of a service beside its program.
    pub has: fn(Extra) -> Result<(), Unfit>,
    /// Tells if the world does this to services; else the reason, in words.
    pub does: fn(ServiceAction) -> Result<(), NotGiven>,
    /// The fate of TLS on its links.
    pub tls: TlsOnLinks,
}

/// The fate of TLS on links whose settings ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsOnLinks {
    /// Ended on the link and begun anew, so that faults meet what is inside; and the run has files for it.
    Ended,
    /// Passed as bytes.
    Passed,
    /// There is none: links are plain.
    Absent,
}

/// A thing that a service's file may ask for beside its program, and that not every world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Commands before its start, and after its end.
    Errands,
    /// A command that shows that it is ready.
    ReadyCommand,
    /// A line of its output that does.
    ReadyLog,
}

impl Extra {
    /// All that a service asks for.
    fn of(service: &Service) -> impl Iterator<Item = Self> {
        let ready = match &service.ready {
            Some(Readiness::Command(_)) => Some(Self::ReadyCommand),
            Some(Readiness::Log(_)) => Some(Self::ReadyLog),
            Some(Readiness::Http(_) | Readiness::Connection(_)) | None => None,
        };
        (!service.errands.is_empty()).then_some(Self::Errands).into_iter().chain(ready)
    }
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
        let services = scenario.system.services.values().flat_map(|service| self.unfit(service));
        let faults = scenario.faults.iter().filter_map(|fault| self.not_given(fault));
        let hidden = scenario.faults.iter().filter_map(|fault| self.hidden(fault, &scenario.system));
        let files = scenario.system.services.values().filter_map(|service| self.fileless(service));
        let calls = self.uncounted(scenario);
        let list: Vec<Diagnostic> = services.chain(faults).chain(hidden).chain(calls).chain(files).collect();
        if list.is_empty() { Ok(()) } else { Err(Diagnostics { list, sources: scenario.sources.clone() }) }
    }

    fn unfit<'s>(&self, service: &'s Service) -> impl Iterator<Item = Diagnostic> + use<'s> {
        let has = self.has;
        let extras = Extra::of(service).filter_map(move |extra| has(extra).err());
        (self.runs)(&service.start).err().into_iter().chain(extras).map(move |Unfit { what, advice }| {
            Diagnostic::new(service.span.clone(), format!("service `{}` {what}", service.name)).advice(advice)
        })
    }

    /// An effect on messages where TLS hides them, or on TLS where none ends.
    fn hidden(&self, fault: &Fault, system: &System) -> Option<Diagnostic> {
        let level = fault.effect.facts().level;
        if level == Level::Tls && self.tls != TlsOnLinks::Ended {
            let (name, world) = (fault.effect.name(), self.name);
            let message = format!("`{name}` acts on TLS that ends on its link, and in the world `{world}` none does");
            return Some(Diagnostic::new(fault.span.clone(), message).advice("`--world local` ends it"));
        }
        let is_hidden = self.tls == TlsOnLinks::Passed && !matches!(level, Level::Connections | Level::Services);
        let links = fault.on.links().iter().filter(|_| is_hidden);
        let (link, setting) = links.filter_map(|link| Some((link, system.encrypted.get(link)?))).next()?;
        let message =
            format!("on `{link}` TLS hides what `{}` acts on, in the world `{}`", fault.effect.name(), self.name);
        let advice = "`--world local` ends TLS on links; here effects on connections act, as `latency` and `reset`";
        Some(Diagnostic::new(fault.span.clone(), message).also(setting.clone(), "asks for TLS").advice(advice))
    }

    /// Checks of calls where TLS hides these.
    fn uncounted(&self, scenario: &Scenario) -> Vec<Diagnostic> {
        let encrypted = |link| scenario.system.encrypted.get(link).filter(|_| self.tls == TlsOnLinks::Passed);
        let checks = scenario.expectations.iter().flat_map(|expectation| &expectation.checks);
        let hidden = checks.filter_map(|check| {
            let link = &check.subject.calls()?.link;
            let message = format!("on `{link}` TLS hides what is called, in the world `{}`", self.name);
            let advice =
                "`--world local` ends TLS on links; here, judge what clients see, or what a service counts (`metric`)";
            let wrong = Diagnostic::new(check.span.clone(), message).also(encrypted(link)?.clone(), "asks for TLS");
            Some(wrong.advice(advice))
        });
        hidden.collect()
    }

    /// A setting that names a file of the run, or `trust` in its authority, where there are none.
    fn fileless(&self, service: &Service) -> Option<Diagnostic> {
        if self.tls == TlsOnLinks::Ended {
            return None;
        }
        // Where all links are plain, there is nobody to be believed.
        if service.trusts_run && self.tls == TlsOnLinks::Passed {
            let (name, world) = (&service.name, self.name);
            let message =
                format!("service `{name}` is to believe the run's authority, and the world `{world}` has none");
            let advice = "take `trust` away: here it meets its peers' own certificates; or use `--world local`";
            return Some(Diagnostic::new(service.span.clone(), message).advice(advice));
        }
        let named = |template: &Template| {
            let mut pieces = template.pieces.iter();
            pieces.find_map(|piece| if let Piece::File(file) = piece { Some(*file) } else { None })
        };
        let file: RunFile = service.texts().find_map(named)?;
        let message = format!(
            "service `{}` names `{{{}}}`, and the world `{}` has no such file",
            service.name,
            file.place(),
            self.name
        );
        Some(Diagnostic::new(service.span.clone(), message).advice("`--world local` makes it"))
    }

    fn not_given(&self, fault: &Fault) -> Option<Diagnostic> {
        let NotGiven { why, advice } = (self.does)(fault.effect.action().service?).err()?;
        let message = format!("`{}` on `{}` can't be given here: {why}", fault.effect.name(), fault.on);
        Some(Diagnostic::new(fault.span.clone(), message).advice(advice))
    }
}
