//! The file of `chaos proxy`: `[control]`, `[[link]]`, `[targets]`.

use super::{
    address, document,
    document::Table,
    files,
    findings::Findings,
    protocol::protocol,
    reader::{Reader, Word, parse_word, texts_of},
};
use crate::{
    Diagnostic, Diagnostics, Protocol, Sources, Span,
    attach::HostPort,
    proxies::{ProxiedLink, Proxies},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

/// The address at which the control server listens unless it is told.
const CONTROL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8400);

/// Connections that a link may have at once unless it is told.
const MAX_CONNECTIONS: usize = 10_000;

/// Reads, parses and checks the file. `read` gives the text of a path.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn load(
    file: &Path,
    protocols: &[Protocol],
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<(Proxies, Sources), Diagnostics> {
    let (findings, mut sources) = (Findings::default(), Sources::default());
    let kind = "check the path; `chaos proxy --help` shows what stands in it";
    let text = files::other(file, read, kind, None, &mut sources, &findings);
    let table = text.and_then(|text| document::parse(&text, 0, &findings));
    let proxies = table.and_then(|table| check(&table, (file, protocols), &findings));
    match proxies {
        Some(proxies) if findings.is_empty() => Ok((proxies, sources)),
        _ => Err(Diagnostics { list: findings.into_sorted(), sources }),
    }
}

