use crate::codec::Protocol;
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc};

/// A connection as commands see it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    /// Counts from 1 in the order of connecting.
    pub(crate) id: u64,
    pub(crate) peer: Arc<str>,
    pub(crate) name: Bytes,
    pub(crate) library: Bytes,
    pub(crate) library_version: Bytes,
    pub(crate) database: u8,
    pub(crate) protocol: Protocol,
    pub(crate) authenticated: bool,
    pub(crate) connected_ms: i64,
    pub(crate) active_ms: i64,
    pub(crate) last_command: &'static str,
    /// It is closed once the replies so far are written.
    pub(crate) closing: bool,
}

impl Client {
    pub(super) fn new(id: u64, peer: &str, authenticated: bool, now_ms: i64) -> Self {
        Self {
            id,
            peer: peer.into(),
            name: Bytes::new(),
            library: Bytes::new(),
            library_version: Bytes::new(),
            database: 0,
            protocol: Protocol::default(),
            authenticated,
            connected_ms: now_ms,
            active_ms: now_ms,
            last_command: "NULL",
            closing: false,
        }
    }

    /// Its line in `CLIENT LIST`: the fields of Redis that mean something here.
    pub(crate) fn describe(&self, now_ms: i64) -> Vec<u8> {
        let seconds_since = |ms: i64| (now_ms - ms).max(0) / 1000;
        let head = format!("id={} addr={} name=", self.id, self.peer);
        let middle = format!(
            " age={} idle={} flags=N db={} sub=0 psub=0 ssub=0 multi=-1 cmd={} user=default redir=-1 resp={} lib-name=",
            seconds_since(self.connected_ms),
            seconds_since(self.active_ms),
            self.database,
            self.last_command,
            self.protocol.number(),
        );
        let parts =
            [head.as_bytes(), &self.name, middle.as_bytes(), &self.library, b" lib-ver=", &self.library_version];
        [parts.concat(), b"\n".to_vec()].concat()
    }
}

/// All clients, as they were after their last batch of requests.
#[derive(Default)]
pub(crate) struct Clients {
    last_id: u64,
    by_id: BTreeMap<u64, Client>,
}

impl Clients {
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn publish(&mut self, client: &Client) {
        self.by_id.insert(client.id, client.clone());
    }

    pub(super) fn remove(&mut self, id: u64) {
        self.by_id.remove(&id);
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Client> {
        self.by_id.get(&id)
    }

    /// In the order of connecting.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Client> {
        self.by_id.values()
    }
}
