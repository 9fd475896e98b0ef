//! The cost of simulating the bundled system: client, proxies, gateway, Redis and three services in one thread.
//!
//! `cargo bench -p chaos-cli --bench simulation`. Each figure is one core's time for a whole run, its start and its
//! judgement included. Items a second are simulated seconds (`seconds`, `idle_hour`), requests (`requests`).

use chaos_model::{Scenario, language::load};
use chaos_sim::Simulation;
use divan::{Bencher, counter::ItemsCount};
use std::{fmt::Write as _, io, path::Path};

/// The command's.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

fn main() {
    divan::main();
}

fn simulation() -> Simulation {
    Simulation::new()
        .seed(1)
        .program("gateway", |host| async { Ok(gateway::run(host).await?) })
        .program("user-service", |host| async { Ok(services::user::run(host).await?) })
        .program("order-service", |host| async { Ok(services::order::run(host).await?) })
        .program("product-service", |host| async { Ok(services::product::run(host).await?) })
        .program("redis", |host| async { Ok(chaos_redis::run(host).await?) })
}

/// A scenario of the bundled system, with more in its system's file and more of its own.
fn scenario(rate: &str, duration: &str, services: &str, more: &str) -> Scenario {
    let text = format!(
        "title = \"a bench\"\n[load]\nrequest = \"GET /api/profile/{{user}}\"\nrate = \"{rate}\"\nduration = \"{duration}\"\n\
         vars.user = \"zipf 1..500\"\n[[expect]]\nthat = \"all are served\"\nduring = \"run\"\nstatus.200 = \">= 50%\"\n{more}"
    );
    let system = format!("{SYSTEM}{services}");
    let read = |path: &Path| match path.to_str() {
        Some("bench.toml") => Ok(text.clone()),
        Some("system.toml") => Ok(system.clone()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("bench.toml"), &[], &read).unwrap_or_else(|wrong| panic!("{}", wrong.render(false, 100)))
}

fn run(bencher: Bencher<'_, '_>, items: u64, scenario: &Scenario) {
    let simulation = simulation();
    // A run that ends at its start would be quick.
    simulation.run_scenario("bench.toml", scenario.clone()).expect("it runs").assert_passed();
    bencher.counter(ItemsCount::new(items)).bench(|| simulation.run_scenario("bench.toml", scenario.clone()));
}

/// A minute at so many requests a second.
#[divan::bench(args = [1, 10, 100, 1000], sample_count = 10, sample_size = 1)]
fn seconds(bencher: Bencher<'_, '_>, rate: u64) {
    run(bencher, 60, &scenario(&format!("{rate}/s"), "60s", "", ""));
}

/// The same, counted in requests.
#[divan::bench(args = [100, 1000], sample_count = 10, sample_size = 1)]
fn requests(bencher: Bencher<'_, '_>, rate: u64) {
    run(bencher, 60 * rate, &scenario(&format!("{rate}/s"), "60s", "", ""));
}

/// An hour in which next to nothing happens: one request, and what programs do by themselves.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn idle_hour(bencher: Bencher<'_, '_>) {
    run(bencher, 3600, &scenario("2/h", "1h", "", ""));
}

/// A minute at 100 requests a second, with so many more services, each of which is there and used by nobody.
#[divan::bench(args = [0, 10, 100], sample_count = 5, sample_size = 1)]
fn more_services(bencher: Bencher<'_, '_>, services: u64) {
    let mut text = String::new();
    for n in 0..services {
        let _ = write!(text, "[service.user-{n}]\nprogram = \"user-service\"\nready = \"GET /health\"\n");
    }
    run(bencher, 60, &scenario("100/s", "60s", &text, ""));
}

/// The same, with so many more links of the gateway's, which it doesn't know what to do with.
#[divan::bench(args = [0, 10, 100], sample_count = 5, sample_size = 1)]
fn more_links(bencher: Bencher<'_, '_>, links: u64) {
    let mut text = String::new();
    for n in 0..links {
        let _ = writeln!(text, "env.UNUSED_{n} = \"{{redis#n{n}}}\"");
    }
    run(bencher, 60, &scenario("100/s", "60s", &text, ""));
}

/// The same, with so many faults on the way of each request, which delay one in a thousand.
#[divan::bench(args = [0, 1, 10, 30], sample_count = 5, sample_size = 1)]
fn more_faults(bencher: Bencher<'_, '_>, faults: u64) {
    let mut text = String::new();
    for n in 0..faults {
        let _ = write!(
            text,
            "[[fault]]\nname = \"f{n}\"\non = \"client -> gateway\"\neffect = \"delay\"\ndelay = \"1ms\"\n\
             share = \"0.1%\"\nat = \"1s\"\nfor = \"58s\"\n"
        );
    }
    run(bencher, 60, &scenario("100/s", "60s", "", &text));
}
