//! All proxies that clients made, and what is done to them. Each change is whole before the next one begins.

use super::{
    error::ApiError,
    record::{Changes, Record, Running, Wanted},
    toxic::Toxic,
};
use crate::{Controlled, Ground, Links, Message, Proxy, ProxyConfig, Reply, Site};
use serde_json::{Map, Value as Json};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Mutex;

/// The proxies.
pub(super) struct Proxies {
    links: Arc<Links>,
    ground: Arc<dyn Ground>,
    seed: u64,
    most_connections: usize,
    records: Mutex<BTreeMap<String, Record>>,
}

/// The outcome of several proxies that were to be made: those that were, and what was wrong with the one after.
pub(super) struct Populated {
    pub(super) proxies: Vec<Json>,
    pub(super) error: Option<ApiError>,
}

impl Proxies {
    pub(super) fn new(links: Arc<Links>, ground: Arc<dyn Ground>, seed: u64, most_connections: usize) -> Self {
        Self { links, ground, seed, most_connections, records: Mutex::default() }
    }

    /// Looks at all of them, in the order of their names.
    pub(super) async fn look<T>(&self, mut at: impl FnMut(&Record) -> T) -> Vec<T> {
        self.records.lock().await.values().map(&mut at).collect()
    }

    /// Looks at one.
    pub(super) async fn look_at<T>(&self, name: &str, at: impl FnOnce(&Record) -> T) -> Result<T, ApiError> {
        self.records.lock().await.get(name).map(at).ok_or(ApiError::NoProxy)
    }

    pub(super) async fn list(&self) -> Json {
        let all = self.look(|record| (record.name.clone(), record.json())).await;
        Json::Object(all.into_iter().collect::<Map<_, _>>())
    }

    pub(super) async fn create(&self, body: Json) -> Result<Json, ApiError> {
        let wanted = Wanted::read(body, "")?;
        let mut records = self.records.lock().await;
        if records.contains_key(&wanted.name) {
            return Err(ApiError::ProxyExists);
        }
        self.make(&mut records, wanted).await
    }

    /// Makes a proxy; one that can't be made is not kept.
    async fn make(&self, records: &mut BTreeMap<String, Record>, wanted: Wanted) -> Result<Json, ApiError> {
        let enabled = wanted.enabled;
        let mut record = Record::new(wanted);
        // What is wrong with its toxics is told now, and not when it is enabled.
        record.check(record.protocol)?;
        if enabled {
            self.start(&mut record).await?;
        }
        tracing::info!(
            proxy = record.name,
            listen = record.listen,
            upstream = record.upstream,
            enabled,
            "a proxy was made"
        );
        let json = record.json();
        records.insert(record.name.clone(), record);
        Ok(json)
    }

    pub(super) async fn update(&self, name: &str, body: Json) -> Result<Json, ApiError> {
        let mut records = self.records.lock().await;
        let record = records.get_mut(name).ok_or(ApiError::NoProxy)?;
        let changes = Changes::read(body)?;
        self.change(record, changes).await?;
        Ok(record.json())
    }

    async fn change(&self, record: &mut Record, changes: Changes) -> Result<(), ApiError> {
        let Changes { listen, upstream, enabled, protocol } = changes;
        let enabled = enabled.unwrap_or(record.running.is_some());
        let moves = match &listen {
            Some(listen) => !self.is_at(record, listen).await?,
            None => false,
        };
        let spoken = protocol.or(record.protocol);
        // Before anything is changed: a toxic may have nothing to act on there.
        record.check(spoken)?;
        let leads_elsewhere = upstream.as_ref().is_some_and(|upstream| *upstream != record.upstream);
        if moves || leads_elsewhere || spoken != record.protocol {
            self.stop(record).await;
            record.listen = listen.filter(|_| moves).unwrap_or_else(|| record.listen.clone());
            record.upstream = upstream.unwrap_or_else(|| record.upstream.clone());
            record.protocol = spoken;
        }
        match (enabled, record.running.is_some()) {
            (true, false) => self.start(record).await?,
            (false, true) => self.stop(record).await,
            _ => {}
        }
        Ok(())
    }

    /// Tells whether a proxy is where this address says.
    async fn is_at(&self, record: &Record, listen: &str) -> Result<bool, ApiError> {
        if record.listen == listen {
            return Ok(true);
        }
        let wanted = self.ground.resolve(listen).await?;
        Ok(record.listen.parse() == Ok(wanted))
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), ApiError> {
        let mut records = self.records.lock().await;
        let mut record = records.remove(name).ok_or(ApiError::NoProxy)?;
        self.stop(&mut record).await;
        tracing::info!(proxy = name, "a proxy was removed");
        Ok(())
    }

    /// Makes proxies, each in the place of one that has its name; one that is the same already is left as it is.
    pub(super) async fn populate(&self, body: Json) -> Populated {
        let mut proxies = Vec::new();
        let error = self.populate_into(body, &mut proxies).await.err();
        Populated { proxies, error }
    }

    async fn populate_into(&self, body: Json, made: &mut Vec<Json>) -> Result<(), ApiError> {
        let Json::Array(all) = body else { return Err(ApiError::BadBody("a list of proxies is expected".to_owned())) };
        let read = |(nth, one)| Wanted::read(one, &format!(" at proxy {}", nth + 1));
        let all: Vec<Wanted> = all.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        let mut records = self.records.lock().await;
        for wanted in all {
            if let Some(record) = records.get(&wanted.name)
                && record.upstream == wanted.upstream
                && self.is_at(record, &wanted.listen).await?
            {
                made.push(record.json());
                continue;
            }
            if let Some(mut record) = records.remove(&wanted.name) {
                self.stop(&mut record).await;
            }
            made.push(self.make(&mut records, wanted).await?);
        }
        Ok(())
    }

