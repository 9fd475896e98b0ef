//! The arguments of `chaos proxy`.

use clap::Args as Arguments;
use std::{path::PathBuf, time::Duration};

#[derive(Debug, Arguments)]
pub(crate) struct Proxy {
    /// The file that names the links; with --toxiproxy, one with `[targets]` alone, and only if it is needed
    #[arg(value_name = "FILE", required_unless_present = "listen")]
    pub(crate) file: Option<PathBuf>,
    /// Lead to targets that are not local, where FILE allows them
    #[arg(long)]
    pub(crate) allow_remote_targets: bool,
    /// Only ask the one that runs by FILE whether it is well
    #[arg(long, conflicts_with = "listen")]
    pub(crate) health: bool,
    #[command(flatten)]
    pub(crate) toxiproxy: Toxiproxy,
}

/// Options of proxies that Toxiproxy's clients make.
#[derive(Clone, Debug, Default, Arguments)]
#[group(skip)]
pub(crate) struct Toxiproxy {
    /// Speak the API of Toxiproxy 2.12 at this address, in place of the control API: its clients make proxies and toxics
    #[arg(long = "toxiproxy", value_name = "ADDRESS")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// With --toxiproxy: proxies that are there from the beginning, as JSON (`toxiproxy.json`)
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) config: Option<PathBuf>,
    /// With --toxiproxy: the seed of every draw
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "listen")]
    pub(crate) seed: u64,
    /// With --toxiproxy: refuse requests without `Authorization: Bearer …` and the text that is in this file
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub(crate) token: Option<PathBuf>,
    /// With --toxiproxy: take all toxics back where no request came for so long, as `30s`
    #[arg(long, value_name = "TIME", requires = "listen", value_parser = chaos_model::language::duration)]
    pub(crate) ttl: Option<Duration>,
    /// With --toxiproxy: listen beyond loopback, as is needed in a container; proxies may, too
    #[arg(long, requires = "listen")]
    pub(crate) allow_remote_clients: bool,
}
