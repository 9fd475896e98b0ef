//! The half of a world that breaks links: a proxy on each, in this process or elsewhere.

use super::{Address, Site, WorldError};
use async_trait::async_trait;
use chaos_model::{Fault, Link, Protocol, RunKey, System, event::ProxyCounts, ledger::Removed};
use futures_util::future::BoxFuture;

/// Gives the proxy of a link its place in this process.
pub type Sites<'a> = dyn FnMut(&Link, Protocol) -> Result<Site, WorldError> + Send + 'a;

/// The proxies on a system's links. Links are opened and closed one by one, also while faults are in place on others.
#[async_trait]
pub trait Links: Send + Sync {
    /// Makes what proxies need before the first link is opened: nothing in this process; elsewhere a lease on each control
    /// endpoint. Proxies draw by the run's seed, and believe the numbers of requests that carry its nonce alone.
    ///
    /// # Errors
    /// Where the proxies can't be had.
    async fn begin(&mut self, _system: &System, _run: RunKey) -> Result<(), WorldError> {
        Ok(())
    }

    /// Puts a proxy on a link, which leads nowhere until [`Links::lead`]; says whether one stands there now.
    ///
    /// # Errors
    /// Where there is no place for it.
    async fn open(&mut self, link: &Link, protocol: Protocol, sites: &mut Sites<'_>) -> Result<bool, WorldError>;

    /// Takes the proxy from a link with all that is in place on it.
    ///
    /// # Errors
    /// Where that can't be done.
    async fn close(&mut self, link: &Link) -> Result<(), WorldError>;

    /// The address at which a link is used; none where that is not known.
    fn address(&self, link: &Link) -> Option<Address>;

    /// Leads a link to the instances of its service; in the order of their numbers, as many as there are.
    fn lead(&self, link: &Link, to: &[Address]);

    /// Puts a fault on a link. When it returns, the fault holds for every connection.
    ///
    /// # Errors
    /// Where no proxy stands there, or it refuses.
    async fn apply(&mut self, link: &Link, fault: &Fault) -> Result<(), WorldError>;

    /// Takes a fault from a link. When it returns, what it held is on its way.
    ///
    /// # Errors
    /// Where no proxy stands there, or it refuses.
    async fn remove(&mut self, link: &Link, fault: &Fault) -> Result<Removed, WorldError>;

    /// Asks the proxies what they have counted since [`Links::begin`]. The response may come when it will, or never (none):
    /// nothing waits for it. Proxies in this process have counted it by now.
    fn count(&self) -> BoxFuture<'static, Option<ProxyCounts>>;

    /// The reasons, in words, for which proxies failed what the system did not.
    fn doubts(&self) -> Vec<String> {
        Vec::new()
    }

    /// Waits until the proxies are lost, and says why. Safe to drop.
    async fn lost(&mut self) -> WorldError {
        std::future::pending().await
    }

    /// Takes all faults back where that is not done by closing, and gives what could not be, in words. Services still run.
    async fn release(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Takes the proxies from all links. Safe at any time, and more than once.
    async fn close_all(&mut self);
}
