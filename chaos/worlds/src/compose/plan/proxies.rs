//! The proxies before a service: one container, in the networks of all who use it, with a link for each of them and each port.

use super::{Ground, PROXIES_OF, Placed, escaped, labels, network, target};
use crate::compose::subnets::Subnet;
use chaos_model::{Compose, Endpoint, Link};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write as _, net::Ipv4Addr};

/// The network of who steers the proxies.
pub(super) const CONTROL: &str = "chaos-control";
/// Port of the control API.
pub(in crate::compose) const CONTROL_PORT: u16 = 8400;
/// Port at which clients come to the entry's proxy: in the network of who steers, where nobody of the system is.
pub(in crate::compose) const CLIENTS: u16 = 8401;
/// File of the control API's token, in the container.
pub(in crate::compose) const TOKEN: &str = "/tmp/chaos-token";

/// By the shell of the image, since no file of this machine is at hand where the engine is elsewhere.
const START: &str =
    "printf %s \"$$CHAOS_PROXIES\" >/tmp/chaos-proxies.toml && exec chaos proxy /tmp/chaos-proxies.toml";

/// The proxies of one service.
pub(super) struct ProxyPlan<'a> {
    pub(super) of: &'a Placed<'a>,
    /// The service's own network.
    pub(super) own: Subnet,
    pub(super) ports: &'a [u16],
    /// The services that use it.
    pub(super) users: BTreeMap<&'a str, &'a Placed<'a>>,
    pub(super) is_entry: bool,
    /// The network of who steers.
    pub(super) control: Subnet,
}

impl ProxyPlan<'_> {
    /// The container, as a service of Compose.
    pub(super) fn service(&self, compose: &Compose, ground: &Ground<'_>) -> Value {
        let name = &self.of.service.name;
        let mut labels = labels(ground);
        labels.insert(PROXIES_OF.to_owned(), name.as_str().into());
        let here = |address: Ipv4Addr| json!({ "ipv4_address": address.to_string() });
        let mut networks = Map::new();
        networks.insert(CONTROL.to_owned(), here(self.place(self.control)));
        networks.insert(network(name), here(self.place(self.own)));
        for (user, of) in &self.users {
            let Some(subnet) = of.subnet else { continue };
            let names: Vec<String> = compose.names(user, name).into_iter().collect();
            let place = json!({ "ipv4_address": self.place(subnet).to_string(), "aliases": names });
            networks.insert(network(user), place);
        }
        let control = Some(format!("127.0.0.1::{CONTROL_PORT}"));
        let clients = self.is_entry.then(|| format!("127.0.0.1::{CLIENTS}"));
        json!({
            "image": ground.image,
            "entrypoint": ["sh", "-c", START],
            "environment": { "CHAOS_PROXIES": escaped(&self.file()) },
            // A blackhole is a filter on sockets, which some kernels let nobody else attach.
            "user": "0:0",
            "cap_drop": ["ALL"],
            "cap_add": ["NET_ADMIN", "NET_BIND_SERVICE"],
            // Whoever looks up the name of a service that is stopped is told at once, or waits for no resolver that is away.
            "dns_opt": ["timeout:1", "attempts:1"],
            "restart": "no",
            "labels": labels,
            "networks": networks,
            "ports": control.into_iter().chain(clients).collect::<Vec<_>>(),
        })
    }

    fn place(&self, subnet: Subnet) -> Ipv4Addr {
        subnet.place(self.of.number)
    }

    /// The file of `chaos proxy`.
    fn file(&self) -> String {
        let listen = |subnet: Subnet, port: u16| format!("{}:{port}", self.place(subnet));
        let mut text =
            format!("[control]\nlisten = \"{}\"\ntoken-file = \"{TOKEN}\"\n", listen(self.control, CONTROL_PORT));
        let mut link = |from: Endpoint, port: u16, listen: &str| {
            let label = (Some(&port) != self.ports.first()).then(|| port.to_string());
            let link = Link { from, to: self.of.service.name.clone(), label };
            // The system tells one protocol of a service, whichever port.
            let (target, protocol) = (target(&self.of.service.name), self.of.service.protocol);
            // Names and addresses have nothing in them that a string of TOML would read otherwise.
            let _ = write!(
                text,
                "\n[[link]]\nname = \"{link}\"\nlisten = \"{listen}\"\ntarget = \"{target}:{port}\"\nprotocol = \"{protocol}\"\n"
            );
        };
        if let Some(main) = self.ports.first().filter(|_| self.is_entry) {
            link(Endpoint::Client, *main, &listen(self.control, CLIENTS));
        }
        for (user, of) in &self.users {
            let Some(subnet) = of.subnet else { continue };
            for port in self.ports {
                link(Endpoint::Service((*user).to_owned()), *port, &listen(subnet, *port));
            }
        }
        text
    }
}
