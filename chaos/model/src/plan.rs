//! The plan of a run: what a recording holds of its scenario, so that whoever reads it needs no other file.

use crate::{
    Arrivals, Expectation, Link, Load, Rate, Scenario, Scope, Sources, Span, Stage, Stages, Start, System, Template,
    protocol::Transport,
    quantity::show_duration,
    responses::Marker,
    secret::{masked_command, masked_setting, masked_sources, masked_text},
    system::Service,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// The scenario of a run, in the words of its files and without the secrets in them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The system under test.
    pub system: PlannedSystem,
    /// The load that clients put on it.
    pub load: PlannedLoad,
    /// The expectations that are judged, in the order of the scenario.
    pub expectations: Vec<PlannedExpectation>,
    /// The guards.
    pub guards: Vec<PlannedGuard>,
    /// The texts that the scenario was read from, in the order of [`Span::source`]; secrets are masked in their places.
    pub sources: Sources,
    /// Places of secrets that were masked, as `system.toml:12: service.gateway.env.AUTH_KEY`.
    pub masked: Vec<String>,
}

/// The system under test.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedSystem {
    /// The service that clients talk to.
    pub entry: String,
    /// The services, by name.
    pub services: Vec<PlannedService>,
    /// The links: who uses whom.
    pub links: Vec<PlannedLink>,
    /// The markers that its responses have: what is not here is known of none.
    #[serde(default)]
    pub markers: Vec<Marker>,
}

/// A service of the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedService {
    /// The service's name.
    pub name: String,
    /// The program, command or image that it is started from: `program gateway`, `command ./server --port {self.port}`, `image redis:7.2`.
    pub starts: String,
    /// The name of the protocol that it speaks.
    pub protocol: String,
}

/// A link of the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedLink {
    /// The link as written: `gateway -> redis`.
    pub link: String,
    /// The name of the protocol that is spoken on it.
    pub protocol: Option<String>,
    /// The transport below that, where it is not plain.
    #[serde(default, skip_serializing_if = "Transport::is_plain")]
    pub transport: Transport,
}

/// The load: the requests, and when they arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedLoad {
    /// The rate at which journeys begin, at the beginning where there are stages.
    pub rate: Rate,
    /// The stages of the rate, where it is not always the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// The spread of arrivals in time.
    pub arrivals: Arrivals,
    /// The length of the timeline.
    #[serde(rename = "duration_us", with = "crate::micros")]
    pub duration: Duration,
    /// The time before the timeline in which there is load already.
    #[serde(rename = "warmup_us", with = "crate::micros")]
    pub warmup: Duration,
    /// The time after which a client gives a request up.
    #[serde(rename = "timeout_us", with = "crate::micros")]
    pub timeout: Duration,
    /// The variables of requests, as written: `zipf 1..500`.
    pub vars: BTreeMap<String, String>,
    /// The requests.
    pub requests: Vec<PlannedRequest>,
}

impl PlannedLoad {
    /// The rate of arrivals over the timeline.
    #[must_use]
    pub fn rates(&self) -> Stages {
        Stages::new(self.stages.clone()).unwrap_or_else(|| Stages::constant(self.rate, self.duration))
    }
}

impl Default for PlannedLoad {
    /// No load at all.
    fn default() -> Self {
        let none = Duration::ZERO;
        let rate = Rate { times: 0, per: Duration::from_secs(1) };
        Self {
            rate,
            stages: Vec::new(),
            arrivals: Arrivals::default(),
            duration: none,
            warmup: none,
            timeout: none,
            vars: BTreeMap::new(),
            requests: Vec::new(),
        }
    }
}

/// A request of the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRequest {
    /// The request's name, by which slices count it.
    pub name: String,
    /// The weight of its journey among the others.
    pub weight: u32,
    /// The step of its journey, from 0. A request by itself is a journey of one step.
    #[serde(default, skip_serializing_if = "is_first")]
    pub step: u32,
    /// The name of its journey, where that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journey: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_first(step: &u32) -> bool {
    *step == 0
}

/// An expectation, with its words and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedExpectation {
    /// The expectation's name.
    pub that: String,
    /// The time in which it must hold, and of which requests, in words: `outage`, `within 2s after outage, of checkout`.
    pub when: String,
    /// The expectation's place.
    pub place: SourcePlace,
    /// The comparisons that it consists of.
    pub checks: Vec<PlannedCheck>,
}

