//! The real proxies on the gateway's links, and the faults that tests put on them.

use chaos_inject::{Message, Proxy, ProxyConfig, Reply};
use chaos_model::effect::{Blackhole, Hang, Latency, Refuse};
use chaos_model::{
    Directions, Distribution, Effect, Endpoint, Fault, Link, OpenConnections, Protocol, Spread, Target, event::Fired,
};
use host::{Host, memory::MemoryNetwork};
use std::{collections::BTreeMap, time::Duration};

/// The service on which all proxies run.
pub(super) const PROXIES: &str = "proxies";

pub(crate) const REFUSE: Effect = Effect::Refuse(Refuse { open: OpenConnections::Reset });
pub(crate) const HANG: Effect = Effect::Hang(Hang {});
pub(crate) const BLACKHOLE: Effect = Effect::Blackhole(Blackhole {});

/// A request and its response together take so much longer.
pub(crate) fn latency(delay: Duration) -> Effect {
    Effect::Latency(Latency::of(
        Spread { mean: delay, jitter: Duration::ZERO, distribution: Distribution::Uniform },
        Directions::Downstream,
    ))
}

/// The same, more or less.
pub(crate) fn jittery(delay: Duration, jitter: Duration) -> Effect {
    Effect::Latency(Latency::of(
        Spread { mean: delay, jitter, distribution: Distribution::Normal },
        Directions::Downstream,
    ))
}

/// One proxy for each service that the gateway uses.
pub(crate) struct Links {
    proxies: BTreeMap<&'static str, Proxy>,
}

fn protocol(to: &str) -> Protocol {
    if to == "redis" { Protocol::REDIS } else { Protocol::HTTP }
}

fn link(to: &str) -> Link {
    Link { from: Endpoint::Service("gateway".to_owned()), to: to.to_owned(), label: None }
}

impl Links {
    /// Puts proxies before these services.
    pub(super) fn start(network: &MemoryNetwork, seed: u64, services: &[(&'static str, u16)]) -> Self {
        let host: Host = network.host(PROXIES);
        let start = |(name, port): &(&'static str, u16)| {
            let proxy = Proxy::start(
                &host,
                host.listen(0).unwrap(),
                ProxyConfig { link: link(name), protocol: protocol(name), seed, nonce: None, most_connections: None },
            );
            proxy.point_at(name, *port);
            (*name, proxy)
        };
        Self { proxies: services.iter().map(start).collect() }
    }

    /// The address at which the gateway finds the service.
    pub(super) fn address(&self, service: &str) -> String {
        format!("{PROXIES}:{}", self.proxies[service].port())
    }

    /// The number of open connections to the service.
    pub(crate) fn connections(&self, service: &str) -> usize {
        self.proxies[service].connections()
    }

    /// Puts an effect on the link to the service. It is called after both.
    pub(crate) async fn apply(&self, service: &str, effect: Effect) {
        let name = effect.name();
        let fault = Fault { lasts: Duration::from_secs(1), ..Fault::new(name, Target::Link(link(service)), effect) };
        assert_eq!(self.proxies[service].send(Message::Apply(Box::new(fault))).await, Reply::Done);
    }

    /// Takes it back, and says how often it fired.
    pub(crate) async fn heal(&self, service: &str, effect: &Effect) -> Fired {
        match self.proxies[service].send(Message::Remove { fault: effect.name().to_owned() }).await {
            Reply::Removed(removed) => removed.fired,
            other => panic!("{other:?}"),
        }
    }
}