    /// Takes all toxics away, and enables all proxies.
    pub(super) async fn reset(&self) -> Result<(), ApiError> {
        let mut records = self.records.lock().await;
        let mut failed = None;
        for record in records.values_mut() {
            if let Some(Running { controlled, .. }) = &record.running {
                done(controlled.proxy.send(Message::Clear).await)?;
            }
            record.toxics.clear();
            if record.running.is_none() {
                // All others are to be well, whatever became of this one.
                failed = failed.or(self.start(record).await.err());
            }
        }
        failed.map_or(Ok(()), Err)
    }

    pub(super) async fn add_toxic(&self, proxy: &str, body: Json) -> Result<Json, ApiError> {
        let mut records = self.records.lock().await;
        let record = records.get_mut(proxy).ok_or(ApiError::NoProxy)?;
        let toxic = Toxic::read(body)?;
        if record.toxic(&toxic.name).is_ok() {
            return Err(ApiError::ToxicExists);
        }
        let fault = toxic.fault(&record.link(), record.protocol())?;
        if let (Some(Running { controlled, .. }), Some(fault)) = (&record.running, fault) {
            done(controlled.proxy.send(Message::Apply(Box::new(fault))).await)?;
        }
        let json = toxic.json(<_>::default());
        record.toxics.push(toxic);
        Ok(json)
    }

    pub(super) async fn update_toxic(&self, proxy: &str, name: &str, body: Json) -> Result<Json, ApiError> {
        let mut records = self.records.lock().await;
        let record = records.get_mut(proxy).ok_or(ApiError::NoProxy)?;
        let (link, protocol) = (record.link(), record.protocol());
        let before = record.toxic(name)?;
        let mut after = before.updated(body)?;
        let faults = (before.fault(&link, protocol)?, after.fault(&link, protocol)?);
        if let Some(Running { controlled, .. }) = &record.running {
            let proxy = &controlled.proxy;
            match faults {
                (Some(_), Some(fault)) => proxy.change(fault).await.map_err(ApiError::Failed)?,
                (None, Some(fault)) => done(proxy.send(Message::Apply(Box::new(fault))).await)?,
                (Some(fault), None) => {
                    let matched = proxy.matched().get(name).copied().unwrap_or_default();
                    let removed = proxy.send(Message::Remove { fault: fault.name }).await;
                    after.before.fired += removed.removed().map_err(ApiError::Failed)?.fired;
                    after.before.matched += matched;
                }
                (None, None) => {}
            }
        }
        if let Some(toxic) = record.toxics.iter_mut().find(|toxic| toxic.name == name) {
            *toxic = after;
        }
        let shown = record.done().into_iter().find(|(toxic, _)| toxic.name == name);
        shown.map(|(toxic, done)| toxic.json(done)).ok_or(ApiError::NoToxic)
    }

    pub(super) async fn remove_toxic(&self, proxy: &str, name: &str) -> Result<(), ApiError> {
        let mut records = self.records.lock().await;
        let record = records.get_mut(proxy).ok_or(ApiError::NoProxy)?;
        let fault = record.toxic(name)?.fault(&record.link(), record.protocol())?;
        if let (Some(Running { controlled, .. }), Some(fault)) = (&record.running, fault) {
            done(controlled.proxy.send(Message::Remove { fault: fault.name }).await)?;
        }
        record.toxics.retain(|toxic| toxic.name != name);
        Ok(())
    }

    async fn start(&self, record: &mut Record) -> Result<(), ApiError> {
        let Site { host, listener, listen, target } = self.ground.open(&record.listen, &record.upstream).await?;
        let (link, protocol) = (record.link(), record.protocol());
        let most_connections = Some(self.most_connections);
        let config = ProxyConfig { link: link.clone(), protocol, seed: self.seed, nonce: None, most_connections };
        let proxy = Proxy::start(&host, listener, config);
        // Before it leads anywhere: the first connection meets them too.
        let applied = apply_all(&proxy, record).await;
        if let Err(error) = applied {
            proxy.stop().await;
            self.ground.close(listen);
            return Err(error);
        }
        proxy.point_at(&target.host, target.port);
        let (listens, leads) = (listen.to_string(), target.to_string());
        let controlled = Controlled { link: link.clone(), protocol, listen: listens.clone(), target: leads, proxy };
        self.links.insert(controlled);
        record.listen = listens;
        record.running = self.links.get(&link.to_string()).map(|controlled| Running { listen, controlled });
        Ok(())
    }

    async fn stop(&self, record: &mut Record) {
        record.keep_counts();
        let Some(running) = record.running.take() else { return };
        self.links.remove(&record.link().to_string()).await;
        self.ground.close(running.listen);
    }
}

async fn apply_all(proxy: &Proxy, record: &Record) -> Result<(), ApiError> {
    for toxic in &record.toxics {
        if let Some(fault) = toxic.fault(&record.link(), record.protocol())? {
            done(proxy.send(Message::Apply(Box::new(fault))).await)?;
        }
    }
    Ok(())
}

/// A proxy's reply to a change.
fn done(reply: Reply) -> Result<(), ApiError> {
    reply.applied().map_err(ApiError::Failed)
}
