//! The proxies of this process, each by the name of its link: made and removed while it runs. Whoever takes orders (the
//! control API, Toxiproxy's API) is a reader over these, with rules of its own about who may give them.

use crate::Proxy;
use chaos_model::{Link, Protocol, attach::HostPort};
use futures_util::future::{BoxFuture, join_all};
use host::{Host, Listener};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A link whose proxy is to be steered.
pub struct Controlled {
    /// The link.
    pub link: Link,
    /// Protocol that the service speaks.
    pub protocol: Protocol,
    /// Address at which the proxy listens, for people.
    pub listen: String,
    /// Address to which the proxy leads, for people.
    pub target: String,
    /// The proxy, which knows its target.
    pub proxy: Proxy,
}

/// The links of this process.
#[derive(Default)]
pub struct Links {
    all: Mutex<BTreeMap<String, Arc<Controlled>>>,
}

impl Links {
    /// These links.
    #[must_use]
    pub fn of(links: Vec<Controlled>) -> Self {
        let all = links.into_iter().map(|link| (link.link.to_string(), Arc::new(link))).collect();
        Self { all: Mutex::new(all) }
    }

    /// The link of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<Controlled>> {
        self.all().get(name).cloned()
    }

    /// All of them, in the order of their names.
    #[must_use]
    pub fn list(&self) -> Vec<(String, Arc<Controlled>)> {
        self.all().iter().map(|(name, link)| (name.clone(), Arc::clone(link))).collect()
    }

    /// Takes a link in, in the place of one that has its name.
    pub fn insert(&self, link: Controlled) {
        self.all().insert(link.link.to_string(), Arc::new(link));
    }

    /// Takes a link out: its proxy takes no more connections, and those that are open end. When this returns, its port is free.
    pub async fn remove(&self, name: &str) {
        let link = self.all().remove(name);
        if let Some(link) = link {
            link.proxy.stop().await;
        }
    }

    /// Takes all out: connections that are open have so long to end.
    pub async fn drain(&self, patience: Duration) {
        let links = std::mem::take(&mut *self.all());
        join_all(links.values().map(|link| link.proxy.drain(patience))).await;
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Controlled>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ground that proxies made at run time stand on: where they may listen, and where they may lead, as whoever started this
/// process decided.
pub trait Ground: Send + Sync {
    /// Takes the port that `listen` names, for a proxy that leads to `upstream`; a port of 0 takes a free one.
    fn open<'a>(&'a self, listen: &'a str, upstream: &'a str) -> BoxFuture<'a, Result<Site, NoSite>>;

    /// The address that `listen` names.
    fn resolve<'a>(&'a self, listen: &'a str) -> BoxFuture<'a, Result<SocketAddr, NoSite>>;

    /// Nothing listens at this address any more.
    fn close(&self, listen: SocketAddr);
}

/// A place for a proxy.
pub struct Site {
    /// The host that the proxy runs on, and that reaches what it may.
    pub host: Host,
    /// Its listener,
    pub listener: Listener,
    /// and the address of that.
    pub listen: SocketAddr,
    /// The address that it leads to.
    pub target: HostPort,
}

/// The reason for which there is no place for a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSite {
    /// The addresses can't be read: in words.
    Unreadable(String),
    /// It may not listen there, or not lead there: in words, with what would allow it.
    Forbidden(String),
    /// The machine does not give it: in words.
    Taken(String),
}
