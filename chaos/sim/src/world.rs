//! The world `sim`: nodes are programs in this process, on a network in memory; links have the proxies of every world.

use crate::{
    logs::Logs,
    node::{Exit, Launch, Node},
    programs::Programs,
    trace::Tracer,
};
use async_trait::async_trait;
use chaos_inject::{Message, Proxy, ProxyConfig};
use chaos_model::{
    Effect, Endpoint, Event, Fault, Link, Protocol, Start, System, Target, effect::action::NodeAction, event::Fired,
    ledger::Removed, system::CLIENT,
};
use chaos_run::{Address, Death, Events, TornDown, World, WorldError, flush, ready};
use host::{Host, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::Instant,
};

/// How long a node has to become ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// A simulated system. It lives on a runtime with a paused clock ([`crate::block_on`]).
pub struct SimWorld {
    network: MemoryNetwork,
    /// The load's and the scrapes' host.
    client: Host,
    programs: Programs,
    logs: Logs,
    tracer: Option<Tracer>,
    nodes: BTreeMap<String, (chaos_model::Node, Node)>,
    proxies: BTreeMap<Link, Proxy>,
    entry: Option<Address>,
    exits: (UnboundedSender<Exit>, UnboundedReceiver<Exit>),
}

impl SimWorld {
    /// A world without anything in it yet; what is drawn in it derives from `seed`. Call it within [`crate::block_on`].
    #[must_use]
    pub fn new(seed: u64, programs: Programs) -> Self {
        let network = MemoryNetwork::new(seed);
        let client = network.host(CLIENT);
        Self {
            network,
            client,
            programs,
            logs: Logs::default(),
            tracer: None,
            nodes: BTreeMap::new(),
            proxies: BTreeMap::new(),
            entry: None,
            exits: unbounded_channel(),
        }
    }

    /// Keeps of the nodes' logs only the ends.
    #[must_use]
    pub fn without_logs(mut self) -> Self {
        self.logs = Logs::only_ends();
        self
    }

    /// The nodes' logs. They can be read when the world is gone, too.
    #[must_use]
    pub fn logs(&self) -> Logs {
        self.logs.clone()
    }

    /// Tells this tracer what nodes do. What passes on links, and what clients do, is told where the run is awaited:
    /// [`Tracer::follow`].
    #[must_use]
    pub fn traced(mut self, tracer: &Tracer) -> Self {
        self.tracer = Some(tracer.clone());
        self
    }

    /// The network, for what no scenario says: how far nodes are from one another, and what is cut off.
    #[must_use]
    pub fn network(&self) -> &MemoryNetwork {
        &self.network
    }

    fn open_proxies(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        for link in &system.links {
            // The language makes links only to nodes that there are.
            let protocol = system.nodes.get(&link.to).map_or(Protocol::Tcp, |node| node.protocol);
            let address = Address { host: proxy_name(link), port: port(protocol) };
            let host = self.network.host(&address.host);
            let listener = host.listen(address.port).map_err(WorldError::machine(format!("no port for {link}")))?;
            let proxy = Proxy::start(&host, listener, ProxyConfig { link: link.clone(), protocol, seed });
            proxy.point_at(&link.to, port(protocol));
            events.emit(Event::LinkReady { link: link.to_string(), address: address.to_string() });
            if link.from == Endpoint::Client {
                self.entry = Some(address);
            }
            self.proxies.insert(link.clone(), proxy);
        }
        Ok(())
    }

