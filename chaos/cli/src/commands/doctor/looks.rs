//! Looks at this machine: each tries what a run would do, where that leaves nothing behind.

use crate::machine::Machine;
use chaos_report::doctor::{Found, Item, World};
use chaos_supervise::{cgroup, cleanup};
use host::{
    ListenMode,
    tcp::{self, most_descriptors},
};
use std::{path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;

/// Connections through a proxy take two descriptors each: with fewer, a load of some hundreds a second that a fault holds up
/// can't be made.
const DESCRIPTORS: u64 = 4096;

/// Time that a program has to tell its version.
const PATIENCE: Duration = Duration::from_secs(5);

/// All worlds, in the order in which one comes to use them.
pub(super) async fn worlds(machine: &Machine) -> Vec<World> {
    let (engine, images) = engine(machine).await;
    let fault_of_services = match &engine.found {
        Found::Missing(why) => Found::Without(format!("faults on services can't be given; {why}")),
        found => found.clone(),
    };
    let engine_of_others = Item { found: fault_of_services, ..engine.clone() };
    let mut worlds = vec![
        World { name: "sim", items: Vec::new() },
        World { name: "local", items: vec![redis(machine).await, groups(), blackhole(), descriptors()] },
    ];
    if cfg!(feature = "docker") {
        let compose = compose(machine).await;
        worlds.push(World { name: "docker", items: [engine].into_iter().chain(images).chain([compose]).collect() });
    }
    worlds.push(World { name: "attach", items: vec![engine_of_others] });
    worlds
}

/// Items that concern no world alone.
pub(super) async fn others(machine: &Machine) -> Vec<Item> {
    vec![cores(), calibration(machine), left_behind(machine).await]
}

async fn redis(machine: &Machine) -> Item {
    let found = match machine.find_program("redis-server") {
        Some(path) => match chaos_worlds::local::redis_version(&path, PATIENCE).await {
            Some(version) => Found::Yes(format!("{version}, {}", path.display())),
            None => Found::Without(format!("{} does not tell its version, and is not used", path.display())),
        },
        None => Found::Without(
            "none on the path: `program = \"redis\"` is the built-in one then (`apt-get install redis-server`)"
                .to_owned(),
        ),
    };
    Item { name: "redis-server", found }
}

fn groups() -> Item {
    let found = if cgroup::can_be_made() {
        Found::Yes("all that a service starts is known by them".to_owned())
    } else {
        Found::Without(
            "none can be made: a process that leaves its parent, environment and output behind can't be found (root, or a \
             delegated group, as by `systemd-run --user --scope -p Delegate=yes chaos run …`)"
                .to_owned(),
        )
    };
    Item { name: "control groups", found }
}

fn blackhole() -> Item {
    let tried = tcp::host(tcp::Config { seed: 1, ..tcp::Config::loopback("doctor") }).and_then(|host| {
        let listener = host.listen(0)?;
        listener.control().set(ListenMode::Blackhole)
    });
    let found = match tried {
        Ok(()) => Found::Yes("packets can be dropped".to_owned()),
        Err(why) => Found::Without(format!(
            "the effect `blackhole` can't be given ({why}): run as root, or `sudo setcap cap_net_admin+ep` on this program"
        )),
    };
    Item { name: "blackhole", found }
}

fn descriptors() -> Item {
    let found = match most_descriptors() {
        Some(most) if most < DESCRIPTORS => Found::Without(format!(
            "{most} at the most, which a higher load may use up: `ulimit -Hn` as root raises it"
        )),
        Some(most) => Found::Yes(format!("{most} at the most")),
        None => Found::Yes("any number".to_owned()),
    };
    Item { name: "open files", found }
}

/// The engine, and the images that the bundled system needs.
#[cfg(feature = "docker")]
async fn engine(machine: &Machine) -> (Item, Vec<Item>) {
    use chaos_supervise::engine::Engine;
    let name = "engine";
    let place = machine.env.get("DOCKER_HOST").map_or("this machine's", String::as_str).to_owned();
    let connected = match Engine::connect().await {
        Ok(engine) => engine.version().await.map(|version| (engine, version)),
        Err(error) => Err(error),
    };
    let (engine, version) = match connected {
        Ok(connected) => connected,
        Err(error) => {
            let why = format!("none answers, {place} ({error}): start one, or set DOCKER_HOST");
            return (Item { name, found: Found::Missing(why) }, Vec::new());
        }
    };
    let mut items = Vec::new();
    match machine.images(None) {
        Ok(images) => {
            let needed = [
                ("image of ours", images.chaos, "scripts/images"),
                ("image of Redis", images.redis, "scripts/base-images"),
            ];
            for (name, image, script) in needed {
                let found = match engine.has_image(&image).await {
                    Ok(true) => Found::Yes(image),
                    // Systems of others may need none of them.
                    Ok(false) => {
                        Found::Without(format!("{image} is not here, which the bundled system needs: `{script}`"))
                    }
                    Err(error) => Found::Without(format!("{image}: {error}")),
                };
                items.push(Item { name, found });
            }
        }
        Err(why) => items.push(Item { name: "images", found: Found::Without(why) }),
    }
    (Item { name, found: Found::Yes(format!("{version}, {place}")) }, items)
}

#[cfg(not(feature = "docker"))]
async fn engine(_: &Machine) -> (Item, Vec<Item>) {
    let why = "this build knows no engine: build it with the feature `docker`".to_owned();
    (Item { name: "engine", found: Found::Missing(why) }, Vec::new())
}

/// Compose, which the bundled stack is started with.
async fn compose(machine: &Machine) -> Item {
    let tells = async |program: &str, words: &[&str]| {
        let path = machine.find_program(program)?;
        let mut command = Command::new(path);
        let output = command.args(words).stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, output).await.ok()?.ok()?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (output.status.success() && !version.is_empty()).then_some(version)
    };
    let found = match tells("docker", &["compose", "version", "--short"]).await {
        Some(version) => Found::Yes(format!("docker compose {version}")),
        None => match tells("docker-compose", &["version", "--short"]).await {
            Some(version) => Found::Yes(format!("docker-compose {version}")),
            None => Found::Without(
                "none: the Compose stack can't be started (`apt-get install docker-compose`, or Docker's own plugin)"
                    .to_owned(),
            ),
        },
    };
    Item { name: "compose", found }
}

