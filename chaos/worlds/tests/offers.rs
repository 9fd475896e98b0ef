//! What worlds can give, as their types say: a mistake is shown at its place, and nothing is started.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::{Scenario, Set, language::load};
use chaos_run::{Offer, Runtime as _};
use chaos_sim::SimRuntime;
use chaos_worlds::OFFERS;
use std::{io, path::Path};

const REDIS_DOWN: &str = include_str!("../../../scenarios/redis_down.toml");
const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

fn offers() -> impl Iterator<Item = Offer> {
    std::iter::once(SimRuntime::OFFER).chain(OFFERS)
}

fn offer(world: &str) -> Offer {
    offers().find(|offer| offer.name == world).unwrap()
}

fn scenario(text: &str, sets: &[(&str, &str)]) -> Result<Scenario, String> {
    let read = |path: &Path| match path.to_str() {
        Some("folder/it.toml") => Ok(text.to_owned()),
        Some("folder/system.toml") => Ok(SYSTEM.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let set = |(path, value): &(&str, &str)| Set { path: (*path).to_owned(), value: (*value).to_owned(), span: None };
    let sets: Vec<Set> = sets.iter().map(set).collect();
    load(Path::new("folder/it.toml"), &sets, &read).map_err(|wrong| wrong.render(false, 100))
}

#[test]
fn a_simulation_runs_functions_alone() {
    let fits = |set: (&str, &str), world| {
        let scenario = scenario(REDIS_DOWN, &[set]).unwrap();
        offer(world).check(&scenario).map_err(|wrong| wrong.render(false, 80))
    };
    let real = ("service.redis.program", "redis-server");
    assert_eq!((fits(real, "local"), fits(("load.rate", "100/s"), "sim")), (Ok(()), Ok(())));
    let wrong = fits(real, "sim").unwrap_err();
    assert!(wrong.contains("service `redis` asks for a real Redis"), "{wrong}");
    let text = REDIS_DOWN.replacen(
        "[load]",
        "entry = \"web\"\n[service.web]\ncommand = [\"./web\"]\nprotocol = \"http\"\nmetrics = \"GET /metrics\"\n\
         [responses]\npartial.body.\"$.partial\" = \"== true\"\n[load]",
        1,
    );
    let text = text.replace("gateway -> redis", "client -> web");
    let text = text.split("[[guard]]").next().unwrap().to_owned();
    let own = scenario(&text, &[]).unwrap();
    assert!(offer("local").check(&own).is_ok());
    let wrong = offer("sim").check(&own).unwrap_err().render(false, 80);
    assert!(wrong.contains("runs a command") && wrong.contains("folder/it.toml:"), "{wrong}");
}

/// The bundled system with another Redis, and with another fault than that which ships.
fn in_world(redis: &str, fault: &str, world: &str) -> Result<(), String> {
    let system = SYSTEM.replacen("program  = \"redis\"", redis, 1);
    assert!(system.contains(redis), "{system}");
    in_world_of(&system, fault, world)
}

fn in_world_of(system: &str, fault: &str, world: &str) -> Result<(), String> {
    let text = REDIS_DOWN.replacen("on     = \"gateway -> redis\"\neffect = \"refuse\"", fault, 1);
    assert!(text.contains(fault), "{text}");
    let read = |path: &Path| match path.to_str() {
        Some("it.toml") => Ok(text.clone()),
        Some("system.toml") => Ok(system.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let scenario = load(Path::new("it.toml"), &[], &read).map_err(|wrong| wrong.render(false, 200)).unwrap();
    offer(world).check(&scenario).map_err(|wrong| wrong.render(false, 200))
}

#[test]
fn containers_run_images_and_nothing_else_does() {
    let refuse = "on     = \"gateway -> redis\"\neffect = \"refuse\"";
    let image = "image   = \"redis:7.2\"\ncommand = [\"redis-server\", \"--port\", \"{self.port}\"]\nport    = 6390";
    assert_eq!(in_world(image, refuse, "docker"), Ok(()));
    // One file serves both: what runs already was started from whatever it is.
    assert_eq!(in_world(image, refuse, "attach"), Ok(()));
    for world in ["sim", "local"] {
        let wrong = in_world(image, refuse, world).unwrap_err();
        assert!(
            wrong.contains("error: service `redis` is an image, and ") && wrong.contains("--> system.toml:"),
            "{wrong}"
        );
        assert!(wrong.contains("^^^^^^") && wrong.contains("help: `--world docker` runs it"), "{wrong}");
    }
    let command = "command = [\"redis-server\", \"--port\", \"{self.port}\"]";
    assert_eq!(in_world(command, refuse, "local"), Ok(()));
    let wrong = in_world(command, refuse, "docker").unwrap_err();
    assert!(wrong.contains("service `redis` runs a command, and containers run images"), "{wrong}");
    assert!(wrong.contains("--> system.toml:") && wrong.contains("`--world local` runs it"), "{wrong}");
}

#[test]
fn containers_are_limited_and_nothing_else_is() {
    let program = "program  = \"redis\"";
    for limit in ["effect = \"cpu\"\ncpus = \"0.5\"", "effect = \"memory\"\nbytes = \"64MiB\""] {
        let fault = format!("on     = \"gateway\"\n{limit}");
        assert_eq!(in_world(program, &fault, "docker"), Ok(()));
        for world in ["sim", "local", "attach"] {
            let wrong = in_world(program, &fault, world).unwrap_err();
            assert!(wrong.contains("on `gateway` can't be given here: ") && wrong.contains("--> it.toml:"), "{wrong}");
            assert!(wrong.contains("only docker can limit what a service uses: `--world docker`"), "{wrong}");
        }
    }
    let pause = "on     = \"gateway\"\neffect = \"pause\"";
    for world in ["sim", "local", "docker"] {
        assert_eq!(in_world(program, pause, world), Ok(()));
    }
}

#[test]
fn what_tls_hides_is_refused_where_it_passes() {
    let tls = |program: &str, fault: &str, world: &str| {
        let system = SYSTEM.replacen("redis://{redis}", "rediss://{redis}", 1);
        assert_ne!(system, SYSTEM, "the gateway says by its URL what it speaks");
        let system = system.replacen("program  = \"redis\"", program, 1);
        in_world_of(&system, fault, world)
    };
    let (program, refuse) = ("program  = \"redis\"", "on     = \"gateway -> redis\"\neffect = \"refuse\"");
    let miss = "on     = \"gateway -> redis\"\neffect = \"miss\"";
    for world in ["sim", "local", "docker", "attach"] {
        assert_eq!(tls(program, refuse, world), Ok(()), "{world}");
    }
    assert_eq!((tls(program, miss, "local"), tls(program, miss, "sim")), (Ok(()), Ok(())));
    for world in ["docker", "attach"] {
        let wrong = tls(program, miss, world).unwrap_err();
        let why = format!("on `gateway -> redis` TLS hides what `miss` acts on, in the world `{world}`");
        assert!(wrong.contains(&why) && wrong.contains("asks for TLS"), "{wrong}");
    }
    let file = "program  = \"redis\"\nenv.CERT = \"{self.cert}\"";
    assert_eq!(tls(file, refuse, "local"), Ok(()));
    for world in ["sim", "docker", "attach"] {
        let wrong = tls(file, refuse, world).unwrap_err();
        assert!(wrong.contains(&format!("names `{{self.cert}}`, and the world `{world}` has no such file")), "{wrong}");
    }
    let trusting = "program  = \"redis\"\ntrust = \"env\"";
    for world in ["sim", "local"] {
        assert_eq!(tls(trusting, refuse, world), Ok(()), "{world}");
    }
    for world in ["docker", "attach"] {
        let wrong = tls(trusting, refuse, world).unwrap_err();
        let why = format!("`redis` is to believe the run's authority, and the world `{world}` has none");
        assert!(wrong.contains(&why), "{wrong}");
    }
}
