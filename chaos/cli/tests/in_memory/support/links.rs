//! The real proxies on the gateway's links, and the faults that tests put on them.

use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::effect::{Blackhole, Hang, Latency, Refuse};
use chaos_model::{
    Direction, Distribution, Effect, Endpoint, Fault, Link, OpenConnections, Protocol, Spread, Target, event::Fired,
};
use host::{Host, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};

/// The node on which all proxies run.
pub(super) const PROXIES: &str = "proxies";

pub(crate) const REFUSE: Effect = Effect::Refuse(Refuse { open: OpenConnections::Reset });
pub(crate) const HANG: Effect = Effect::Hang(Hang {});
pub(crate) const BLACKHOLE: Effect = Effect::Blackhole(Blackhole {});

/// A request and its answer together take so much longer.
pub(crate) fn latency(delay: Duration) -> Effect {
    Effect::Latency(Latency {
        delay: Spread { mean: delay, jitter: Duration::ZERO, distribution: Distribution::Uniform },
        direction: Direction::Downstream,
    })
}

/// The same, more or less.
pub(crate) fn jittery(delay: Duration, jitter: Duration) -> Effect {
    Effect::Latency(Latency {
        delay: Spread { mean: delay, jitter, distribution: Distribution::Normal },
        direction: Direction::Downstream,
    })
}

/// One proxy for each node that the gateway uses.
pub(crate) struct Links {
    proxies: BTreeMap<&'static str, Proxy>,
}

fn protocol(to: &str) -> Protocol {
    if to == "redis" { Protocol::Redis } else { Protocol::Http }
}

fn link(to: &str) -> Link {
    Link { from: Endpoint::Node("gateway".to_owned()), to: to.to_owned(), label: None }
}

impl Links {
    /// Puts proxies before these nodes.
    pub(super) fn start(network: &MemoryNetwork, seed: u64, nodes: &[(&'static str, u16)]) -> Self {
        let host: Host = network.host(PROXIES);
        let start = |(name, port): &(&'static str, u16)| {
            let proxy = Proxy::start(
                &host,
                host.listen(0).unwrap(),
                ProxyConfig { link: link(name), protocol: protocol(name), seed },
            );
            proxy.point_at(name, *port);
            (*name, proxy)
        };
        Self { proxies: nodes.iter().map(start).collect() }
    }

    /// Where the gateway finds the node.
    pub(super) fn address(&self, node: &str) -> String {
        format!("{PROXIES}:{}", self.proxies[node].port())
    }

    /// How many connections to the node are open.
    pub(crate) fn connections(&self, node: &str) -> usize {
        self.proxies[node].connections()
    }

    /// Puts an effect on the link to the node. It is called after both.
    pub(crate) async fn apply(&self, node: &str, effect: Effect) {
        let name = effect.name();
        let fault = Fault { lasts: Duration::from_secs(1), ..Fault::new(name, Target::Link(link(node)), effect) };
        assert_eq!(self.proxies[node].send(Message::Apply(Box::new(fault))).await, Reply::Done);
    }

    /// Takes it back, and says how often it fired.
    pub(crate) async fn heal(&self, node: &str, effect: &Effect) -> Fired {
        match self.proxies[node].send(Message::Remove { fault: effect.name().to_owned() }).await {
            Reply::Removed(removed) => removed.fired,
            other => panic!("{other:?}"),
        }
    }
}
