//! The bundled system with a mistake in its gateway, in the simulation.

use chaos_explore::{Budget, Error, Exploration, Options, Subject, explore};
use chaos_model::{Protocol, Verdict, check::CHECKS, language::Known};
use chaos_sim::{Programs, Simulation};
use std::path::Path;

/// The system that ships.
const SYSTEM: &str = include_str!("../../../../../scenarios/system.toml");

/// Few users and short lives, so that within a few seconds profiles are missed, hit, old, and too old. And what its profiles are
/// held to beyond what holds of any system: their age.
const REST: &str = r#"
[load]
request   = "GET /api/profile/{user}"
rate      = "12/s"
duration  = "8s"
vars.user = "uniform 1..10"

[[explore.invariant]]
that    = "no profile is older than it may be"
age.max = "<= 2200ms"
"#;

/// Settings of the gateway.
const SETTINGS: [(&str, &str); 3] =
    [("GATEWAY_CACHE_TTL", "1s"), ("GATEWAY_CACHE_STALE", "1s"), ("GATEWAY_BULKHEAD", "8")];

/// The setting that plants a mistake.
const PLANTED: &str = "service.gateway.env.GATEWAY_PLANTED";

const NAMES: [&str; 5] = ["gateway", "user-service", "order-service", "product-service", "redis"];

fn programs() -> Programs {
    Programs::new()
        .with("gateway", |host| async { Ok(gateway::run(host).await?) })
        .with("user-service", |host| async { Ok(services::user::run(host).await?) })
        .with("order-service", |host| async { Ok(services::order::run(host).await?) })
        .with("product-service", |host| async { Ok(services::product::run(host).await?) })
        .with("redis", |host| async { Ok(chaos_redis::run(host).await?) })
}

/// An exploration of the system with this mistake.
pub(crate) fn explored(mistake: &str, on: &[&str], pairs: bool, cases: u64) -> Result<Exploration, String> {
    let settings = SETTINGS.map(|(name, value)| (format!("service.gateway.env.{name}"), value.to_owned()));
    let sets: Vec<(String, String)> = settings.into_iter().chain([(PLANTED.to_owned(), mistake.to_owned())]).collect();
    let text = format!("title = \"the bundled system\"\n{SYSTEM}{REST}");
    let subject = Subject::read(&text, &sets).map_err(|error| error.to_string())?;
    let known = Known { programs: &NAMES, protocols: Protocol::ALL, checks: CHECKS, ..Known::BUILT_IN };
    let case = Path::new("case.toml");
    let read = |text: &str| chaos_model::language::load_with(case, &[], &known, &|_| Ok(text.to_owned()));
    let on: Vec<String> = on.iter().map(|on| (*on).to_owned()).collect();
    let budget = Budget { cases, is_over: &|| false };
    let options = Options { seed: 1, rate: 12, on: &on, pairs, budget };
    explore(&subject, &read, programs(), &options, &mut |_| ()).map_err(|error| match error {
        Error::Invalid(wrong) => wrong.render(false, 100),
        other => other.to_string(),
    })
}

/// The verdict on a scenario, where the gateway has this mistake.
pub(crate) fn verdict(scenario: &str, mistake: &str, seed: u64) -> Result<Option<Verdict>, String> {
    let simulation = Simulation::new()
        .program("gateway", |host| async { Ok(gateway::run(host).await?) })
        .program("user-service", |host| async { Ok(services::user::run(host).await?) })
        .program("order-service", |host| async { Ok(services::order::run(host).await?) })
        .program("product-service", |host| async { Ok(services::product::run(host).await?) })
        .program("redis", |host| async { Ok(chaos_redis::run(host).await?) });
    let run = simulation.seed(seed).set(PLANTED, mistake).run_text("found.toml", scenario);
    run.map(|run| run.verdict()).map_err(|error| format!("{error:?}"))
}
