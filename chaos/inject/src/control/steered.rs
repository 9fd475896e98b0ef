//! The proxies, and the lease under which they are steered.

use super::{
    lease::{FaultKey, Leases},
    problem::Problem,
    wire::{Granted, Held, LeaseState, LinkState, LinkStates, Send, Standing, Wanted, WireMessage},
};
use crate::{Controlled, Links, Message, Reply};
use chaos_model::{Link, Protocol, language::json::write_fault};
use futures_util::future::join_all;
use host::{Host, Random};
use rand::Rng as _;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

pub(super) struct Steered {
    host: Host,
    links: Arc<Links>,
    state: Mutex<SteeringState>,
    /// Held while faults come and go, so that none slips in while those of a lease that is over are taken back.
    // From the look at the lease to the proxy's reply, so that a change is under one lease or under none.
    changing: tokio::sync::Mutex<()>,
    /// The moment at which the lease lapses has changed.
    changed: Notify,
}

struct SteeringState {
    leases: Leases,
    ids: Random,
}

impl Steered {
    pub(super) fn new(host: &Host, links: Arc<Links>) -> Arc<Self> {
        let state = Mutex::new(SteeringState { leases: Leases::default(), ids: host.rng("leases") });
        let (changing, changed) = (tokio::sync::Mutex::default(), Notify::new());
        Arc::new(Self { host: host.clone(), links, state, changing, changed })
    }

    fn state(&self) -> MutexGuard<'_, SteeringState> {
        // Nothing that holds this lock can panic halfway through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for leases to lapse, until the host is to stop; then all faults are taken back.
    pub(super) async fn watch(&self) {
        loop {
            let (lapses, ends) = {
                let state = self.state();
                (state.leases.lapses(), state.leases.next_end())
            };
            tokio::select! {
                biased;
                () = self.host.shutdown().cancelled() => break,
                () = self.changed.notified() => {}
                () = self.until(lapses) => {
                    // Those who come first see that it is over, so that this waits for none but changes under way.
                    let _changing = self.changing.lock().await;
                    self.lapse().await;
                }
                () = self.until(ends) => {
                    let _changing = self.changing.lock().await;
                    let ended = self.state().leases.ended(Instant::now());
                    self.take_back(ended).await;
                }
            }
        }
        let _changing = self.changing.lock().await;
        let places = self.state().leases.end(false);
        self.take_back(places.unwrap_or_default()).await;
    }