    fn launch_of(&self, node: &chaos_model::Node) -> Result<Launch, WorldError> {
        let Start::Program(program) = &node.start else {
            return Err(WorldError::CannotGive(format!(
                "the node {} is no program that is built in, and a simulation runs no others",
                node.name
            )));
        };
        let run = self.programs.find(program).ok_or_else(|| {
            let known = self.programs.names().collect::<Vec<_>>().join(", ");
            WorldError::CannotGive(format!("this simulation has no program `{program}`; it has {known}"))
        })?;
        let own_port = port(node.protocol);
        let address = |to: &str, label: Option<&str>| {
            let link =
                Link { from: Endpoint::Node(node.name.clone()), to: to.to_owned(), label: label.map(str::to_owned) };
            // The language makes a link of each place that names a node, so there is a proxy for each.
            format!("{}:{}", proxy_name(&link), self.proxies.get(&link).map_or(0, Proxy::port))
        };
        let env = node.env.iter().map(|(name, template)| (name.clone(), template.render(own_port, address)));
        let settings = env.chain([("PORT".to_owned(), own_port.to_string())]).collect();
        Ok(Launch { name: node.name.clone(), run, settings })
    }

    fn start_node(&mut self, name: &str) {
        if let Some((_, node)) = self.nodes.get_mut(name) {
            node.start(&self.network, &self.client, (&self.logs, self.tracer.as_ref()), &self.exits.0);
        }
    }

    /// Waits until a node is ready, or has ended.
    async fn until_ready(&mut self, name: &str, deadline: Instant) -> Result<(), WorldError> {
        let Some((model, _)) = self.nodes.get(name) else { return Ok(()) };
        let (host, model, address) = (self.client.clone(), model.clone(), address_of(model));
        let mut why = String::new();
        loop {
            tokio::select! {
                biased;
                death = self.died() => return Err(WorldError::DiedStarting(death?)),
                (_, _, result) = ready::wait(host.clone(), model.clone(), address.clone()) => match result {
                    Ok(()) => return Ok(()),
                    Err(because) => why = because,
                },
                () = tokio::time::sleep_until(deadline) => {
                    let last_lines = self.logs.last_lines(name);
                    let seconds = PATIENCE.as_secs();
                    return Err(WorldError::NotReady { node: name.to_owned(), seconds, why, last_lines });
                }
            }
        }
    }

    fn proxy_of(&self, fault: &Fault) -> Result<&Proxy, WorldError> {
        let proxy = match &fault.on {
            Target::Link(link) => self.proxies.get(link),
            Target::Node(_) => None,
        };
        proxy.ok_or_else(|| WorldError::CannotGive(format!("the simulation has no place for a fault on {}", fault.on)))
    }

    fn node_mut(&mut self, name: &str) -> Result<&mut Node, WorldError> {
        let node = self.nodes.get_mut(name).map(|(_, node)| node);
        node.ok_or_else(|| WorldError::CannotGive(format!("there is no node {name}")))
    }

    async fn break_node(&mut self, name: &str, effect: &Effect) -> Result<(), WorldError> {
        match effect.action().node {
            Some(NodeAction::Pause) if self.node_mut(name)?.freeze() => {}
            Some(NodeAction::Pause) => {
                return Err(WorldError::CannotGive(format!("{name} can't be frozen: it does not run")));
            }
            Some(NodeAction::Stop) => self.node_mut(name)?.stop().await,
            Some(NodeAction::Kill) => self.node_mut(name)?.kill().await,
            Some(NodeAction::Restart) => {
                self.node_mut(name)?.stop().await;
                return self.bring_back(name).await;
            }
            Some(NodeAction::Flush) => {
                let address = self.nodes.get(name).map(|(model, _)| address_of(model));
                return flush::flush(&self.client, name, address).await;
            }
            Some(NodeAction::Limit(_)) => {
                let effect = effect.name();
                return Err(WorldError::CannotGive(format!("a simulation has no `{effect}` to limit {name} by")));
            }
            None => {
                let effect = effect.name();
                return Err(WorldError::CannotGive(format!("`{effect}` acts on links, and {name} is a node")));
            }
        }
        Ok(())
    }

    async fn heal_node(&mut self, name: &str, effect: &Effect) -> Result<(), WorldError> {
        match effect.action().node {
            Some(NodeAction::Pause) => {
                self.node_mut(name)?.thaw();
                Ok(())
            }
            Some(NodeAction::Stop | NodeAction::Kill) => self.bring_back(name).await,
            // They are over when they have happened, or never did.
            Some(NodeAction::Restart | NodeAction::Flush | NodeAction::Limit(_)) | None => Ok(()),
        }
    }

