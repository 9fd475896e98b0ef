//! `chaos proxy --toxiproxy ADDRESS`: proxies that Toxiproxy's clients make.

use super::{NOT_ALLOWED, refuse, stop_at, tell, token};
use crate::{args::Proxy, exit::Exit, interrupt::Interrupts, machine::Machine};
use chaos_links::{Bounds, HostAt, Token, ToxiproxyConfig, ToxiproxyServer, reach};
use chaos_model::{attach::HostPort, language};
use host::{Host, Settings, tcp};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Mutex, PoisonError},
};
use tokio_util::sync::CancellationToken;

pub(super) fn serve(machine: &Machine, args: &Proxy, listen: SocketAddr) -> Exit {
    let read = args.file.as_ref().map(|file| language::proxies::load_targets(file, &crate::text_file::read));
    let allowed = match read.transpose() {
        Ok(read) => read.map(|(allowed, _)| allowed).unwrap_or_default(),
        Err(wrong) => return refuse(machine, &wrong),
    };
    if !allowed.is_empty() && !args.allow_remote_targets {
        return super::super::refuse("proxy", NOT_ALLOWED);
    }
    let config = match config(args) {
        Ok(config) => config,
        Err(why) => return super::super::refuse("proxy", &why),
    };
    super::super::in_runtime("proxy", async || run(machine, args, listen, (allowed, config)).await.map(|()| Exit::Pass))
}

/// The settings that files bring.
fn config(args: &Proxy) -> Result<ToxiproxyConfig, String> {
    let read =
        |file: &Path| crate::text_file::read(file).map_err(|error| format!("can't read {}: {error}", file.display()));
    let token = args.toxiproxy.token.as_deref().map(|file| {
        Token::read(&read(file)?).ok_or_else(|| format!("{} has no token: one line, without blanks", file.display()))
    });
    let populate = args.toxiproxy.config.as_deref().map(|file| read(file).map(String::into_bytes));
    Ok(ToxiproxyConfig {
        token: token.transpose()?,
        seed: args.toxiproxy.seed,
        ttl: args.toxiproxy.ttl,
        populate: populate.transpose()?,
    })
}

async fn run(
    machine: &Machine,
    args: &Proxy,
    listen: SocketAddr,
    (allowed, config): (Vec<HostPort>, ToxiproxyConfig),
) -> Result<(), String> {
    let shutdown = CancellationToken::new();
    let random = token::random().map_err(|error| format!("this machine gives no random bytes: {error}"))?;
    let at = hosts(random.seed, shutdown.clone());
    let host = at(listen.ip(), 0).map_err(|error| format!("this machine gives no timer: {error}"))?;
    let _rest = tell(machine, &host)?;
    let interrupts = Interrupts::listen(&host).map_err(|error| format!("can't listen for signals: {error}"))?;
    let bounds = Bounds { allowed, beyond_loopback: args.toxiproxy.allow_remote_clients };
    let server = ToxiproxyServer::open(listen, at, bounds, reach::resolve_here(), tcp::most_descriptors())?;
    stop_at(&host, interrupts, shutdown);
    let from = args.toxiproxy.config.as_deref().map(|file| format!("{}: ", file.display())).unwrap_or_default();
    server.serve(config).await.map_err(|why| format!("{from}{why}"))
}

/// Hosts, one for each address to listen at.
fn hosts(seed: u64, shutdown: CancellationToken) -> HostAt {
    let all: Mutex<BTreeMap<(IpAddr, u64), Host>> = Mutex::default();
    Box::new(move |bind, reserve| {
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = all.get(&(bind, reserve)) {
            return Ok(host.clone());
        }
        let host = tcp::host(tcp::Config {
            name: "proxies".to_owned(),
            bind,
            seed,
            settings: Settings::default(),
            shutdown: shutdown.clone(),
            reserve,
        })?;
        all.insert((bind, reserve), host.clone());
        Ok(host)
    })
}
