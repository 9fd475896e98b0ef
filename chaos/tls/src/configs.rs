//! Settings of rustls, by the protocol that is agreed on above it (ALPN). Sessions are shared, so that they are resumed.

use crate::lock;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// A protocol by its name in ALPN (RFC 7301).
pub(crate) type ProtocolName = Vec<u8>;

/// Settings that are kept. Clients of one link ask for one or two protocols; one that makes up many gets each made anew.
const MOST_KEPT: usize = 16;

/// Settings by what is agreed on.
pub(crate) struct Configs<C> {
    base: C,
    set: fn(&mut C, Vec<ProtocolName>),
    made: Mutex<BTreeMap<Option<ProtocolName>, Arc<C>>>,
}

impl<C: Clone> Configs<C> {
    pub(crate) fn new(base: C, set: fn(&mut C, Vec<ProtocolName>)) -> Self {
        Self { base, set, made: Mutex::default() }
    }

    /// The settings that offer just this protocol, or none.
    pub(crate) fn offering(&self, protocol: Option<&[u8]>) -> Arc<C> {
        let protocol = protocol.map(<[u8]>::to_vec);
        let mut made = lock(&self.made);
        if let Some(known) = made.get(&protocol) {
            return Arc::clone(known);
        }
        let mut config = self.base.clone();
        (self.set)(&mut config, protocol.iter().cloned().collect());
        let config = Arc::new(config);
        if made.len() < MOST_KEPT {
            made.insert(protocol, Arc::clone(&config));
        }
        config
    }
}
