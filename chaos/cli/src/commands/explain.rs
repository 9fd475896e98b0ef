//! `chaos explain FILE…`: what a scenario would do, in words; starts nothing.

use super::read;
use crate::{args::Explain, exit::Exit, machine::Machine};
use chaos_model::{ComposePorts, Image, Scenario, Scope, Service, Start, quantity::show_duration};
use std::{fmt::Write as _, io::Write as _};

pub(crate) fn explain(machine: &Machine, args: &Explain) -> Exit {
    let files = match read::files(&args.reading.files) {
        Ok(files) => files,
        Err(why) => return super::refuse("explain", &why),
    };
    let sets = read::sets(&args.reading.sets);
    let mut exit = Exit::Pass;
    let mut out = std::io::stdout().lock();
    for (index, file) in files.iter().enumerate() {
        match read::load(machine, file, &sets) {
            Some(scenario) => {
                let gap = if index == 0 { "" } else { "\n" };
                let text = format!("{gap}{}: {}\n{}", file.display(), scenario.title, words(&scenario));
                // A reader that has seen enough is no failure.
                let _ = out.write_all(text.as_bytes());
            }
            None => exit = Exit::Invalid,
        }
    }
    exit
}

fn words(scenario: &Scenario) -> String {
    let sections = [
        ("services", services(scenario)),
        ("links", links(scenario)),
        ("load", load(scenario)),
        ("timeline", timeline(scenario)),
        ("expectations", expectations(scenario)),
        ("guards", guards(scenario)),
    ];
    let mut text = String::new();
    for (title, lines) in sections.iter().filter(|(_, lines)| !lines.is_empty()) {
        let _ = write!(text, "\n{title}\n");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

fn services(scenario: &Scenario) -> Vec<String> {
    let system = &scenario.system;
    let width = system.services.keys().map(String::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for service in system.services.values() {
        let of_compose = system.compose.as_ref().and_then(|compose| compose.services.get(&service.name));
        let ready = match (&service.ready, of_compose) {
            (Some(ready), _) => format!("ready by {ready}"),
            (None, Some(of_file)) if of_file.is_task => "ready when it has ended well".to_owned(),
            (None, Some(_)) => format!("ready by its health check, else by {}", service.protocol.ready.words()),
            (None, None) => format!("ready by {}", service.protocol.ready.words()),
        };
        let entry = if service.name == system.entry { ", the entry" } else { "" };
        lines.push(format!("{:width$}  {} ({}{entry}), {ready}", service.name, start(service), service.protocol));
        let (setup, teardown) = (&service.errands.setup, &service.errands.teardown);
        let commands = [("setup", setup), ("teardown", teardown)];
        let commands = commands.into_iter().flat_map(|(what, all)| all.iter().map(move |words| (what, line(words))));
        lines.extend(commands.map(|(what, words)| format!("{:width$}    {what}: {words}", "")));
        lines.extend(service.env.iter().map(|(name, value)| format!("{:width$}    {name}={}", "", value)));
    }
    lines
}

fn start(service: &Service) -> String {
    match &service.start {
        Start::Program(name) => format!("program {name}"),
        Start::Command(words) => line(words),
        Start::Address(address) => format!("runs already at {address}"),
        Start::Image(Image { reference, command, port }) => {
            let command = if command.is_empty() { String::new() } else { format!(" with {}", line(command)) };
            let port = port.map(|port| format!(", port {port}")).unwrap_or_default();
            format!("image {reference}{command}{port}")
        }
        Start::Compose(ComposePorts { main, more }) => {
            let ports: Vec<String> = main.iter().chain(more).map(ToString::to_string).collect();
            let ports = if ports.is_empty() { String::new() } else { format!(", port {}", ports.join(", ")) };
            format!("as Compose runs it{ports}")
        }
    }
}

fn line(words: &[chaos_model::Template]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn links(scenario: &Scenario) -> Vec<String> {
    let system = &scenario.system;
    let line = |link: &chaos_model::Link| {
        let tls = if system.passes_tls(link) {
            " (TLS, which passes as bytes)"
        } else if system.ends_tls(link) {
            " (TLS, which ends on the link and is begun anew; in the world `sim` there is none)"
        } else {
            ""
        };
        format!("{link}{tls}")
    };
    let mut lines: Vec<_> = system.links.iter().map(line).collect();
    if system.compose.is_some() {
        lines.push(
            "Each service finds proxies under the names and ports that it knows from the Compose file.".to_owned(),
        );
        return lines;
    }
    lines.push("Each link gets a proxy, and each service and proxy a free port on 127.0.0.1.".to_owned());
    lines
}

fn load(scenario: &Scenario) -> Vec<String> {
    let load = &scenario.load;
    let arrivals = match load.arrivals {
        chaos_model::Arrivals::Poisson => "Poisson",
        chaos_model::Arrivals::Constant => "constant",
    };
    let warmup = if load.warmup.is_zero() {
        String::new()
    } else {
        format!(", after a warm-up of {}", show_duration(load.warmup))
    };
    let total = load.stages.in_window(std::time::Duration::ZERO, load.duration());
    let what = if load.has_journeys() { "journeys, each of their requests" } else { "requests, each" };
    let mut lines = vec![format!(
        "{} ({arrivals}) for {}{warmup}: about {total} {what} given up after {}",
        load.stages,
        show_duration(load.duration()),
        show_duration(load.timeout),
    )];
    lines.extend(load.vars.iter().map(|(name, variable)| format!("{{{name}}} is {variable}")));
    for steps in load.journeys() {
        lines.extend(journey(&load.requests[steps]));
    }
    lines
}

/// A line a step; a request by itself has one.
fn journey(steps: &[chaos_model::Request]) -> Vec<String> {
    let Some(first) = steps.first() else { return Vec::new() };
    if let [only] = steps {
        return vec![format!("{} (weight {})", only.line(), only.weight)];
    }
    let name = first.step.journey.as_deref().unwrap_or("journey");
    let step = |request: &chaos_model::Request| {
        let think = request.step.think;
        let after = if think.most.is_zero() { String::new() } else { format!(", {think} after the one before") };
        let taken = request.step.captures.iter().map(|capture| format!(", takes {{{}}} from {capture}", capture.name));
        format!("  {}. {}{after}{}", request.step.nth + 1, request.line(), taken.collect::<String>())
    };
    std::iter::once(format!("{name} (weight {})", first.weight)).chain(steps.iter().map(step)).collect()
}

fn timeline(scenario: &Scenario) -> Vec<String> {
    let phases = &scenario.timeline.phases;
    let width = phases.iter().map(|phase| phase.name.len()).max().unwrap_or(0);
    let line = |phase: &chaos_model::Phase| {
        let fault = scenario.faults.iter().find(|fault| fault.name == phase.name);
        let what = fault.map_or_else(String::new, |fault| format!("  {}", chaos_report::fault(fault)));
        let window = format!("{}..{}", show_duration(phase.from), show_duration(phase.to));
        format!("{:width$}  {window}{what}", phase.name)
    };
    phases.iter().map(line).collect()
}

fn expectations(scenario: &Scenario) -> Vec<String> {
    let mut lines = Vec::new();
    for expectation in &scenario.expectations {
        let when = match &expectation.scope {
            Scope::During(phase) => format!("during {phase}"),
            Scope::Across(fault) => format!("of what is under way when {fault} begins"),
            Scope::After { fault, within } if within.is_zero() => format!("after {fault}"),
            Scope::After { fault, within } => format!("within {} after {fault}", show_duration(*within)),
        };
        let of = expectation.of.as_ref().map(|of| format!(", of {}", of.said)).unwrap_or_default();
        lines.push(format!("{} ({when}{of})", expectation.that));
        lines.extend(expectation.checks.iter().map(|check| format!("  {}", check.subject)));
    }
    lines
}

fn guards(scenario: &Scenario) -> Vec<String> {
    let mut lines = Vec::new();
    for guard in &scenario.guards {
        lines.push(format!("without {}", guard.without));
        lines.extend(guard.set.iter().map(|set| format!("  {} = {:?}", set.path, set.value)));
        lines.extend(guard.breaks.iter().map(|that| format!("  breaks: {that}")));
        lines.extend(guard.may_break.iter().map(|that| format!("  may break: {that}")));
    }
    lines
}
