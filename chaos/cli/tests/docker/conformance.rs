//! The conformance suite of faults, whole: the bodies that run in memory and over sockets (`chaos/inject/tests/proxy`),
//! with the far side of each link in a container of our own image.
//!
//! The proxy under test listens at the gateway of the containers' network and dials a container, as in the world
//! `docker`. What answers there is `chaos proxy` without faults: it hands each connection on to the test, with its
//! half-closes and resets, since the bodies hold both ends in their hands. So whatever a fault does to the far side
//! crosses the containers' network, and a program behind it.

use crate::engine::Engine;
use futures_util::{FutureExt as _, future::BoxFuture, future::LocalBoxFuture};
use host::{Host, Listener, Network, Stream, TaskGroup, tcp};
use std::{
    io,
    net::IpAddr,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use support::World;
use testcontainers::{
    ContainerAsync, GenericImage, ImageExt as _, bollard::models::NetworkCreateRequest, runners::AsyncRunner as _,
};

/// Gives the cases of a file by name.
macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[super::Case] = &[$((stringify!($name), |world| Box::pin($name(world)))),*];
    };
}

#[expect(dead_code, unused_macros, reason = "the tests of the proxy use more of it")]
#[path = "../../../inject/tests/proxy/support.rs"]
mod support;

macro_rules! suites {
    ($($name:ident: $path:literal),*) => {
        $(#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
        #[path = $path]
        mod $name;)*
        /// Every file of conformance tests, with its cases.
        const SUITES: &[(&str, &[Case])] = &[$((stringify!($name), $name::CASES)),*];
    };
}

