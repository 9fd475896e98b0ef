//! The links of a Compose file's system: proxies in containers, which are known once they run.

use async_trait::async_trait;
use chaos_links::{RemoteConfig, RemoteLinks, reach};
use chaos_model::{Fault, Link, Protocol, RunKey, System, event::ProxyCounts, ledger::Removed};
use chaos_run::{Address, Links, Sites, WorldError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use host::Host;
use std::sync::{Arc, Mutex, PoisonError};

/// The place where a runtime leaves word of the proxies that it has started.
#[derive(Clone, Debug, Default)]
pub(super) struct Started(Arc<Mutex<Option<RemoteConfig>>>);

impl Started {
    /// Leaves word.
    pub(super) fn tell(&self, config: RemoteConfig) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    fn take(&self) -> Option<RemoteConfig> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Proxies in containers of the run's own.
pub struct ComposeLinks {
    host: Host,
    started: Started,
    proxies: Option<RemoteLinks>,
}

impl ComposeLinks {
    pub(super) fn new(host: Host, started: Started) -> Self {
        Self { host, started, proxies: None }
    }

    fn proxies(&mut self, link: &Link) -> Result<&mut RemoteLinks, WorldError> {
        let none = || WorldError::CannotGive(format!("there is no place for a fault on {link}"));
        self.proxies.as_mut().ok_or_else(none)
    }
}

#[async_trait]
impl Links for ComposeLinks {
    async fn begin(&mut self, system: &System, run: RunKey) -> Result<(), WorldError> {
        let none = || WorldError::CannotGive("the proxies were not started".to_owned());
        let config = self.started.take().ok_or_else(none)?;
        let proxies = self.proxies.insert(RemoteLinks::new(self.host.clone(), config, reach::resolve_here()));
        proxies.begin(system, run).await
    }

    async fn open(&mut self, link: &Link, protocol: Protocol, sites: &mut Sites<'_>) -> Result<bool, WorldError> {
        self.proxies(link)?.open(link, protocol, sites).await
    }

    async fn close(&mut self, link: &Link) -> Result<(), WorldError> {
        self.proxies(link)?.close(link).await
    }

    fn address(&self, link: &Link) -> Option<Address> {
        self.proxies.as_ref()?.address(link)
    }

    fn lead(&self, _: &Link, _: &[Address]) {
        // They lead to the name of their service, by which the engine finds its containers.
    }

    async fn apply(&mut self, link: &Link, fault: &Fault) -> Result<(), WorldError> {
        self.proxies(link)?.apply(link, fault).await
    }

    async fn remove(&mut self, link: &Link, fault: &Fault) -> Result<Removed, WorldError> {
        self.proxies(link)?.remove(link, fault).await
    }

    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>> {
        match &self.proxies {
            Some(proxies) => proxies.count(),
            None => ready(None).boxed(),
        }
    }

    async fn lost(&mut self) -> WorldError {
        match &mut self.proxies {
            Some(proxies) => proxies.lost().await,
            None => std::future::pending().await,
        }
    }

    async fn release(&mut self) -> Vec<String> {
        match &mut self.proxies {
            Some(proxies) => proxies.release().await,
            None => Vec::new(),
        }
    }

    async fn close_all(&mut self) {
        if let Some(mut proxies) = self.proxies.take() {
            proxies.close_all().await;
        }
    }
}
