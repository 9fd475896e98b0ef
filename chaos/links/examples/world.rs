//! A world of one's own: services are tasks that respond to each request, on a network in memory. It runs a scenario with a
//! fault on a link and one on the service. `cargo run -p chaos-links --example world`

use async_trait::async_trait;
use chaos_links::InProcessLinks;
use chaos_model::{
    Link, Protocol, Service, Start, System, Verdict, effect::action::ServiceAction, language, lifecycle::Lifecycle,
};
use chaos_run::{
    Address, ComposedWorld, Death, Ending, Events, Exit, Exits, Instance, InstanceId, LinkAddresses, NotGiven, Offer,
    Options, Runtime, Site, TlsOnLinks, TornDown, Unfit, WorldError,
};
use host::{Host, Settings, TaskGroup, memory::MemoryNetwork};
use std::{collections::BTreeMap, io, path::Path, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PORT: u16 = 80;

/// Services as tasks of this process. A real runtime has a client of an engine in this place.
struct Tasks {
    network: MemoryNetwork,
    client: Host,
    /// By service: its tasks, while it runs.
    running: BTreeMap<String, Option<TaskGroup>>,
    exits: Exits,
}

impl Tasks {
    fn group(&self, instance: &InstanceId) -> Result<&TaskGroup, WorldError> {
        let group = self.running.get(&instance.service).and_then(Option::as_ref);
        group.ok_or_else(|| WorldError::CannotGive(format!("{instance} does not run")))
    }
}

#[async_trait]
impl Runtime for Tasks {
    // What it can give is known without it: `chaos check --world tasks` needs nothing else.
    const OFFER: Offer = Offer {
        name: "tasks",
        runs: |start| match start {
            Start::Program(_) => Ok(()),
            _ => Err(Unfit { what: "is no program", advice: "`--world local` runs commands" }),
        },
        has: |_| {
            Err(Unfit { what: "asks for a command or an output, which tasks have not", advice: "use `--world local`" })
        },
        does: |action| match action {
            ServiceAction::Limit(_) => Err(NotGiven { why: "tasks have no limits", advice: "use `--world docker`" }),
            _ => Ok(()),
        },
        tls: TlsOnLinks::Absent,
    };

    fn host(&self) -> &Host {
        &self.client
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn prepare(&mut self, _: &System, _: u64) -> Result<(), WorldError> {
        Ok(())
    }

    fn site(&mut self, link: &Link, _: Protocol) -> Result<Site, WorldError> {
        let name = format!("{}.{}", link.to, link.from);
        let host = self.network.host(&name);
        let listener = host.listen(PORT).map_err(WorldError::machine("no port"))?;
        Ok(Site { host, listener, name })
    }

    fn place(&mut self, service: &Service, _: &LinkAddresses) -> Result<(), WorldError> {
        self.running.insert(service.name.clone(), None);
        Ok(())
    }

    async fn launch(&mut self, services: &[&Service], _: &LinkAddresses) -> Result<(), WorldError> {
        for service in services {
            self.start(&InstanceId::first(service.name.as_str())).await?;
        }
        Ok(())
    }

    fn instances(&self, service: &str) -> Vec<Instance> {
        let address = Address { host: service.to_owned(), port: PORT };
        let ports = BTreeMap::new();
        let instance = Instance { id: InstanceId::first(service), address, ports, what: "a task".to_owned() };
        self.running.get(service).map(|_| instance).into_iter().collect()
    }

    async fn start(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        let (host, group) = self.network.node(&instance.service, Settings::default());
        let mut listener = host.listen(PORT).map_err(WorldError::machine("no port"))?;
        let serving = host.clone();
        drop(host.spawn(async move {
            while let Ok(mut stream) = listener.accept().await {
                drop(serving.spawn(async move {
                    let _ = stream.read(&mut [0; 1024]).await?;
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await
                }));
            }
        }));
        self.running.insert(instance.service.clone(), Some(group));
        Ok(())
    }

    // They have nothing to finish, so they end at once; that they have is told as for those that take their time.
    async fn terminate(&mut self, instance: &InstanceId, _: &Lifecycle) -> Result<(), WorldError> {
        self.kill(instance).await?;
        let (instance, how) = (instance.clone(), "it was asked to".to_owned());
        // This holds the other end.
        let _ = self.exits.sender().send(Exit { instance, start: 0, how, killed_after: None });
        Ok(())
    }

    async fn kill(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.group(instance)?.crash();
        self.running.insert(instance.service.clone(), None);
        Ok(())
    }

    async fn pause(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.group(instance)?.freeze();
        Ok(())
    }

    async fn resume(&mut self, instance: &InstanceId) -> Result<(), WorldError> {
        self.group(instance)?.thaw();
        Ok(())
    }

    // These tasks never end by themselves. A runtime whose services can, watches each.
    async fn exited(&mut self) -> Result<Death, WorldError> {
        let Exit { instance, how, killed_after, .. } = self.exits.next().await;
        self.exits.take();
        Ok(Death { instance, how, last_lines: Vec::new(), killed_after })
    }

    async fn last_lines(&self, _: &InstanceId) -> Vec<String> {
        Vec::new()
    }

    async fn take_down(&mut self, _: bool) -> TornDown {
        std::mem::take(&mut self.running).into_values().flatten().for_each(|group| group.crash());
        TornDown::default()
    }
}

const SCENARIO: &str = r#"
title = "a world of one's own"
entry = "shop"
[service.shop]
program = "gateway"
[load]
request  = "GET /"
rate     = "50/s"
arrivals = "constant"
duration = "6s"
timeout  = "500ms"
[[fault]]
name   = "refused"
on     = "client -> shop"
effect = "refuse"
at     = "1s"
for    = "1s"
[[fault]]
name   = "dead"
on     = "shop"
effect = "kill"
at     = "3s"
for    = "1s"
[[expect]]
that   = "nobody is served while nobody can connect"
during = "refused"
unanswered.any = ">= 95%"
[[expect]]
that   = "nobody is served while nobody runs"
during = "dead"
unanswered.any = ">= 95%"
[[expect]]
that   = "all are served again"
after  = "dead"
within = "500ms"
status.200 = ">= 100%"
"#;

pub(crate) fn main() -> io::Result<()> {
    let verdict =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?.block_on(run());
    assert_eq!(verdict, Some(Verdict::Pass), "it passes in every world");
    Ok(())
}

async fn run() -> Option<Verdict> {
    let network = MemoryNetwork::new(1);
    let client = network.host("client");
    let tasks = Tasks { network, client, running: BTreeMap::new(), exits: Exits::default() };
    // All else is there once, for every runtime.
    let mut world = ComposedWorld::new(tasks, InProcessLinks::new());
    let read = |_: &Path| Ok(SCENARIO.to_owned());
    let scenario = language::load(Path::new("it.toml"), &[], &read).expect("it is valid");
    Tasks::OFFER.check(&scenario).expect("this world can give all of it");
    let (events, _records) = Events::channel();
    let never = Box::pin(std::future::pending());
    match chaos_run::run(&scenario, &mut world, &Options::default(), &events, never).await {
        Ending::Judged(verdict, _) => Some(verdict),
        Ending::WorldFailed | Ending::Interrupted => None,
    }
}
