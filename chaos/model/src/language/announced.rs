//! Warnings of faults on links to a Redis that tells its clients other addresses than the proxy's: nodes of a cluster, and
//! Sentinel. What its configuration file says, nobody here knows.

use crate::{Diagnostic, Fault, Protocol, Service, System, Template, system::Piece};

/// Warnings of such services, each once.
pub(super) fn warnings(faults: &[Fault], system: &System) -> Vec<Diagnostic> {
    let is_met = |service: &&Service| {
        let links = faults.iter().flat_map(|fault| fault.on.links());
        service.protocol == Protocol::REDIS && links.into_iter().any(|link| link.to == service.name)
    };
    system.services.values().filter(is_met).filter_map(warning).collect()
}

fn warning(service: &Service) -> Option<Diagnostic> {
    let words: Vec<&str> = service.start.command().iter().filter_map(text).flat_map(str::split_whitespace).collect();
    let has = |word: &str| words.contains(&word);
    let of_cluster = words.windows(2).any(|pair| pair == ["--cluster-enabled", "yes"]);
    let of_sentinel = has("--sentinel") || words.iter().any(|word| word.rsplit('/').next() == Some("redis-sentinel"));
    let (what, keys) = if of_cluster && !has("--cluster-announce-port") {
        ("is a node of a cluster", "`cluster-announce-ip` and `cluster-announce-port`")
    } else if of_sentinel {
        ("is a Sentinel", "`replica-announce-ip` and `replica-announce-port` of the servers that it watches")
    } else {
        return None;
    };
    let name = &service.name;
    let message = format!("`{name}` {what}: clients learn other addresses from it, and go past the proxies to these");
    let advice = format!(
        "faults on links meet what goes through their proxies alone: have the proxies' addresses announced, by {keys} \
         (docs/running-system.md)"
    );
    Some(Diagnostic::warning(service.start_span.clone(), message).advice(advice))
}

/// The text of a word that names nothing.
fn text(word: &Template) -> Option<&str> {
    match word.pieces.as_slice() {
        [Piece::Text(text)] => Some(text),
        _ => None,
    }
}
