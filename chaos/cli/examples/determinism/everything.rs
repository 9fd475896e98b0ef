//! A scenario with every effect that a simulation gives, many of them at once, each where the others leave it something
//! to act on; and whether each of them did.

use chaos_model::{
    Effect, Event, Record,
    effect::{Facts, Level},
};
use std::{collections::BTreeSet, fmt::Write as _, path::Path};

/// The duration of each fault, and the pause between the begins of two, in milliseconds: some fifteen act at once.
const LASTS: usize = 3000;
const STEP: usize = 200;
/// Services take turns: a service that is gone can't be frozen.
const SERVICE_LASTS: usize = 900;
const SERVICE_STEP: usize = 1500;

/// Effects that no simulation gives.
const IN_CONTAINERS_ALONE: [&str; 2] = ["cpu", "memory"];

/// A gateway that comes back to what failed almost at once, and asks its services again and again: what is left alone
/// shows no fault.
const SETTINGS: [(&str, &str); 4] = [
    ("GATEWAY_BREAKER_OPEN", "50ms"),
    ("GATEWAY_CACHE_TTL", "1s"),
    ("GATEWAY_CACHE_WARMING", "0s"),
    ("GATEWAY_CACHE_FAILURES", "1000"),
];

fn effects() -> impl Iterator<Item = &'static Facts> {
    // No simulation has TLS.
    let given = Effect::ALL.iter().filter(|facts| facts.level != Level::Tls);
    given.filter(|facts| !IN_CONTAINERS_ALONE.contains(&facts.name))
}

/// The scenario's text.
pub(crate) fn scenario(system: &Path) -> String {
    let (services, links): (Vec<_>, Vec<_>) = effects().partition(|facts| facts.level == Level::Services);
    let ends = (links.len() * STEP + LASTS).max(services.len() * SERVICE_STEP) + 3000;
    let mut text = format!("title = \"every effect, many at once\"\nsystem = {system:?}\n[set]\n");
    for (name, value) in SETTINGS {
        let _ = writeln!(text, "service.gateway.env.{name} = {value:?}");
    }
    let _ = write!(
        text,
        "[load]\nrequest = \"GET /api/profile/{{user}}\"\nrate = \"100/s\"\nduration = \"{ends}ms\"\n\
         vars.user = \"zipf 1..300\"\ntimeout = \"2s\"\n\
         [[expect]]\nthat = \"some are served\"\nduring = \"run\"\nunanswered.any = \"< 99%\"\n"
    );
    for (n, facts) in links.iter().enumerate() {
        fault(&mut text, facts, link(facts, n), (1000 + n * STEP, LASTS));
        text.push_str(for_whom(facts));
    }
    for (n, facts) in services.iter().enumerate() {
        let service = ["redis", "product-service"][if facts.name == "flush" { 0 } else { n % 2 }];
        fault(&mut text, facts, service, (1000 + n * SERVICE_STEP, SERVICE_LASTS));
    }
    text
}

fn link(facts: &Facts, n: usize) -> &'static str {
    match (facts.level, facts.name) {
        // Links of their own: on the others, most effects would find nothing to act on.
        (_, "refuse") => "gateway -> order-service",
        (_, "blackhole") => "gateway -> product-service",
        (Level::Connections, _) => ["gateway -> user-service", "client -> gateway", "gateway -> redis"][n % 3],
        (Level::Requests, _) => ["gateway -> product-service", "gateway -> user-service"][n % 2],
        (Level::Messages | Level::Commands | Level::Tls | Level::Services, _) => "gateway -> redis",
    }
}

/// For how many it is, when, and for which: as few as leave others something to act on, as many as are sure to be met.
fn for_whom(facts: &Facts) -> &'static str {
    match (facts.level, facts.name) {
        // What takes a whole port can't be shared out, so it comes and goes.
        (_, "refuse" | "hang" | "blackhole") => "pulse = \"200ms of 1s\"\n",
        // Connections are few and are kept, so a small share of them may be nobody's; these let traffic pass.
        (_, "latency" | "bandwidth" | "dial-delay" | "slice" | "limit") => "",
        (Level::Connections, _) => "share = \"50%\"\n",
        // Those that end the connection to Redis, which comes back after half a second at the soonest. By the key, what
        // the gateway asks when it connects is spared.
        (_, "truncate" | "close" | "lose") => "share = \"5%\"\nonly.key = \"gateway:profile:*\"\n",
        (Level::Messages | Level::Commands, _) => "share = \"50%\"\nonly.key = \"gateway:profile:*\"\n",
        (Level::Requests, _) => "share = \"20%\"\n",
        (Level::Tls | Level::Services, _) => "",
    }
}

fn fault(text: &mut String, facts: &Facts, on: &str, (at, lasts): (usize, usize)) {
    let (name, example) = (fault_name(facts), facts.example);
    let _ = write!(text, "[[fault]]\nname = {name:?}\non = {on:?}\n{example}\nat = \"{at}ms\"\nfor = \"{lasts}ms\"\n");
}

fn fault_name(facts: &Facts) -> String {
    format!("a-{}", facts.name)
}

/// The faults that fired in any of some runs.
#[derive(Debug, Default)]
pub(crate) struct FiredIn(BTreeSet<String>);

impl FiredIn {
    /// Takes in the events of one run, one a line.
    pub(crate) fn fold(&mut self, events: &[u8]) -> Result<(), String> {
        for line in events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record: Record = serde_json::from_slice(line).map_err(|error| format!("no event: {error}"))?;
            if let Event::FaultRemoved { fault, fired, .. } = record.event
                && fired.any()
            {
                self.0.insert(fault);
            }
        }
        Ok(())
    }

    /// The effects that never did anything.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        effects().filter(|facts| !self.0.contains(&fault_name(facts))).map(|facts| facts.name).collect()
    }
}
