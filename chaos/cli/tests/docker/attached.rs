//! Faults of services in the world `attach`: a user service in a container that the run has not started, with a proxy
//! before it.

use crate::{
    engine::Engine,
    runs::events,
    support::{
        Chaos, Running, Sandbox, ask,
        processes::{self, Process, wait_until},
        scenarios,
    },
};
use rustix::process::Signal;
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _, bollard::models::ContainerState, core::IntoContainerPort as _,
    runners::AsyncRunner as _,
};

/// The time for which a broken container may stay so after its runner was killed. It takes a fraction of a second, and
/// longer beside other tests.
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// A service in a container of somebody else's.
struct System {
    engine: Arc<Engine>,
    sandbox: Sandbox,
    container: ContainerAsync<GenericImage>,
    proxy: Running,
}

/// A port that nothing has listened on: below those that the kernel gives away by itself.
fn free_port() -> u16 {
    let first = 12_000 + u16::try_from(std::process::id() % 800).expect("below 800") * 10;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let skip = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    (first + skip..20_500).find(is_free).expect("a free port")
}

impl System {
    async fn start(engine: Arc<Engine>) -> Self {
        let sandbox = Sandbox::new();
        let (service, entry, control) = (free_port(), free_port(), free_port());
        let (image, tag) = engine.images["CHAOS_IMAGE"].rsplit_once(':').expect("an image with its tag");
        let container = GenericImage::new(image, tag)
            .with_cmd(["serve", "user-service"])
            .with_env_var("PORT", "8000")
            .with_mapped_port(service, 8000.tcp())
            .with_host_config_modifier(|config| {
                // By itself, it would be published to everybody.
                for binding in config.port_bindings.iter_mut().flat_map(|map| map.values_mut()).flatten().flatten() {
                    binding.host_ip = Some("127.0.0.1".to_owned());
                }
            })
            .start()
            .await
            .expect("the container starts");
        let proxies = format!(
            "[control]\nlisten = \"{control}\"\ntoken-file = \"token\"\n[[link]]\nname = \"client -> users\"\n\
             listen = \"{entry}\"\ntarget = \"localhost:{service}\"\nprotocol = \"http\"\n"
        );
        sandbox.write("proxies.toml", proxies);
        let attach = format!(
            "entry = \"127.0.0.1:{entry}\"\n[control]\nurl = \"http://127.0.0.1:{control}\"\ntoken-file = \"token\"\n\
             [service.users]\naddress = \"127.0.0.1:{service}\"\ncontainer = \"{}\"\n",
            container.id()
        );
        sandbox.write("attach.toml", attach);
        let mut proxy = sandbox.chaos("proxy proxies.toml").start();
        proxy.line("the control server listens").await;
        let address = SocketAddr::from(([127, 0, 0, 1], service));
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        // The engine takes connections before the service does.
        while !matches!(ask::try_get(address, "/health").await, Ok(response) if response.starts_with("HTTP/1.1 200 ")) {
            assert!(tokio::time::Instant::now() < deadline, "the service does not answer");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { engine, sandbox, container, proxy }
    }

    /// A scenario with this effect on the service itself, for a second.
    fn scenario(&self, effect: &str) -> String {
        let text = scenarios::ONE_SERVICE.replace("\"client -> users\"", "\"users\"").replace("\"refuse\"", effect);
        let text = text.replace("\"1500ms\"", "\"5s\"").replace("for    = \"400ms\"", "for    = \"1s\"");
        let expect = "[[expect]]\nthat = \"all are answered before\"\nduring = \"baseline\"\nstatus.200 = \">= 100%\"\n\
                      [[expect]]\nthat = \"all are answered again\"\nduring = \"4s..5s\"\nstatus.200 = \">= 100%\"\n";
        self.sandbox.write("service.toml", format!("{text}{expect}"))
    }

    /// The command with the world `attach` and this scenario, and more.
    fn run(&self, scenario: &str, more: &str) -> Chaos {
        self.sandbox.chaos(&format!("run --world attach {scenario}{more}"))
    }

    /// A run that has broken the service, for longer than any test takes.
    async fn broken_by(&self, effect: &str) -> Running {
        let scenario = self.scenario(effect);
        let long = " --set load.duration=300s --set fault.away.for=200s";
        let mut run = self.run(&scenario, long).start();
        run.line("away begins").await;
        // A stop begins with its signal.
        let broken = async {
            while self.is_sound().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), broken).await.expect("it is broken");
        run
    }

    async fn state(&self) -> ContainerState {
        let inspected = self.engine.docker.inspect_container(self.container.id(), None).await.expect("it is there");
        inspected.state.unwrap_or_default()
    }

    async fn is_sound(&self) -> bool {
        let state = self.state().await;
        state.running == Some(true) && state.paused == Some(false)
    }

    /// The time at which the container was last started.
    async fn started(&self) -> String {
        self.state().await.started_at.expect("it was started")
    }

