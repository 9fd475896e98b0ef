use super::Transaction;
use crate::codec::Protocol;
use bytes::Bytes;
use std::{collections::BTreeMap, sync::Arc};

/// A connection as commands see it.
pub(crate) struct Client {
    /// Counts from 1 in the order of connecting.
    pub(crate) id: u64,
    pub(crate) peer: Arc<str>,
    pub(crate) name: Bytes,
    pub(crate) library: Bytes,
    pub(crate) library_version: Bytes,
    pub(crate) database: u8,
    pub(crate) protocol: Protocol,
    /// Name of its user; before it has authenticated, and where it needn't, `default`.
    pub(crate) user: Arc<str>,
    pub(crate) authenticated: bool,
    pub(crate) transaction: Transaction,
    pub(crate) connected_ms: i64,
    pub(crate) active_ms: i64,
    pub(crate) last_command: &'static str,
    /// True where it is closed once the replies so far are written.
    pub(crate) closing: bool,
}

impl Client {
    fn new(id: u64, peer: &str, user: Arc<str>, authenticated: bool, now_ms: i64) -> Self {
        Self {
            id,
            peer: peer.into(),
            name: Bytes::new(),
            library: Bytes::new(),
            library_version: Bytes::new(),
            database: 0,
            protocol: Protocol::default(),
            user,
            authenticated,
            transaction: Transaction::default(),
            connected_ms: now_ms,
            active_ms: now_ms,
            last_command: "NULL",
            closing: false,
        }
    }

    /// The client's line in `CLIENT LIST`: the fields of Redis that mean something here.
    pub(crate) fn describe(&self, now_ms: i64) -> Vec<u8> {
        let seconds_since = |ms: i64| (now_ms - ms).max(0) / 1000;
        let queued = self.transaction.queued().map_or(-1, |queued| i64::try_from(queued).unwrap_or(i64::MAX));
        let head = format!("id={} addr={} name=", self.id, self.peer);
        let middle = format!(
            " age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 multi={queued} cmd={} user={} redir=-1 resp={} lib-name=",
            seconds_since(self.connected_ms),
            seconds_since(self.active_ms),
            if queued < 0 { 'N' } else { 'x' },
            self.database,
            self.last_command,
            self.user,
            self.protocol.number(),
        );
        let parts =
            [head.as_bytes(), &self.name, middle.as_bytes(), &self.library, b" lib-ver=", &self.library_version];
        [parts.concat(), b"\n".to_vec()].concat()
    }
}

/// All clients. One whose requests are being answered is taken out meanwhile, and leaves its place empty.
#[derive(Default)]
pub(crate) struct Clients {
    last_id: u64,
    by_id: BTreeMap<u64, Option<Box<Client>>>,
}

impl Clients {
    /// Enters a new client; its id.
    pub(super) fn enter(&mut self, peer: &str, user: Arc<str>, authenticated: bool, now_ms: i64) -> u64 {
        self.last_id += 1;
        let client = Client::new(self.last_id, peer, user, authenticated, now_ms);
        self.by_id.insert(self.last_id, Some(Box::new(client)));
        self.last_id
    }

    pub(super) fn take(&mut self, id: u64) -> Option<Box<Client>> {
        self.by_id.get_mut(&id)?.take()
    }

    pub(super) fn put_back(&mut self, client: Box<Client>) {
        self.by_id.insert(client.id, Some(client));
    }

    pub(super) fn leave(&mut self, id: u64) -> Option<Box<Client>> {
        self.by_id.remove(&id).flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The client with this number, where `me` is the one that is taken out.
    pub(crate) fn get<'a>(&'a self, id: u64, me: &'a Client) -> Option<&'a Client> {
        self.by_id.get(&id).map(|client| client.as_deref().unwrap_or(me))
    }

    /// In the order of connecting, where `me` is the one that is taken out.
    pub(crate) fn iter<'a>(&'a self, me: &'a Client) -> impl Iterator<Item = &'a Client> {
        self.by_id.values().map(move |client| client.as_deref().unwrap_or(me))
    }
}