/// A comparison of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCheck {
    /// The number by which the comparison is known in its scenario.
    pub id: usize,
    /// The comparison as written: `latency.p99 < 50ms`.
    pub expected: String,
    /// The comparison's place.
    pub place: SourcePlace,
}

/// A place in the source texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePlace {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The place in the texts themselves.
    pub span: Span,
}

/// A guard: a protection that can be taken away, and what must break then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGuard {
    /// The protection, in words.
    pub without: String,
    /// The settings that take it away, as `service.gateway.env.GATEWAY_CACHE=off`.
    pub set: Vec<String>,
    /// The expectations that must break.
    pub breaks: Vec<String>,
    /// The expectations that may break too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_break: Vec<String>,
}

impl Plan {
    /// The plan of this scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let (sources, masked) = masked_sources(&scenario.sources);
        let place = |span: &Span| {
            let (file, line, _) = scenario.sources.position(span);
            SourcePlace { file: file.to_owned(), line, span: span.clone() }
        };
        let expectations = scenario.expectations.iter().map(|expectation| {
            let check = |check: &crate::Check| PlannedCheck {
                id: check.id.0,
                expected: check.subject.words(),
                place: place(&check.span),
            };
            PlannedExpectation {
                that: expectation.that.clone(),
                when: when(expectation),
                place: place(&expectation.span),
                checks: expectation.checks.iter().map(check).collect(),
            }
        });
        let guards = scenario.guards.iter().map(|guard| PlannedGuard {
            without: guard.without.clone(),
            set: guard.set.iter().map(|set| masked_setting(&format!("{}={}", set.path, set.value))).collect(),
            breaks: guard.breaks.clone(),
            may_break: guard.may_break.clone(),
        });
        Self {
            system: planned_system(&scenario.system),
            load: planned_load(&scenario.load),
            expectations: expectations.collect(),
            guards: guards.collect(),
            sources,
            masked,
        }
    }
}

/// The time in which an expectation must hold, and of which requests, in words: `outage`, `across outage`, `within 2s after
/// outage, of checkout`.
#[must_use]
pub fn when(expectation: &Expectation) -> String {
    let when = match &expectation.scope {
        Scope::During(phase) => phase.clone(),
        Scope::Across(fault) => format!("across {fault}"),
        Scope::After { fault, within } if within.is_zero() => format!("after {fault}"),
        Scope::After { fault, within } => format!("within {} after {fault}", show_duration(*within)),
    };
    expectation.of.as_ref().map_or(when.clone(), |of| format!("{when}, of {}", of.said))
}

fn planned_system(system: &System) -> PlannedSystem {
    let service = |service: &Service| PlannedService {
        name: service.name.clone(),
        starts: starts(&service.start),
        protocol: service.protocol.to_string(),
    };
    let link = |link: &Link| PlannedLink {
        link: link.to_string(),
        protocol: system.services.get(&link.to).map(|service| service.protocol.to_string()),
        transport: system.stack(link).transport,
    };
    PlannedSystem {
        entry: system.entry.clone(),
        services: system.services.values().map(service).collect(),
        links: system.links.iter().map(link).collect(),
        markers: system.responses.markers(),
    }
}

fn starts(start: &Start) -> String {
    let line =
        |words: &[Template]| masked_command(&words.iter().map(ToString::to_string).collect::<Vec<_>>()).join(" ");
    match start {
        Start::Program(name) => format!("program {name}"),
        Start::Command(words) => format!("command {}", line(words)),
        Start::Address(address) => format!("address {address}"),
        Start::Image(image) if image.command.is_empty() => format!("image {}", image.reference),
        Start::Image(image) => format!("image {} with {}", image.reference, line(&image.command)),
        Start::Compose(_) => "as its Compose file says".to_owned(),
    }
}

fn planned_load(load: &Load) -> PlannedLoad {
    // Without a name of its own, a request is called by its line, which may have a token in its query.
    let request = |request: &crate::Request| PlannedRequest {
        name: masked_text(&request.name),
        weight: request.weight,
        step: request.step.nth,
        journey: request.step.journey.clone(),
    };
    PlannedLoad {
        rate: load.stages.first(),
        stages: if load.stages.only_rate().is_some() { Vec::new() } else { load.stages.all().to_vec() },
        arrivals: load.arrivals,
        duration: load.duration(),
        warmup: load.warmup,
        timeout: load.timeout,
        vars: load.vars.iter().map(|(name, variable)| (name.clone(), variable.to_string())).collect(),
        requests: load.requests.iter().map(request).collect(),
    }
}
