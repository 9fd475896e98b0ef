//! `chaos proxy FILE`: proxies on the links of a system that runs already, steered over their control server; or by
//! Toxiproxy's clients.

mod health;
mod token;
mod toxiproxy;

use crate::{args::Proxy, exit::Exit, interrupt::Interrupts, machine::Machine};
use chaos_links::{
    StandingProxies,
    reach::{self, Resolve},
};
use chaos_model::{Diagnostic, Diagnostics, language, proxies::Proxies};
use futures_util::future::join_all;
use host::{Host, Settings, logs, tcp};
use std::{collections::BTreeMap, net::IpAddr};
use tokio_util::sync::CancellationToken;

pub(crate) fn proxy(machine: &Machine, args: &Proxy) -> Exit {
    if let Some(listen) = args.toxiproxy.listen {
        return toxiproxy::serve(machine, args, listen);
    }
    let protocols = machine.bundle.all_protocols();
    // The command line has one without the other.
    let file = args.file.clone().unwrap_or_default();
    let (proxies, sources) = match language::proxies::load(&file, &protocols, &crate::text_file::read) {
        Ok(read) => read,
        Err(wrong) => return refuse(machine, &wrong),
    };
    if !proxies.allowed.is_empty() && !args.allow_remote_targets {
        return super::refuse("proxy", NOT_ALLOWED);
    }
    if args.health {
        return super::in_runtime("proxy", async || health::ask(proxies.control).await);
    }
    super::in_runtime("proxy", async || {
        let resolve = reach::resolve_here();
        let list = remote_targets(&proxies, &resolve).await;
        if !list.is_empty() {
            return Ok(refuse(machine, &Diagnostics { list, sources: sources.clone() }));
        }
        run(machine, &proxies, &resolve).await.map(|()| Exit::Pass)
    })
}

/// A file alone allows nothing that is not local.
const NOT_ALLOWED: &str =
    "the file allows targets that are not local: say --allow-remote-targets as well, if that is meant";

fn refuse(machine: &Machine, wrong: &Diagnostics) -> Exit {
    eprint!("{}", wrong.render(machine.colour_errors, machine.width));
    Exit::Invalid
}

/// Targets that are known not to be local, and were not allowed. Those whose names stand for nothing yet are looked at
/// when they are dialled, as all are.
async fn remote_targets(proxies: &Proxies, resolve: &Resolve) -> Vec<Diagnostic> {
    let looked_at = proxies.links.iter().filter(|link| !proxies.allowed.contains(&link.target));
    // All at once: a resolver may take its time over each name that stands for nothing yet.
    let looked_at = join_all(looked_at.map(async |link| (link, reach::check(&link.target, resolve).await))).await;
    let refused = looked_at.into_iter().filter_map(|(link, checked)| {
        let why = checked.err()?;
        let advice =
            format!("add `[targets]` with `allow = [\"{}\"]`, and start with --allow-remote-targets", link.target);
        Some(Diagnostic::new(link.target_span.clone(), why).advice(advice))
    });
    refused.collect()
}

async fn run(machine: &Machine, proxies: &Proxies, resolve: &Resolve) -> Result<(), String> {
    let random = token::random().map_err(|error| format!("this machine gives no random bytes: {error}"))?;
    let shutdown = CancellationToken::new();
    let mut hosts: BTreeMap<(IpAddr, u64), Host> = BTreeMap::new();
    let mut at = |bind: IpAddr, reserve: u64| {
        if let Some(host) = hosts.get(&(bind, reserve)) {
            return Ok(host.clone());
        }
        let host = tcp::host(tcp::Config {
            name: "proxies".to_owned(),
            bind,
            // The ids of leases: nobody is to guess them.
            seed: random.seed,
            settings: Settings::default(),
            shutdown: shutdown.clone(),
            reserve,
        })?;
        hosts.insert((bind, reserve), host.clone());
        Ok(host)
    };
    let host = at(proxies.control.ip(), 0).map_err(|error| format!("this machine gives no timer: {error}"))?;
    let _rest = tell(machine, &host)?;
    let interrupts = Interrupts::listen(&host).map_err(|error| format!("can't listen for signals: {error}"))?;
    let reach = (proxies.allowed.as_slice(), resolve);
    let standing = StandingProxies::open(proxies, &mut at, reach, tcp::most_descriptors());
    let standing = standing.map_err(|error| error.to_string())?;
    let path = proxies.token_file.display();
    token::write(&proxies.token_file, &random.token)
        .map_err(|error| format!("can't write the token to {path}: {error}"))?;
    stop_at(&host, interrupts, shutdown);
    standing.serve(random.token).await;
    Ok(())
}

/// Writes the log to standard output, as JSON lines.
fn tell(machine: &Machine, host: &Host) -> Result<logs::Rest, String> {
    let filter = machine.env.get("RUST_LOG").map_or("info", String::as_str);
    // Whoever reads the log may stop: no proxy waits for that.
    let queue = logs::Queue::before(host, std::io::stdout());
    let (queue, rest) = queue.map_err(|error| format!("this machine gives no thread: {error}"))?;
    let lines = logs::json(host, filter, queue).map_err(|error| error.to_string())?;
    tracing::dispatcher::set_global_default(lines).map_err(|error| error.to_string())?;
    Ok(rest)
}

/// Ends all at the first signal.
fn stop_at(host: &Host, interrupts: Interrupts, shutdown: CancellationToken) {
    drop(host.spawn(async move {
        let by = interrupts.first().await;
        tracing::info!(by, "stops");
        shutdown.cancel();
    }));
}