    /// Waits until the container runs and nothing of the run is left.
    async fn wait_until_sound(&self, patience: Duration) {
        let deadline = tokio::time::Instant::now() + patience;
        while !self.is_sound().await {
            assert!(tokio::time::Instant::now() < deadline, "broken after {patience:?}: {:?}", self.state().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        wait_until("the supervisor is gone", TEN_SECONDS, || self.sandbox.left().is_empty()).await;
    }

    async fn stop(self) {
        self.proxy.signal(Signal::TERM);
        self.proxy.finish().await.exited(0);
        self.sandbox.assert_clean();
        self.container.rm().await.expect("it is removed");
    }
}

/// Each effect does what it says, and the service is as before: the same container, and running.
pub(crate) async fn services_are_broken_and_healed(engine: Arc<Engine>) {
    let system = System::start(engine).await;
    for (effect, more, said, ends) in [
        ("\"pause\"", "", "frozen", false),
        ("\"stop\"", "", "stopped, and started again", true),
        ("\"restart\"", "", "restarted", true),
        ("\"kill\"", " --allow-unhealed", "killed, and started again", true),
    ] {
        let scenario = system.scenario(effect);
        let before = system.started().await;
        let run = system.run(&scenario, &format!("{more} --json events.jsonl")).run().await;
        run.said(said).said("nothing left behind; the system runs on");
        let judged = events(&system.sandbox, "judged");
        assert!(judged.len() == 2 && judged.iter().all(|judged| judged["verdict"] == "pass"), "{run}");
        // Edges may come late on a machine that builds and tests at once; that a fault did not fire would be another
        // doubt.
        let reasons = events(&system.sandbox, "inconclusive");
        let is_of_time = |reason: &serde_json::Value| reason["why"].as_str().is_some_and(|why| why.contains(" late"));
        assert!(reasons.iter().all(is_of_time), "{run}");
        assert_eq!(system.started().await != before, ends, "{effect}: {run}");
        assert!(system.is_sound().await, "{effect}: {run}");
    }
    system.stop().await;
}

pub(crate) async fn what_cannot_be_healed_needs_a_word(engine: Arc<Engine>) {
    let system = System::start(engine).await;
    let scenario = system.scenario("\"kill\"");
    let before = system.started().await;
    let refused = system.run(&scenario, "").run().await;
    refused.exited(2).complained("`kill` can't be healed").complained("service.toml:").complained("--allow-unhealed");
    let file = system.sandbox.path().join("attach.toml");
    let text = std::fs::read_to_string(&file).expect("it is there");
    std::fs::write(&file, text.replace(system.container.id(), "chaos-nobody")).expect("it can be written");
    let nobody = system.run(&scenario, " --allow-unhealed").run().await;
    nobody.exited(3).said("service users can't be broken").said("no container chaos-nobody");
    assert_eq!(system.started().await, before, "nothing was done to it");
    system.stop().await;
}

pub(crate) async fn a_killed_runner_leaves_no_broken_service(engine: Arc<Engine>) {
    let mut system = System::start(engine).await;
    for effect in ["\"pause\"", "\"stop\""] {
        let run = system.broken_by(effect).await;
        run.signal(Signal::KILL);
        system.wait_until_sound(TEN_SECONDS).await;
        // The next run needs it.
        system.proxy.line("a lease lapsed").await;
    }
    // One that ends in good order, in mid-fault.
    let run = system.broken_by("\"pause\"").await;
    run.signal(Signal::INT);
    run.finish().await.exited(130).said("nothing left behind");
    system.wait_until_sound(Duration::ZERO).await;
    system.stop().await;
}

fn supervisor(run: &Running) -> Process {
    let supervisor =
        processes::descendants(run.pid()).into_iter().find(|process| process.command == "chaos supervisor");
    supervisor.expect("it has a supervisor")
}

/// Without its supervisor a run ends by itself; where both are killed, who is asked brings back what they broke.
pub(crate) async fn without_a_supervisor(engine: Arc<Engine>) {
    let system = System::start(engine).await;
    let run = system.broken_by("\"pause\"").await;
    supervisor(&run).signal(Signal::KILL);
    run.finish().await.exited(3).said("the supervisor of this run failed").said("nothing left behind");
    system.wait_until_sound(Duration::ZERO).await;
    let run = system.broken_by("\"stop\"").await;
    let supervisor = supervisor(&run);
    supervisor.signal(Signal::STOP);
    run.signal(Signal::KILL);
    supervisor.signal(Signal::KILL);
    wait_until("both are gone", TEN_SECONDS, || !supervisor.is_alive()).await;
    let told = system.sandbox.chaos("cleanup --dry-run").run().await;
    told.exited(0).said("another's, and broken by this run").said("nothing was removed");
    assert!(!system.is_sound().await, "it only looked");
    let healed = system.sandbox.chaos("cleanup").run().await;
    healed.exited(0).said("removed 0 processes and 1 folder, brought back 1 container");
    system.wait_until_sound(Duration::ZERO).await;
    system.stop().await;
}