    /// Waits for a moment; for ever where there is none.
    async fn until(&self, moment: Option<Instant>) {
        match moment {
            Some(moment) => self.host.sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }

    /// Ends the lease if it has lapsed. For whoever holds `changing`.
    async fn lapse(&self) {
        let lapsed = {
            let mut state = self.state();
            let holder = state.leases.held().map(|lease| lease.holder.clone());
            state.leases.lapse(Instant::now()).zip(holder)
        };
        if let Some((places, holder)) = lapsed {
            tracing::warn!(holder, faults = places.len(), "a lease lapsed: its faults are taken back");
            self.take_back(places).await;
        }
    }

    /// All at once: each is taken back before any connection has let go of it. For whoever holds `changing`.
    async fn take_back(&self, places: Vec<FaultKey>) {
        let removals = places.into_iter().filter_map(|(link, fault)| {
            let controlled = self.links.get(&link)?;
            Some(async move {
                let reply = controlled.proxy.send(Message::Remove { fault: fault.clone() }).await;
                ((link, fault), reply)
            })
        });
        for (place, reply) in join_all(removals).await {
            if let Reply::Refused { why } = &reply {
                tracing::error!(link = place.0, fault = place.1, why, "a fault could not be taken back");
            }
            self.state().leases.note_removed(place, reply);
        }
    }

    pub(super) async fn take(&self, wanted: Wanted) -> Result<Granted, Problem> {
        let _changing = self.changing.lock().await;
        // The moment may have come, and the one who waits for it not yet.
        self.lapse().await;
        let (seed, nonce, ttl, holder) = (wanted.seed, wanted.nonce, wanted.ttl, wanted.holder.clone());
        let id = {
            let mut state = self.state();
            let id = format!("{:016x}", state.ids.next_u64());
            state.leases.take(id.clone(), wanted, Instant::now(), self.host.unix_now())?;
            id
        };
        self.links.list().iter().for_each(|(_, link)| link.proxy.begin_run(seed, nonce));
        self.changed.notify_one();
        tracing::info!(holder, ttl_ms = millis(ttl), "a lease was taken");
        Ok(Granted { id, ttl })
    }

    pub(super) fn renew(&self, id: &str) -> Result<(), Problem> {
        self.state().leases.renew(id, Instant::now())?;
        self.changed.notify_one();
        Ok(())
    }

    /// Done already where it is over.
    pub(super) async fn give_up(&self, id: &str) -> Result<(), Problem> {
        let _changing = self.changing.lock().await;
        self.lapse().await;
        let (places, holder) = {
            let mut state = self.state();
            let holder = match state.leases.of(id, Instant::now()) {
                Ok(lease) => lease.holder.clone(),
                Err(Problem::LeaseOver { .. }) => return Ok(()),
                Err(problem) => return Err(problem),
            };
            (state.leases.end(false), holder)
        };
        self.changed.notify_one();
        self.take_back(places.unwrap_or_default()).await;
        tracing::info!(holder, "a lease was given up");
        Ok(())
    }

    pub(super) async fn send(&self, id: &str, Send { link, message }: Send) -> Result<Reply, Problem> {
        let _changing = self.changing.lock().await;
        let message = self.read(&link, message)?;
        let controlled = self.controlled(&link)?;
        let has_room = {
            let state = self.state();
            // Asked again, by whoever didn't get the response, or after the lease's end: it is done.
            if let Message::Remove { fault } = &message
                && let Some(reply) = state.leases.removed(id, &(link.clone(), fault.clone()))
            {
                return Ok(reply.clone());
            }
            state.leases.of(id, Instant::now())?.has_room()
        };
        if matches!(message, Message::Apply(_)) && !has_room {
            return Err(Problem::Refused("there are too many faults in place".to_owned()));
        }
        let reply = controlled.proxy.send(message.clone()).await;
        if let Reply::Refused { why } = reply {
            return Err(Problem::Refused(why));
        }
        self.note(&link, message, &reply);
        Ok(reply)
    }

    fn controlled(&self, link: &str) -> Result<Arc<Controlled>, Problem> {
        self.links.get(link).ok_or_else(|| {
            let known: Vec<String> = self.links.list().into_iter().map(|(name, _)| name).collect();
            Problem::NoSuchLink(format!("no proxy stands on `{link}`; they do on {}", known.join(", ")))
        })
    }

    /// Reads a message for the proxy of a link.
    fn read(&self, link: &str, message: WireMessage) -> Result<Message, Problem> {
        self.controlled(link)?;
        let links: Vec<(Link, Protocol)> =
            self.links.list().iter().map(|(_, controlled)| (controlled.link.clone(), controlled.protocol)).collect();
        message.read(link, &links)
    }

    /// Notes what a message has changed. The lease may be over by now, and waits to take back what it has in place.
    fn note(&self, link: &str, message: Message, reply: &Reply) {
        let mut state = self.state();
        match message {
            Message::Apply(fault) => {
                tracing::info!(link, fault = fault.name, effect = fault.effect.name(), "a fault was put in place");
                state.leases.note_applied((link.to_owned(), fault.name.clone()), *fault, Instant::now());
                self.changed.notify_one();
            }
            Message::Remove { fault } => {
                tracing::info!(link, fault, "a fault was taken back");
                state.leases.note_removed((link.to_owned(), fault), reply.clone());
            }
            Message::Clear => state.leases.note_cleared(link),
            Message::Fired => {}
        }
    }

    pub(super) fn lease(&self) -> LeaseState {
        let state = self.state();
        let now = Instant::now();
        let alive = state.leases.held().filter(|_| state.leases.lapses().is_some_and(|lapses| now < lapses));
        let held = alive.map(|lease| Held {
            holder: lease.holder.clone(),
            since: host::rfc3339(lease.since),
            ttl: lease.ttl,
            faults: lease.faults.len() as u64,
        });
        LeaseState { lease: held }
    }

    pub(super) fn links(&self) -> LinkStates {
        LinkStates { links: self.links.list().iter().map(|(name, controlled)| self.link(name, controlled)).collect() }
    }

    fn link(&self, name: &str, controlled: &Controlled) -> LinkState {
        let fired = controlled.proxy.fired();
        let state = self.state();
        let faults = state.leases.held().into_iter().flat_map(|lease| &lease.faults);
        let here = faults.filter(|((link, _), _)| link == name);
        let standing = here.map(|((_, fault), placed)| Standing {
            fault: write_fault(&placed.fault),
            fired: fired.get(fault).copied().unwrap_or_default(),
        });
        LinkState {
            link: name.to_owned(),
            protocol: controlled.protocol.to_string(),
            listen: controlled.listen.clone(),
            target: controlled.target.clone(),
            connections: controlled.proxy.connections() as u64,
            counts: controlled.proxy.counts(),
            faults: standing.collect(),
        }
    }

    /// Lets all connections end, and the proxies with them.
    pub(super) async fn drain(&self, patience: Duration) {
        self.links.drain(patience).await;
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
