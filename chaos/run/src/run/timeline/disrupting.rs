//! Faults that end connections of the entry: the load is told of them, so that it doesn't hide what they do.

use chaos_load::{Disruption, Disruptions};
use chaos_model::{
    Fault, Scenario, ServiceName, Target,
    effect::action::{Accepting, ServiceAction, ServiceLimit},
    system::Endpoint,
};
use std::collections::BTreeMap;

/// Faults that are on and end connections of the entry.
pub(super) struct Disrupting {
    entry: ServiceName,
    /// By fault, by its place in the scenario: whether it does.
    ends: Vec<bool>,
    disruptions: Disruptions,
    on: BTreeMap<usize, Disruption>,
    /// Of faults that were taken back, until the entry is there again.
    until_back: Vec<Disruption>,
}

impl Disrupting {
    pub(super) fn new(scenario: &Scenario, disruptions: Disruptions) -> Self {
        let ends = scenario.faults.iter().map(|fault| ends_connections(fault, &scenario.system.entry)).collect();
        let entry = scenario.system.entry.clone();
        Self { entry, ends, disruptions, on: BTreeMap::new(), until_back: Vec::new() }
    }

    /// A fault is about to be put in place: it may act before that is acknowledged.
    pub(super) fn begin(&mut self, fault: usize) {
        if self.ends.get(fault).is_some_and(|ends| *ends) {
            self.on.entry(fault).or_insert_with(|| self.disruptions.begin());
        }
    }

    /// A fault has been taken back, and its service may be starting again.
    pub(super) fn end(&mut self, fault: usize, is_restarting: bool) {
        let ended = self.on.remove(&fault);
        self.until_back.extend(ended.filter(|_| is_restarting));
    }

    /// A service is there again, all of it.
    pub(super) fn is_back(&mut self, service: &str) {
        if service == self.entry {
            self.until_back.clear();
        }
    }
}

/// True for a fault that may end connections between the load and the entry before a response.
fn ends_connections(fault: &Fault, entry: &str) -> bool {
    let action = fault.effect.action();
    match &fault.on {
        Target::Service(_) | Target::Services(_) => {
            let ends = |action| match action {
                // The kernel kills what needs more.
                ServiceAction::Limit(ServiceLimit::Memory { .. }) => true,
                ServiceAction::Stop | ServiceAction::Kill | ServiceAction::Restart => true,
                ServiceAction::Pause | ServiceAction::Flush | ServiceAction::Limit(ServiceLimit::Cpu { .. }) => false,
            };
            fault.on.services().iter().any(|service| service == entry) && action.service.is_some_and(ends)
        }
        Target::Link(_) | Target::Links(_) => {
            let cut = action.stream.is_some_and(|stream| {
                // A server gives up on a request that a fault keeps from it, and closes for that and not for idling.
                let keeps = stream.holds.is_some() || stream.rate.is_some() || stream.slices.is_some();
                keeps || stream.cut.is_some() || stream.accepting != Accepting::Accept
            });
            let in_message = action.message.is_some_and(|message| message.ending.is_some());
            let in_body = action.http.is_some_and(|http| http.resets_in.is_some());
            let of_clients = fault.on.links().iter().any(|link| link.from == Endpoint::Client);
            of_clients && (cut || in_message || in_body)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::language::load;
    use std::{io, path::Path};

    /// True if a fault with these lines may end connections of the entry.
    fn ends(lines: &str) -> bool {
        let text = format!(
            "title = \"it\"\nentry = \"web\"\n[service.web]\nprogram = \"gateway\"\nenv.A_URL = \"http://{{stock}}\"\n\
             [service.stock]\nprogram = \"gateway\"\n[load]\nrequest = \"GET /\"\nrate = \"50/s\"\nduration = \"8s\"\n\
             [[fault]]\nname = \"it\"\nat = \"2s\"\nfor = \"2s\"\n{lines}\n[[expect]]\nthat = \"it\"\nduring = \"run\"\n\
             status.200 = \">= 99%\"\n"
        );
        let read = |path: &Path| match path.to_str() {
            Some("it.toml") => Ok(text.clone()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let scenario =
            load(Path::new("it.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 120)));
        ends_connections(&scenario.faults[0], &scenario.system.entry)
    }

    #[test]
    fn what_ends_connections_of_the_entry_is_known_by_its_actions() {
        let on = |on: &str, effect: &str| ends(&format!("on = \"{on}\"\neffect = \"{effect}\""));
        for effect in ["refuse", "blackhole", "reset", "close", "reset-body"] {
            assert!(on("client -> web", effect), "{effect}");
            assert!(!on("web -> stock", effect), "{effect} behind the entry");
        }
        for effect in ["stop", "kill"] {
            assert!(on("web", effect), "{effect}");
            assert!(!on("stock", effect), "{effect} behind the entry");
        }
        assert!(!on("web", "pause"));
        assert!(on("client -> web", "hang"));
        assert!(ends("on = \"client -> web\"\neffect = \"bandwidth\"\nrate = \"20B/s\""));
        assert!(!ends("on = \"client -> web\"\neffect = \"delay\"\ndelay = \"10ms\""));
        assert!(!ends("on = \"client -> web\"\neffect = \"status\"\nstatus = \"503\""));
        assert!(!ends("on = \"client -> web\"\neffect = \"replace\"\nbody = \"{}\""));
    }
}