/// A case: its name, and what it does.
type Case = (&'static str, for<'a> fn(&'a World) -> LocalBoxFuture<'a, ()>);

suites! {
    connections: "../../../inject/tests/proxy/conformance.rs",
    bytes: "../../../inject/tests/proxy/effects.rs",
    requests: "../../../inject/tests/proxy/requests.rs",
    commands: "../../../inject/tests/proxy/commands.rs",
    join: "../../../inject/tests/proxy/join.rs",
    removal: "../../../inject/tests/proxy/removal.rs"
}

/// The most listeners of all cases together, since many live on to the end: each is a link of the container's proxies.
const LISTENERS: usize = 256;
/// The time that a container has to listen.
const STARTING: Duration = Duration::from_secs(60);

/// Runs every case of every file, one after the other, and names all that fail.
pub(crate) async fn all(engine: Arc<Engine>) {
    let far = FarSide::start(&engine).await;
    let mut failed = Vec::new();
    let mut count = 0;
    for (suite, cases) in SUITES {
        for (name, case) in *cases {
            let world = far.world();
            let ran = AssertUnwindSafe(tokio::time::timeout(support::TOO_LONG[0], case(&world))).catch_unwind().await;
            if !matches!(ran, Ok(Ok(()))) {
                failed.push(format!("{suite}::{name}"));
            }
            count += 1;
        }
    }
    far.container.rm().await.expect("the container is removed");
    engine.docker.remove_network(&far.network).await.expect("the network is removed");
    eprintln!("{count} cases of conformance with the far side in a container");
    assert!(count > 60 && failed.is_empty(), "of {count}, these failed: {failed:#?}");
}

/// A container that hands on what reaches it.
struct FarSide {
    container: ContainerAsync<GenericImage>,
    network: String,
    /// The container's address, and this machine's in its network.
    address: IpAddr,
    gateway: IpAddr,
    ports: Arc<Ports>,
}

/// The ports that lead through the container to this machine, at the same numbers.
struct Ports {
    all: Vec<u16>,
    next: AtomicUsize,
}

impl FarSide {
    async fn start(engine: &Engine) -> Self {
        let network = format!("chaos-conformance-{}", std::process::id());
        let gateway = make_network(engine, &network).await;
        let here = machine("far side", gateway);
        // Held until all are known, so that no two are the same.
        let held: Vec<Listener> =
            (0..LISTENERS).map(|_| here.listen(0).expect("the engine runs on this machine")).collect();
        let all: Vec<u16> = held.iter().map(Listener::port).collect();
        drop(held);
        let links: String = all
            .iter()
            .map(|port| {
                format!(
                    "[[link]]\nname = \"a -> b{port}\"\nlisten = \"0.0.0.0:{port}\"\ntarget = \"{gateway}:{port}\"\n"
                )
            })
            .collect();
        let file = format!("[control]\nlisten = \"8400\"\ntoken-file = \"/tmp/token\"\n{links}");
        let (name, tag) = engine.images["CHAOS_IMAGE"].rsplit_once(':').expect("an image with its tag");
        let container = GenericImage::new(name, tag)
            .with_network(&network)
            .with_cmd(["proxy", "/etc/proxies.toml"])
            .with_copy_to("/etc/proxies.toml", file.into_bytes())
            .start()
            .await
            .expect("the container starts");
        let inspected = engine.docker.inspect_container(container.id(), None).await.expect("it is there");
        let networks = inspected.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let address = networks.into_values().find_map(|network| network.ip_address?.parse().ok());
        let address: IpAddr = address.expect("the container has an address");
        let far =
            Self { container, network, address, gateway, ports: Arc::new(Ports { all, next: AtomicUsize::new(0) }) };
        far.leads_through_the_container().await;
        far
    }

    /// Waits until it listens, and sees to it that what comes through has come from the container.
    async fn leads_through_the_container(&self) {
        let world = self.world();
        let mut listener = world.service.listen(0).expect("a port");
        let deadline = tokio::time::Instant::now() + STARTING;
        let dialed = loop {
            match world.proxy.dial(world.service_name(), listener.port()).await {
                Ok(stream) => break stream,
                Err(error) => assert!(tokio::time::Instant::now() < deadline, "the container does not listen: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let served = listener.accept().await.expect("a connection");
        let from = served.peer();
        assert!(from.starts_with(&self.address.to_string()), "it came from {from}, and not from {}", self.address);
        drop(dialed);
    }

    /// Three machines: clients and the proxy here, the service behind the container.
    fn world(&self) -> World {
        let (client, _) = service("client", self.gateway);
        let (proxy, tasks) = service("proxy", self.gateway);
        let ports = Arc::clone(&self.ports);
        let service = machine("service", self.gateway).with_network(|network| Arc::new(Behind { network, ports }));
        let names = (self.gateway.to_string(), self.address.to_string());
        World { client, proxy, tasks, service, names, patience: Duration::from_millis(100) }
    }
}

/// The network of this machine, where whoever listens is reached through the container.
struct Behind {
    network: Arc<dyn Network>,
    ports: Arc<Ports>,
}

impl Network for Behind {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        self.network.dial(host, port)
    }

    /// At the next of the container's ports that is free here.
    fn listen(&self, _: u16) -> io::Result<Listener> {
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..self.ports.all.len() {
            let next = self.ports.next.fetch_add(1, Ordering::Relaxed) % self.ports.all.len();
            match self.network.listen(self.ports.all[next]) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn service(name: &str, bind: IpAddr) -> (Host, TaskGroup) {
    tcp::node(tcp::Config { bind, ..tcp::Config::loopback(name) }).expect("a timer")
}

fn machine(name: &str, bind: IpAddr) -> Host {
    service(name, bind).0
}

/// Makes a network, as the world `docker` does, and gives this machine's address in it.
async fn make_network(engine: &Engine, name: &str) -> IpAddr {
    let request = NetworkCreateRequest { name: name.to_owned(), ..NetworkCreateRequest::default() };
    engine.docker.create_network(request).await.expect("the engine makes a network");
    let network = engine.docker.inspect_network(name, None).await.expect("it is there");
    let config = network.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
    config.into_iter().find_map(|config| config.gateway?.parse().ok()).expect("it has a gateway")
}
