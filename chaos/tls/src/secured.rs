//! A machine whose connections speak TLS: for questions to services past their proxies, and for clients.

use crate::{
    Authority, Trust,
    configs::ProtocolName,
    dialogue::{Dialogue, Hello},
    layer::{TlsLayer, begin},
};
use chaos_model::{Endpoint, Link, Protocol};
use futures_util::future::BoxFuture;
use host::{Host, Listener, Network, Stream};
use std::{io, net::IpAddr, sync::Arc};

pub(crate) fn machine(
    authority: &Arc<Authority>,
    host: &Host,
    service: &str,
    (protocol, trust): (Protocol, Trust),
) -> Host {
    let link = Link { from: Endpoint::Client, to: service.to_owned(), label: None };
    let layer = TlsLayer::new(authority, &link, protocol, trust);
    let offered = protocol.alpn.first().map(|name| name.as_bytes().to_vec());
    host.with_network(|below| Arc::new(Secured { below, layer, offered }))
}

/// A network on which every connection speaks TLS with one service.
struct Secured {
    below: Arc<dyn Network>,
    layer: TlsLayer,
    offered: Option<ProtocolName>,
}

impl Network for Secured {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Stream>> {
        Box::pin(async move {
            let stream = self.below.dial(host, port).await?;
            let dialogue = Arc::new(Dialogue::default());
            let name = host.trim_start_matches('[').trim_end_matches(']');
            let name = name.parse::<IpAddr>().is_err().then(|| name.to_owned());
            dialogue.begin(Hello { name, protocol: self.offered.clone() });
            begin(stream, self.layer.ways(), dialogue).await
        })
    }

    fn listen(&self, port: u16) -> io::Result<Listener> {
        self.below.listen(port)
    }
}