/// Reads the `[targets]` of a file that has nothing else: targets that need not be local.
///
/// # Errors
/// Everything that is wrong with it, together.
pub fn load_targets(
    file: &Path,
    read: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<(Vec<HostPort>, Sources), Diagnostics> {
    let (findings, mut sources) = (Findings::default(), Sources::default());
    let kind = "check the path; `chaos proxy --help` shows what stands in it";
    let text = files::other(file, read, kind, None, &mut sources, &findings);
    let table = text.and_then(|text| document::parse(&text, 0, &findings));
    let allowed = table.map(|table| targets_alone(&table, &findings));
    match allowed {
        Some(allowed) if findings.is_empty() => Ok((allowed, sources)),
        _ => Err(Diagnostics { list: findings.into_sorted(), sources }),
    }
}

fn targets_alone(table: &Table, findings: &Findings) -> Vec<HostPort> {
    let mut reader = Reader::new(table, "this file", findings);
    for key in ["control", "link"] {
        if let Some(entry) = reader.foreign(key) {
            let message =
                format!("with --toxiproxy, proxies are made by its clients: `{key}` is of proxies that a lease steers");
            let wrong = Diagnostic::new(entry.key_span.clone(), message);
            findings.add(wrong.advice("start those by a `chaos proxy` of their own; here `[targets]` stands alone"));
        }
    }
    let allowed = reader.table("targets").map(|table| targets(table, findings)).unwrap_or_default();
    reader.finish();
    allowed
}

fn check(table: &Table, (file, protocols): (&Path, &[Protocol]), findings: &Findings) -> Option<Proxies> {
    let mut reader = Reader::new(table, "this file", findings);
    if table.get("control").is_none() {
        reader.lacks("control", "[control]` with `token-file = \"token\"");
    }
    let control = reader.table("control").map(|table| control(table, file, findings));
    let tables = reader.tables("link");
    if tables.is_empty() {
        reader.lacks("link", "[[link]]` with `name = \"gateway -> redis\"");
    }
    let read: Vec<Option<(ProxiedLink, Span)>> =
        tables.into_iter().map(|table| link(table, protocols, findings)).collect();
    let allowed = reader.table("targets").map(|table| targets(table, findings)).unwrap_or_default();
    reader.finish();
    let (control, token_file) = control.unwrap_or((CONTROL, None));
    let links: Vec<(ProxiedLink, Span)> = read.into_iter().collect::<Option<_>>()?;
    twice(&links, control, findings);
    back_here(&links, control, findings);
    let links = links.into_iter().map(|(link, _)| link).collect();
    Some(Proxies { control, token_file: token_file?, links, allowed })
}

fn control(table: &Table, file: &Path, findings: &Findings) -> (SocketAddr, Option<std::path::PathBuf>) {
    let mut reader = Reader::new(table, "`[control]`", findings);
    let listen = reader.parse("listen", address::listen).unwrap_or(CONTROL);
    let token_file = reader.needed_text("token-file", "token-file = \"token\"");
    reader.finish();
    let beside = file.parent().unwrap_or_else(|| Path::new(""));
    (listen, token_file.map(|word| beside.join(word.text)))
}

fn link(table: &Table, protocols: &[Protocol], findings: &Findings) -> Option<(ProxiedLink, Span)> {
    let mut reader = Reader::new(table, "this link", findings);
    let link = reader.needed("name", "name = \"gateway -> redis\"", address::link);
    let listen = reader.needed_text("listen", "listen = \"127.0.0.1:16379\"");
    let span = listen.map(|word| word.span.clone());
    let listen = listen.and_then(|word| parse_word(word, address::listen, findings));
    let target = reader.needed_text("target", "target = \"redis:6379\"");
    let target_span = target.map(|word| word.span.clone());
    let target = target.and_then(|word| parse_word(word, address::host_port, findings));
    let protocol = match table.get("protocol") {
        None => Some(Protocol::TCP),
        Some(_) => reader.parse("protocol", |text| protocol(text, protocols)),
    };
    reader.entry("protocol");
    let max_connections = reader.entry("max-connections").map_or(Some(MAX_CONNECTIONS), |entry| {
        let number = entry.value.raw().and_then(|raw| raw.parse().ok()).filter(|number| *number > 0);
        if number.is_none() {
            let wrong = Diagnostic::new(entry.value.span.clone(), "`max-connections` is a whole number, at least 1");
            findings.add(wrong.advice("write it as `max-connections = 500`"));
        }
        number
    });
    reader.finish();
    let (target, target_span) = (target?, target_span?);
    let (protocol, max_connections) = (protocol?, max_connections?);
    Some((ProxiedLink { link: link?, listen: listen?, target, protocol, max_connections, target_span }, span?))
}

fn targets(table: &Table, findings: &Findings) -> Vec<HostPort> {
    let mut reader = Reader::new(table, "`[targets]`", findings);
    let words = reader.entry("allow").map(|entry| texts_of(entry, findings)).unwrap_or_default();
    reader.finish();
    let allowed = words.iter().filter_map(|(text, span)| parse_word(Word { text, span }, address::host_port, findings));
    allowed.collect()
}

/// Refuses targets that are proxies of this file: a connection to one would go round for ever. Where a name leads, is known at
/// each dial.
fn back_here(links: &[(ProxiedLink, Span)], control: SocketAddr, findings: &Findings) {
    let listens = links.iter().map(|(link, _)| (link.listen, link.link.to_string()));
    let listens: Vec<(SocketAddr, String)> = listens.chain([(control, "the control server".to_owned())]).collect();
    for (link, _) in links {
        let HostPort { host, port } = &link.target;
        let address = if host == "localhost" { Some(Ipv4Addr::LOCALHOST.into()) } else { host.parse::<IpAddr>().ok() };
        let is_there = |listen: &SocketAddr| {
            address.is_some_and(|address| {
                let any = listen.ip().is_unspecified() && (address.is_loopback() || address.is_unspecified());
                listen.ip() == address || any
            })
        };
        let found = listens.iter().find(|(listen, _)| listen.port() == *port && is_there(listen));
        if let Some((_, what)) = found {
            let what = if *what == link.link.to_string() { "this proxy itself" } else { what };
            let wrong = Diagnostic::new(link.target_span.clone(), format!("{} is {what}", link.target));
            findings.add(wrong.advice("a proxy leads to the service: give the port at which that listens"));
        }
    }
}

/// Refuses what stands there twice: a link, and a place to listen.
fn twice(links: &[(ProxiedLink, Span)], control: SocketAddr, findings: &Findings) {
    for (nth, (link, span)) in links.iter().enumerate() {
        let before = &links[..nth];
        if let Some((_, first)) = before.iter().find(|(other, _)| other.link == link.link) {
            let message = format!("there are two proxies on `{}`", link.link);
            let diagnostic = Diagnostic::new(span.clone(), message).also(first.clone(), "the other");
            findings.add(diagnostic.advice("a link has one; take the other away"));
        }
        let taken = before.iter().find(|(other, _)| other.listen == link.listen).map(|(_, first)| first.clone());
        if let Some(first) = taken {
            let diagnostic = Diagnostic::new(span.clone(), format!("two proxies listen on {}", link.listen));
            findings.add(diagnostic.also(first, "the other").advice("give one of them another port"));
        } else if link.listen == control {
            let message = format!("the control server listens on {control} already");
            findings.add(Diagnostic::new(span.clone(), message).advice("give one of them another port"));
        }
    }
}
