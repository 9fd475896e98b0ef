//! Right scenarios, and the values that they become.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use chaos_model::effect::{Latency, Refuse, Reset};
use chaos_model::{
    Arrivals, Comparison, Directions, Distribution, Effect, Endpoint, Link, OpenConnections, PhaseKind, Plan, Protocol,
    Rate, Responses, RunFile, Scenario, Scope, ServiceTls, Set, Share, Spread, Start, Target, Template, Text,
    ValueTest, Variable,
    check::{Part, ResponseTest},
    language::{Known, load, load_with},
    load::TextPiece,
    responses::{Age, Condition, Field},
    system::ListenPorts,
};
use std::{fs, io, path::Path, time::Duration};

const REDIS_DOWN: &str = include_str!("../../../scenarios/redis_down.toml");
const SYSTEM: &str = include_str!("../../../scenarios/system.toml");

fn scenario(text: &str, sets: &[(&str, &str)]) -> Result<Scenario, String> {
    scenario_with(text, sets, &Known::BUILT_IN)
}

fn scenario_with(text: &str, sets: &[(&str, &str)], known: &Known<'_>) -> Result<Scenario, String> {
    let read = |path: &Path| match path.to_str() {
        Some("folder/it.toml") => Ok(text.to_owned()),
        Some("folder/system.toml") => Ok(SYSTEM.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let set = |(path, value): &(&str, &str)| Set { path: (*path).to_owned(), value: (*value).to_owned(), span: None };
    let sets: Vec<Set> = sets.iter().map(set).collect();
    load_with(Path::new("folder/it.toml"), &sets, known, &read).map_err(|wrong| wrong.render(false, 100))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn link(text: &str) -> Link {
    let (from, to) = text.split_once(" -> ").unwrap();
    let from = if from == "client" { Endpoint::Client } else { Endpoint::Service(from.to_owned()) };
    let (to, label) = to.split_once('#').map_or((to, None), |(to, label)| (to, Some(label.to_owned())));
    Link { from, to: to.to_owned(), label }
}

#[test]
fn redis_down_becomes_what_it_says() {
    let read = scenario(REDIS_DOWN, &[]).unwrap();
    assert_eq!(read.title, "Redis goes down under load");
    let load = &read.load;
    assert_eq!(
        (load.stages.only_rate(), load.arrivals),
        (Some(Rate { times: 200, per: seconds(1) }), Arrivals::Poisson)
    );
    assert_eq!((load.duration(), load.warmup, load.timeout), (seconds(12), Duration::ZERO, seconds(5)));
    assert_eq!(load.vars["user"], Variable::Zipf { low: 1, high: 500, exponent: 1.0 });
    assert_eq!(load.requests.len(), 1);
    assert_eq!((load.requests[0].method.as_str(), load.requests[0].weight), ("GET", 1));
    let path = [TextPiece::Plain("/api/profile/".to_owned()), TextPiece::InPath("user".to_owned())];
    assert_eq!(load.requests[0].path.pieces, path);

    assert_eq!(read.faults.len(), 1);
    let fault = &read.faults[0];
    assert_eq!((fault.name.as_str(), &fault.on), ("outage", &Target::Link(link("gateway -> redis"))));
    assert_eq!(fault.effect, Effect::Refuse(Refuse { open: OpenConnections::Reset }));
    assert_eq!((fault.share, fault.at, fault.lasts), (Share::ALL, seconds(4), seconds(4)));
    assert_eq!(read.sources.position(&fault.span), ("folder/it.toml", 9, 1));

    let names: Vec<_> = read.timeline.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names, ["run", "baseline", "outage", "recovery"]);

    let [unnoticed, memory, used] = read.expectations.as_slice() else { panic!("{:?}", read.expectations) };
    assert_eq!(unnoticed.scope, Scope::During("outage".to_owned()));
    let subjects: Vec<_> = unnoticed.checks.iter().map(|check| check.subject.to_string()).collect();
    assert_eq!(subjects, ["status.200 >= 100%", "latency.p99 < 50ms", "partial == 0%"]);
    assert_eq!(read.sources.position(&unnoticed.checks[1].span), ("folder/it.toml", 20, 15));
    let [check, none] = memory.checks.as_slice() else { panic!("{memory:?}") };
    assert_eq!(none.subject.to_string(), "metric.cache_hits_total{tier=\"redis\"} <= 2");
    let (service, selectors) = check.subject.scrapes().unwrap();
    assert_eq!((service, selectors[0].to_string().as_str()), ("gateway", "cache_hits_total{tier=\"memory\"}"));
    assert!(check.subject.to_string().ends_with(" > 0"), "{}", check.subject);
    assert_eq!(used.scope, Scope::After { fault: "outage".to_owned(), within: seconds(2) });

    let [guard] = read.guards.as_slice() else { panic!("{:?}", read.guards) };
    assert_eq!((guard.without.as_str(), guard.breaks.as_slice()), ("the memory tier", &[memory.that.clone()][..]));
    let [set] = guard.set.as_slice() else { panic!("{guard:?}") };
    assert_eq!((set.path.as_str(), set.value.as_str()), ("service.gateway.env.GATEWAY_CACHE_MEMORY", "off"));
}

#[test]
fn the_bundled_system_becomes_services_and_links() {
    let system = scenario(REDIS_DOWN, &[]).unwrap().system;
    assert_eq!(system.entry, "gateway");
    assert_eq!(system.services.len(), 5);
    let redis = &system.services["redis"];
    assert_eq!((&redis.start, redis.protocol), (&Start::Program("redis".to_owned()), Protocol::REDIS));
    let gateway = &system.services["gateway"];
    assert_eq!(gateway.protocol, Protocol::HTTP);
    assert_eq!(gateway.ready.as_ref().unwrap().to_string(), "GET /health/live");
    assert_eq!(gateway.metrics.as_ref().unwrap().path, "/metrics");
    assert_eq!(
        gateway.env["REDIS_URL"].render(&ListenPorts::default(), |to, label| format!("{to}/{label:?}")),
        "redis://redis/None"
    );
    let links: Vec<String> = system.links.iter().map(Link::to_string).collect();
    let wanted = [
        "client -> gateway",
        "gateway -> order-service",
        "gateway -> product-service",
        "gateway -> redis",
        "gateway -> user-service",
    ];
    assert_eq!(links, wanted);
}

/// Everything that the language has, once.
const ALL: &str = include_str!("valid/everything.toml");

#[test]
fn all_keys_of_services_are_taken() {
    let read = scenario(ALL, &[]).unwrap();
    let shop = &read.system.services["shop"];
    let ports = ListenPorts { own: 80, named: [("admin".to_owned(), 81)].into(), ..ListenPorts::default() };
    assert_eq!(shop.env["ADMIN"].render(&ports, |_, _| String::new()), "81");
    assert_eq!(shop.ready.as_ref().unwrap().to_string(), "GET :admin/ready");
    assert_eq!(shop.metrics.as_ref().unwrap().to_string(), "GET /metrics");
    assert_eq!((shop.takes_port("admin"), shop.ports["admin"]), (true, 8081));
    assert_eq!(shop.errands.limit(), seconds(300));
    let lines = |commands: &[Vec<Template>]| -> Vec<String> {
        commands.iter().map(|words| words.iter().map(Template::to_string).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(lines(&shop.errands.setup), ["./migrate {redis}", "./seed"]);
    assert_eq!(lines(&shop.errands.teardown), ["./drop {self.port.admin}"]);
    assert_eq!(shop.working_dir.as_deref(), Some(Path::new("shop")));
    let ready = |name: &str| read.system.services[name].ready.as_ref().map(ToString::to_string);
    assert_eq!(ready("worker.2").unwrap(), "a line like `Listening*on` in its output");
    assert_eq!(ready("db").unwrap(), "the command ./is-ready {self.port}");
    assert_eq!(ready("redis").unwrap(), "a connection");
    let workers = shop.env["WORKERS"].render(&ports, |to, _| format!("{to}:80"));
    assert_eq!(workers, "worker.1:80,worker.2:80");
    assert_eq!(read.system.services["worker.1"].replica_of.as_deref(), Some("worker"));
    let Start::Address(address) = &read.system.services["db"].start else { panic!() };
    assert_eq!(address.to_string(), "db.internal:5432");
}

#[test]
fn the_whole_language_is_taken() {
    let read = scenario(ALL, &[]).unwrap();
    let links: Vec<String> = read.system.links.iter().map(Link::to_string).collect();
    assert_eq!(
        links,
        [
            "client -> shop",
            "redis -> shop",
            "shop -> redis",
            "shop -> redis#sessions",
            "shop -> worker.1",
            "shop -> worker.2"
        ]
    );
    let shop = &read.system.services["shop"];
    let ports = ListenPorts { own: 80, named: [("admin".to_owned(), 81)].into(), ..ListenPorts::default() };
    assert_eq!(shop.env["TEXT"].render(&ports, |_, _| String::new()), "{braces}");
    let Start::Command(words) = &shop.start else { panic!("{shop:?}") };
    let words: Vec<String> =
        words.iter().map(|word| word.render(&ports, |to, label| format!("{to}#{label:?}"))).collect();
    assert_eq!(words, ["./shop", "--port", "80", "--cache=redis#Some(\"sessions\")"]);

    let [get, post, login, order] = read.load.requests.as_slice() else { panic!("{:?}", read.load) };
    let vars = [("item", 7), ("user", 42), ("kind", 1)]
        .map(|(name, value)| (name.to_owned(), chaos_model::Value::Number(value)))
        .into();
    assert_eq!((get.path.render(&vars).as_str(), get.weight), ("/items/7?full=1", 3));
    assert_eq!(get.headers["accept"].render(&vars), "{text}/1");
    assert_eq!(post.headers["accept"].render(&vars), "all");
    assert_eq!(post.body.as_ref().unwrap().render(&vars), "{\"id\": 42}");
    assert_eq!(read.load.journeys().collect::<Vec<_>>(), [0..1, 1..2, 2..4]);
    assert_eq!((login.name.as_str(), login.weight, login.step.nth), ("login", 2, 0));
    assert_eq!(login.headers["cookie"].to_string(), "lang=de");
    assert_eq!(login.basic.as_ref().map(ToString::to_string).as_deref(), Some("shop:{env:SHOP_PASSWORD}"));
    let captures: Vec<String> = login.step.captures.iter().map(ToString::to_string).collect();
    assert_eq!(captures, ["$.token", "header location regex /orders/([0-9]+)"]);
    assert_eq!((order.name.as_str(), order.weight, order.step.nth), ("PUT /orders/{place}", 2, 1));
    assert_eq!((order.step.journey.as_deref(), order.step.think.to_string().as_str()), (Some("buy"), "1s..3s"));
    assert_eq!(order.headers["authorization"].to_string(), "Bearer {token}");
    assert_eq!(order.headers["x-key"].to_string(), "{env:KEY}");
    assert_eq!(order.headers["content-type"].to_string(), "application/x-www-form-urlencoded");
    assert_eq!(order.body.as_ref().unwrap().render(&vars), "user=42&note=a%20b");
    let missing: Vec<&str> = read.load.secrets.missing().map(|(name, _)| name).collect();
    assert_eq!(missing, ["env:SHOP_PASSWORD", "env:KEY"], "that is no mistake of the file");
    assert_eq!(read.load.stages.only_rate(), Some(Rate { times: 6000, per: seconds(60) }));
    assert_eq!(read.load.warmup, Duration::from_millis(1500));

    let slow = Effect::Latency(Latency::of(
        Spread {
            mean: Duration::from_millis(200),
            jitter: Duration::from_millis(20),
            distribution: Distribution::Normal,
        },
        Directions::Both,
    ));
    assert_eq!((&read.faults[0].effect, read.faults[0].share), (&slow, Share { parts: 1, whole: 8 }));
    assert_eq!(read.faults[1].effect, Effect::Reset(Reset::after(Duration::from_millis(100))));
    assert_eq!(read.faults[2].effect, Effect::Refuse(Refuse { open: OpenConnections::Keep }));

    let Responses { good, partial, stale, age, instance } = &read.system.responses;
    let fields =
        |all: &[Condition]| all.iter().map(|one| (one.field.clone(), one.test.to_string())).collect::<Vec<_>>();
    let (body, header) = (|path: &str| Field::Body(path.to_owned()), |name: &str| Field::Header(name.to_owned()));
    assert_eq!(fields(good), [(Field::Status, "200..399".to_owned()), (body("$.ok"), "== true".to_owned())]);
    let wanted = [(body("$.degraded[0]"), "exists"), (header("x-partial"), "== true"), (Field::Status, "== 206")];
    assert_eq!(fields(partial), wanted.map(|(field, test)| (field, test.to_owned())));
    assert_eq!(fields(stale), [(header("x-cache"), "!= FRESH".to_owned())]);
    let (second, ms) = (seconds(1), Duration::from_millis(1));
    let ages = [(header("age"), second), (body("$.meta.parts.*.age_ms"), ms)];
    assert_eq!(*age, ages.map(|(field, unit)| Age { field, unit }));
    assert_eq!(instance.as_deref(), Some("x-served-by"));

    let picky = &read.faults[3];
    assert_eq!(picky.only.to_string(), "GET|POST, path /items/*, query full=*");
    let except = picky.except.as_ref().map(ToString::to_string);
    assert_eq!(except.as_deref(), Some("path /items/7, query full=2, header accept: all, number 3"));
    let of = |that: &str| {
        let expectation = read.expectations.iter().find(|expectation| expectation.that == that).unwrap();
        expectation.of.as_ref().map(|of| (of.said.as_str(), of.places.as_slice()))
    };
    assert_eq!((of("some of them"), of("healed")), (Some(("items", [0].as_slice())), None));

    let window = read.timeline.phase("4s..8s").unwrap();
    assert_eq!((window.kind, window.from, window.to), (PhaseKind::Window, seconds(4), seconds(8)));
    assert!(read.timeline.phase("recovery").is_none());
    assert_eq!(read.expectations[1].scope, Scope::During("run".to_owned()));
}

#[test]
fn how_a_fault_is_taken() {
    let read = scenario(ALL, &[]).unwrap();
    let subjects = |that: &str| {
        let expectation = read.expectations.iter().find(|expectation| expectation.that == that).unwrap();
        let scraped = |check: &chaos_model::Check| check.subject.scrapes().map_or(0, |(_, selectors)| selectors.len());
        let shown = |check: &chaos_model::Check| (check.subject.to_string(), scraped(check));
        (expectation.scope.clone(), expectation.checks.iter().map(shown).collect::<Vec<_>>())
    };
    let (scope, noticed) = subjects("noticed");
    assert_eq!(scope, Scope::During("slow".to_owned()));
    let wanted = [
        ("detect.time < 2s", 0),
        ("calls.'shop -> redis#sessions GET' <= 1.1 per request", 0),
        ("calls.'client -> shop' <= 150/s", 0),
        ("detect.breaker{state=\"open\"} <= 500ms", 1),
        ("age.max < 330s", 0),
        ("amplification.calls_total / first_total{kind=\"a\"} <= 1.2", 2),
    ];
    assert_eq!(noticed, wanted.map(|(text, selectors)| (text.to_owned(), selectors)));
    let (scope, healed) = subjects("healed");
    assert_eq!(scope, Scope::After { fault: "slow".to_owned(), within: Duration::ZERO }, "from its end on");
    let wanted = [("recovery.time < 1s", 0), ("herd.http_requests_total < 1.5", 1)];
    assert_eq!(healed, wanted.map(|(text, selectors)| (text.to_owned(), selectors)));
}

#[test]
fn faults_of_a_service_take_turns() {
    let taken = |faults: &[(&str, &str, &str, &str)]| {
        let mut text = REDIS_DOWN.to_owned();
        for (n, (on, effect, at, lasts)) in faults.iter().enumerate() {
            text += &format!("[[fault]]\nname = \"f{n}\"\non = \"{on}\"\n{effect}\nat = \"{at}\"\nfor = \"{lasts}\"\n");
        }
        scenario(&text, &[]).map(|_| ())
    };
    let [stop, kill, pause, restart, flush] =
        ["stop", "kill", "pause", "restart", "flush"].map(|effect| format!("effect = \"{effect}\""));
    let cpu = |cpus: &str| format!("effect = \"cpu\"\ncpus = \"{cpus}\"");
    // One ends as the next begins; another service is another matter.
    let after_another = [
        ("redis", kill.as_str(), "1s", "2s"),
        ("redis", &pause, "3s", "2s"),
        ("redis", &stop, "5s", "1s"),
        ("redis", &flush, "6s", "1s"),
        ("gateway", &restart, "1s", "6s"),
    ];
    assert_eq!(taken(&after_another), Ok(()));
    // Within a pulse, and between two.
    let pulsing = format!("{kill}\npulse = \"1s of 4s\"");
    assert_eq!(taken(&[("redis", &pulsing, "1s", "8s"), ("redis", &pause, "2s", "3s")]), Ok(()));
    taken(&[("redis", &pulsing, "1s", "8s"), ("redis", &pause, "2s", "4s")]).unwrap_err();
    // Limits go with what leaves the service running, with one another, and with what comes later.
    let limited =
        [("redis", cpu("0.5")), ("redis", cpu("0.2")), ("redis", pause.clone()), ("gateway", restart.clone())];
    let limited = limited.each_ref().map(|(on, effect)| (*on, effect.as_str(), "2s", "3s"));
    assert_eq!(taken(&limited), Ok(()));
    assert_eq!(taken(&[("redis", &cpu("0.5"), "1s", "8s"), ("redis", &kill, "2s", "3s")]), Ok(()));
    // What happens at once leaves room for more.
    assert_eq!(taken(&[("redis", &flush, "1s", "8s"), ("redis", &kill, "2s", "3s")]), Ok(()));
    assert_eq!(taken(&[("redis", &restart, "1s", "8s"), ("redis", &flush, "2s", "3s")]), Ok(()));
}

#[test]
fn tests_of_values_are_for_all_unless_they_say_otherwise() {
    let read = scenario(ALL, &[]).unwrap();
    let find = |wanted: &str| {
        let checks = read.expectations.iter().flat_map(|expectation| &expectation.checks);
        let mut found = checks.filter_map(|check| {
            let ResponseTest { part: Part::Body(name) | Part::Header(name), test, .. } = check.subject.test()?;
            let words = check.subject.words();
            let share = words.rsplit(" for ").next()?.to_owned();
            (name == wanted).then(|| (test.clone(), share))
        });
        found.next().unwrap()
    };
    let user = Text { pieces: vec![TextPiece::Variable("user".to_owned())] };
    let none = Text { pieces: vec![TextPiece::Plain("none".to_owned())] };
    assert_eq!(find("$.user.id"), (ValueTest::Equal(user), ">= 100%".to_owned()));
    assert_eq!(find("$.errors[0]"), (ValueTest::Exists, "== 0%".to_owned()));
    assert_eq!(find("x-cache"), (ValueTest::Different(none), ">= 95%".to_owned()));
    let half = (ValueTest::Number(Comparison::Less(5.0)), ">= 50%".to_owned());
    assert_eq!(find("$.n"), half);
}

#[test]
fn settings_are_laid_over_the_files() {
    let sets = [
        ("load.rate", "50/s"),
        ("fault.outage.for", "3s"),
        ("service.gateway.env.GATEWAY_PORT", "9"),
        ("service.redis.command", "[\"redis-server\", \"--port\", \"{self.port}\"]"),
    ];
    let read = scenario(REDIS_DOWN, &sets).unwrap();
    assert_eq!(read.load.stages.only_rate(), Some(Rate { times: 50, per: seconds(1) }));
    assert_eq!(read.faults[0].lasts, seconds(3));
    assert_eq!(
        read.system.services["gateway"].env["GATEWAY_PORT"].render(&ListenPorts::default(), |_, _| String::new()),
        "9"
    );
    let Start::Command(words) = &read.system.services["redis"].start else { panic!("still a program") };
    assert_eq!(words.len(), 3);
    assert_eq!(words[2].render(&ListenPorts { own: 6379, ..ListenPorts::default() }, |_, _| String::new()), "6379");
}

#[test]
fn a_guards_own_settings_can_be_given_back() {
    let guard = scenario(ALL, &[]).unwrap().guards.remove(0);
    let read = |_: &Path| Ok(ALL.to_owned());
    let proven = load(Path::new("folder/it.toml"), &guard.set, &read).unwrap();
    assert_eq!(proven.load.timeout, Duration::from_millis(1500));
    // The places stay those of the file.
    assert_eq!(proven.sources.0.len(), 1);
}

#[test]
fn a_system_may_be_named_and_may_stand_in_the_scenario() {
    let text = REDIS_DOWN.replacen("title", "system = \"../other/sys.toml\"\ntitle", 1);
    let read = |path: &Path| match path.to_str() {
        Some("folder/it.toml") => Ok(text.clone()),
        Some("folder/../other/sys.toml") => Ok(SYSTEM.to_owned()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    assert_eq!(load(Path::new("folder/it.toml"), &[], &read).unwrap().system.services.len(), 5);
    let both = format!("{SYSTEM}\n{}", REDIS_DOWN.replacen("title = \"Redis goes down under load\"", "", 1));
    let inline = format!("title = \"both\"\n{both}");
    let read = |_: &Path| Ok(inline.clone());
    assert_eq!(load(Path::new("it.toml"), &[], &read).unwrap().system.services.len(), 5);
}

#[test]
fn what_files_say_is_read_only_through_the_reader() {
    let asked = std::cell::RefCell::new(Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let read = |path: &Path| {
        asked.borrow_mut().push(path.to_owned());
        fs::read_to_string(path)
    };
    load(&folder.join("redis_down.toml"), &[], &read).unwrap();
    assert_eq!(*asked.borrow(), [folder.join("redis_down.toml"), folder.join("system.toml")]);
}

#[test]
fn a_scenario_sets_what_it_needs_in_a_system_that_it_shares() {
    let set = "title = \"Redis goes down under load\"\n\n[set]\n\"service.gateway.env.GATEWAY_CACHE_TTL\" = \"2s\"\nservice.gateway.env.GATEWAY_CACHE = \"on\"\n";
    let text = REDIS_DOWN.replacen("title = \"Redis goes down under load\"\n", set, 1);
    assert_ne!(text, REDIS_DOWN);
    let ttl = |sets: &[(&str, &str)]| {
        let read = scenario(&text, sets).unwrap();
        let env = &read.system.services["gateway"].env;
        assert!(env.contains_key("GATEWAY_CACHE") && env.contains_key("REDIS_URL"));
        format!("{:?}", env["GATEWAY_CACHE_TTL"])
    };
    assert!(ttl(&[]).contains("2s"));
    // What is said for one run wins.
    assert!(ttl(&[("service.gateway.env.GATEWAY_CACHE_TTL", "3s")]).contains("3s"));
}

#[test]
fn an_expectation_can_be_left_to_some_worlds() {
    let text = format!(
        "{REDIS_DOWN}\n[[expect]]\nthat = \"of processes\"\nduring = \"run\"\nworlds = [\"local\", \"docker\"]\n\
         status.200 = \">= 99%\"\n[[guard]]\nwithout = \"enough load\"\nset.\"load.rate\" = \"300/s\"\n\
         breaks = [\"of processes\"]\n"
    );
    let all = scenario(&text, &[]).unwrap();
    let (here, left) = all.clone().in_world("local");
    assert_eq!((here.expectations.len(), here.guards.len(), left.len()), (4, 2, 0));
    let (there, left) = all.in_world("sim");
    assert_eq!((there.expectations.len(), there.guards.len()), (3, 1));
    assert_eq!(left, ["of processes"]);
    // The model knows of no world: whoever reads a file says which there are.
    let misspelt = text.replace("\"local\"", "\"locale\"");
    assert!(scenario(&misspelt, &[]).is_ok());
    let worlds = Some(&["local", "docker"][..]);
    let wrong = scenario_with(&misspelt, &[], &Known { worlds, ..Known::BUILT_IN }).unwrap_err();
    assert!(wrong.contains("there is no world `locale`") && wrong.contains("did you mean `local`?"), "{wrong}");
}

#[test]
fn an_image_has_its_settings_its_command_and_its_port() {
    let text = REDIS_DOWN.replacen(
        "[load]",
        "entry = \"web\"\n[service.web]\nimage = \"registry:5000/web:1.4\"\nprotocol = \"http\"\nport = 80\n\
         metrics = \"GET /metrics\"\nenv.DB = \"tcp://{db}\"\n[service.db]\nimage = \"db\"\n\
         command = [\"--listen\", \"{self.port}\", \"--cache\", \"{cache}\"]\n[service.cache]\nprogram = \"redis\"\n\
         [responses]\npartial.status = \"== 206\"\n[load]",
        1,
    );
    let text = text.replace("gateway -> redis", "db -> cache");
    let read = scenario(text.split("[[guard]]").next().unwrap(), &[]).unwrap();
    let links: Vec<String> = read.system.links.iter().map(ToString::to_string).collect();
    assert_eq!(links, ["client -> web", "db -> cache", "web -> db"]);
    let Start::Image(web) = &read.system.services["web"].start else { panic!("no image") };
    assert_eq!((web.reference.as_str(), web.command.len(), web.port), ("registry:5000/web:1.4", 0, Some(80)));
    let db = &read.system.services["db"];
    assert_eq!((db.start.command().len(), db.protocol), (4, Protocol::TCP));
    let Start::Image(image) = &db.start else { panic!("no image") };
    assert_eq!(image.port, None);
}

#[test]
fn a_link_has_the_transport_of_the_setting_that_uses_it() {
    let text = r#"
title = "TLS"
entry = "shop"
[service.shop]
command       = ["./shop", "--cache", "rediss://me:pw@{cache}", "{cache#plain}"]
protocol      = "http"
env.STOCK_URL = "https://{stock}"
env.BULK_URL  = "http://{stock#bulk}"
[service.stock]
command  = ["./stock"]
protocol = "http"
[service.cache]
command  = ["./cache"]
protocol = "redis"
[load]
request  = "GET /"
rate     = "10/s"
duration = "1s"
[[expect]]
that         = "it is served"
availability = ">= 99%"
"#;
    let scenario = scenario(text, &[]).unwrap();
    let plan = serde_json::to_value(Plan::of(&scenario)).unwrap();
    let links: Vec<_> = plan["system"]["links"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        links,
        [
            r#"{"link":"client -> shop","protocol":"http"}"#,
            r#"{"link":"shop -> cache","protocol":"redis","transport":"tls"}"#,
            r#"{"link":"shop -> cache#plain","protocol":"redis"}"#,
            r#"{"link":"shop -> stock","protocol":"http","transport":"tls"}"#,
            r#"{"link":"shop -> stock#bulk","protocol":"http"}"#,
        ]
    );
}

#[test]
fn services_say_how_their_certificates_are_met() {
    let text = r#"
title = "TLS"
entry = "shop"
[service.shop]
command   = ["./shop", "--ca", "{run.ca}"]
protocol  = "http"
trust     = "env"
env.PORT  = "{self.port}"
env.A_URL = "https://{a}"
env.B_URL = "https://{b}"
env.C_URL = "https://{c}"
env.D_URL = "https://{d}"
[service.a]
command = ["./a", "{self.port}", "{self.cert}", "{self.key}"]
[service.b]
command = ["./b", "{self.port}"]
tls.ca  = "b.pem"
[service.c]
command      = ["./c", "{self.port}"]
tls.insecure = true
[service.d]
command = ["./d", "{self.port}"]
tls     = "pass"
[load]
request  = "GET /"
rate     = "10/s"
duration = "1s"
[[expect]]
that         = "it is served"
availability = ">= 99%"
"#;
    let read = scenario(text, &[]).unwrap();
    let system = &read.system;
    let tls: Vec<&ServiceTls> = "a b c d".split(' ').map(|name| &system.services[name].tls).collect();
    let believing = ServiceTls::EndedBelieving("b.pem".to_owned());
    assert_eq!(tls, [&ServiceTls::Ended, &believing, &ServiceTls::EndedInsecurely, &ServiceTls::Passed]);
    let ended: Vec<String> =
        system.links.iter().filter(|link| system.ends_tls(link)).map(ToString::to_string).collect();
    assert_eq!(ended, ["shop -> a", "shop -> b", "shop -> c"]);
    assert!(system.services["shop"].trusts_run && !system.services["a"].trusts_run);
    let words = |name: &str| {
        let files = RunFile::ALL.into_iter().map(|file| (file, format!("<{}>", file.place()))).collect();
        let ports = ListenPorts { own: 1, files, ..ListenPorts::default() };
        let words = system.services[name].start.command().iter();
        words.map(|word| word.render(&ports, |_, _| String::new())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((words("shop").as_str(), words("a").as_str()), ("./shop --ca <run.ca>", "./a 1 <self.cert> <self.key>"));
    let warnings = read.warnings().unwrap().render(false, 200);
    assert!(warnings.contains("nobody checks the certificate of `c`"), "{warnings}");
    assert_eq!(warnings.matches("warning: ").count(), 1, "{warnings}");
    let unused = text.replace("https://{b}", "http://{b}");
    let warnings = scenario(&unused, &[]).unwrap().warnings().unwrap().render(false, 200);
    assert!(warnings.contains("`tls` of `b` says nothing of links"), "{warnings}");
}

#[test]
fn a_service_that_speaks_tls_is_asked_so() {
    let text = r#"
title = "it"
entry = "shop"
[service.shop]
command      = ["./shop", "{self.port}"]
protocol     = "http"
tls          = true
ready        = "GET /health"
ports.admin  = 8081
metrics      = "GET https://:admin/metrics"
env.A        = "{a}"
env.B        = "http://{b}"
env.C        = "https://{c}"
env.D        = "{d#admin}"
env.E        = "amqps://{a}"
[service.a]
command  = ["./a", "{self.port}"]
protocol = "http"
tls      = true
ready    = "GET :admin/health"
ports.admin = 8081
[service.b]
command  = ["./b", "{self.port}"]
protocol = "http"
ready    = "GET /health"
[service.c]
command  = ["./c", "{self.port}"]
protocol = "http"
metrics  = "GET /metrics"
[service.d]
command  = ["./d", "{self.port}"]
tls      = "pass"
[load]
request  = "GET /"
rate     = "10/s"
duration = "1s"
[[expect]]
that         = "it is served"
availability = ">= 99%"
"#;
    let read = scenario(text, &[]).unwrap();
    let system = &read.system;
    let speaking = system.services.values().filter(|service| service.speaks_tls).map(|service| service.name.as_str());
    assert_eq!(speaking.collect::<Vec<_>>(), ["a", "c", "d", "shop"]);
    let encrypted: Vec<String> = system.encrypted.keys().map(ToString::to_string).collect();
    // The port of another name is not the one that was spoken of.
    assert_eq!(encrypted, ["client -> shop", "shop -> a", "shop -> c"]);
    let ready = |name: &str| system.services[name].ready.as_ref().unwrap().to_string();
    assert_eq!(
        (ready("shop").as_str(), ready("a").as_str(), ready("b").as_str()),
        ("GET /health over TLS", "GET :admin/health", "GET /health")
    );
    let metrics = |name: &str| system.services[name].metrics.as_ref().unwrap().to_string();
    assert_eq!(
        (metrics("shop").as_str(), metrics("c").as_str()),
        ("GET :admin/metrics over TLS", "GET /metrics over TLS")
    );
}