fn cores() -> Item {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = match cores {
        1 => Found::Without(
            "1 core: load, proxies and services take it from each other, so that runs come out inconclusive".to_owned(),
        ),
        cores => Found::Yes(format!("{cores}")),
    };
    Item { name: "cores", found }
}

fn calibration(machine: &Machine) -> Item {
    let found = match crate::state::calibration(machine) {
        Some(_) => Found::Yes("measured, and in the head of each report".to_owned()),
        None => {
            Found::Without("not measured: `chaos calibrate` tells what proxies add here, in ten seconds".to_owned())
        }
    };
    Item { name: "calibration", found }
}

async fn left_behind(machine: &Machine) -> Item {
    let found = async |temp: PathBuf| {
        let found = cleanup::find(&temp).await.map_err(|error| format!("can't read {}: {error}", temp.display()))?;
        Ok::<_, String>(match (found.orphans.len(), found.kept.len()) {
            (0, 0) => Found::Yes("left nothing".to_owned()),
            (0, kept) => Found::Yes(format!("left nothing but logs of runs that did not pass ({kept})")),
            (1, _) => Found::Without("one was killed and left something: `chaos cleanup`".to_owned()),
            (orphans, _) => Found::Without(format!("{orphans} were killed and left something: `chaos cleanup`")),
        })
    };
    let found = match machine.temp_folder() {
        Ok(temp) => found(temp).await,
        Err(why) => Err(why),
    };
    Item { name: "earlier runs", found: found.unwrap_or_else(Found::Without) }
}