    async fn bring_back(&mut self, name: &str) -> Result<(), WorldError> {
        self.start_node(name);
        self.until_ready(name, Instant::now() + PATIENCE).await
    }
}

#[async_trait]
impl World for SimWorld {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn host(&self) -> &Host {
        &self.client
    }

    async fn take_turn(&mut self, _: &Events) -> Result<(), WorldError> {
        // Simulations share nothing.
        Ok(())
    }

    async fn start(&mut self, system: &System, seed: u64, events: &Events) -> Result<(), WorldError> {
        let began = Instant::now();
        self.open_proxies(system, seed, events)?;
        for model in system.nodes.values() {
            let node = Node::new(self.launch_of(model)?);
            self.nodes.insert(model.name.clone(), (model.clone(), node));
        }
        for wave in system.start_order() {
            wave.iter().for_each(|model| self.start_node(&model.name));
            for model in wave {
                self.until_ready(&model.name, began + PATIENCE).await?;
                let what = match &model.start {
                    Start::Program(program) => format!("{program} (simulated)"),
                    Start::Command(_) | Start::Image(_) => String::new(),
                };
                let (node, address, took) = (model.name.clone(), address_of(model).to_string(), began.elapsed());
                events.emit(Event::NodeReady { node, what, address, took });
            }
        }
        Ok(())
    }

    fn entry(&self) -> Address {
        // Port 0 reaches nothing: asked before the start, which the run doesn't.
        self.entry.clone().unwrap_or(Address { host: CLIENT.to_owned(), port: 0 })
    }

    fn node(&self, name: &str) -> Option<Address> {
        self.nodes.get(name).map(|(model, _)| address_of(model))
    }

    async fn apply(&mut self, fault: &Fault) -> Result<(), WorldError> {
        if let Target::Node(node) = &fault.on {
            return self.break_node(node, &fault.effect).await;
        }
        let reply = self.proxy_of(fault)?.send(Message::Apply(Box::new(fault.clone()))).await;
        reply.applied().map_err(WorldError::CannotGive)
    }

    async fn remove(&mut self, fault: &Fault) -> Result<Removed, WorldError> {
        if let Target::Node(node) = &fault.on {
            self.heal_node(node, &fault.effect).await?;
            return Ok(Removed::of(Fired { nodes: 1, ..Fired::default() }));
        }
        let reply = self.proxy_of(fault)?.send(Message::Remove { fault: fault.name.clone() }).await;
        reply.removed().map_err(WorldError::CannotGive)
    }

    async fn died(&mut self) -> Result<Death, WorldError> {
        loop {
            // Never none: the world holds a sender.
            let Some(exit) = self.exits.1.recv().await else { return std::future::pending().await };
            if self.nodes.get(&exit.node).is_some_and(|(_, node)| node.is_news(&exit)) {
                let last_lines = self.logs.last_lines(&exit.node);
                return Ok(Death { node: exit.node, how: exit.how, last_lines });
            }
        }
    }

    async fn stop(&mut self, _: bool) -> TornDown {
        for (_, node) in self.nodes.values_mut() {
            node.stop().await;
        }
        self.proxies.clear();
        self.nodes.clear();
        self.entry = None;
        TornDown::default()
    }
}

/// The port of a node: each has a machine of its own, so the usual ones are free.
fn port(protocol: Protocol) -> u16 {
    match protocol {
        Protocol::Http => 80,
        Protocol::Redis => 6379,
        Protocol::Tcp => 7000,
    }
}

fn address_of(node: &chaos_model::Node) -> Address {
    Address { host: node.name.clone(), port: port(node.protocol) }
}

/// Where the proxy of a link lives: `redis.gateway` is Redis as the gateway sees it. Nodes' names have no dots, so it is
/// nobody else's.
fn proxy_name(link: &Link) -> String {
    let Link { from, to, label } = link;
    label.as_ref().map_or_else(|| format!("{to}.{from}"), |label| format!("{label}.{to}.{from}"))
}
