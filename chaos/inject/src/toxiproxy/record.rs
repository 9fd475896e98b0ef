//! Proxies as clients made them: their settings, their toxics, and the proxy that runs while they are enabled.

use super::{
    body::{field, object},
    error::ApiError,
    toxic::{Done, Toxic},
};
use crate::{ByteCounts, Controlled, SEEN};
use chaos_model::{Directions, Endpoint, Link, Protocol};
use serde_json::{Map, Value as Json, json};
use std::{net::SocketAddr, sync::Arc};

/// A proxy as a body describes it.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) listen: String,
    pub(super) upstream: String,
    pub(super) enabled: bool,
    pub(super) protocol: Option<Protocol>,
    pub(super) toxics: Vec<Toxic>,
}

/// The settings of a proxy that a body names.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) listen: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) protocol: Option<Protocol>,
}

/// A proxy.
pub(super) struct Record {
    pub(super) name: String,
    /// The address: as it was said, and the real one from when it listens.
    pub(super) listen: String,
    pub(super) upstream: String,
    pub(super) protocol: Option<Protocol>,
    /// In the order in which they were made.
    pub(super) toxics: Vec<Toxic>,
    /// While it is enabled.
    pub(super) running: Option<Running>,
    /// Counts of the proxies that ran before.
    pub(super) before: ByteCounts,
}

/// A proxy that runs.
pub(super) struct Running {
    pub(super) listen: SocketAddr,
    pub(super) controlled: Arc<Controlled>,
}

impl Wanted {
    /// Reads a proxy that is to be made; `place` says of which of several it is.
    pub(super) fn read(body: Json, place: &str) -> Result<Self, ApiError> {
        let keys = object(body)?;
        let needed = |key: &'static str| {
            let value: Option<String> = field(&keys, key)?;
            value.filter(|value| !value.is_empty()).ok_or(ApiError::Missing { field: key, place: place.to_owned() })
        };
        let toxics: Option<Vec<Json>> = field(&keys, "toxics")?;
        let Changes { listen, enabled, protocol, .. } = Changes::of(&keys)?;
        Ok(Self {
            name: needed("name")?,
            upstream: needed("upstream")?,
            listen: listen.unwrap_or_default(),
            enabled: enabled.unwrap_or(true),
            protocol,
            toxics: toxics.unwrap_or_default().into_iter().map(Toxic::read).collect::<Result<_, _>>()?,
        })
    }
}

impl Changes {
    /// Reads a body that changes a proxy.
    pub(super) fn read(body: Json) -> Result<Self, ApiError> {
        Self::of(&object(body)?)
    }

    fn of(keys: &Map<String, Json>) -> Result<Self, ApiError> {
        let text = |key| field(keys, key).map(|text: Option<String>| text.filter(|text| !text.is_empty()));
        let protocol = text("protocol")?.map(|name| {
            let found = Protocol::ALL.iter().find(|protocol| protocol.name == name).copied();
            let all: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name).collect();
            found.ok_or_else(|| ApiError::BadBody(format!("`protocol`: `{name}` is none of {}", all.join(", "))))
        });
        Ok(Self {
            listen: text("listen")?,
            upstream: text("upstream")?,
            enabled: field(keys, "enabled")?,
            protocol: protocol.transpose()?,
        })
    }
}

impl Record {
    /// A proxy that does not run yet.
    pub(super) fn new(wanted: Wanted) -> Self {
        let Wanted { name, listen, upstream, protocol, toxics, .. } = wanted;
        Self { name, listen, upstream, protocol, toxics, running: None, before: ByteCounts::default() }
    }

    /// The link that its proxy stands on.
    pub(super) fn link(&self) -> Link {
        Link { from: Endpoint::Client, to: self.name.clone(), label: None }
    }

    /// The protocol that is spoken there, as far as it was said.
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol.unwrap_or(SEEN)
    }

    /// Refuses toxics that can't act where this is spoken.
    pub(super) fn check(&self, protocol: Option<Protocol>) -> Result<(), ApiError> {
        let (link, protocol) = (self.link(), protocol.unwrap_or(SEEN));
        self.toxics.iter().try_for_each(|toxic| toxic.fault(&link, protocol).map(drop))
    }

    /// The toxic of this name.
    pub(super) fn toxic(&self, name: &str) -> Result<&Toxic, ApiError> {
        self.toxics.iter().find(|toxic| toxic.name == name).ok_or(ApiError::NoToxic)
    }

    /// The toxics, upstream ones first, each with what it did while this proxy runs.
    pub(super) fn done(&self) -> Vec<(&Toxic, Done)> {
        let proxy = self.running.as_ref().map(|running| &running.controlled.proxy);
        let (fired, matched) = proxy.map(|proxy| (proxy.fired(), proxy.matched())).unwrap_or_default();
        let of = |toxic: &Toxic| Done {
            fired: fired.get(&toxic.name).copied().unwrap_or_default(),
            matched: matched.get(&toxic.name).copied().unwrap_or_default(),
        };
        let in_direction = |direction| self.toxics.iter().filter(move |toxic| toxic.direction == direction);
        let all = in_direction(Directions::Upstream).chain(in_direction(Directions::Downstream));
        all.map(|toxic| (toxic, of(toxic))).collect()
    }

    /// Keeps what was counted, before its proxy stops.
    pub(super) fn keep_counts(&mut self) {
        let done: Vec<(String, Done)> =
            self.done().into_iter().map(|(toxic, done)| (toxic.name.clone(), done)).collect();
        for (name, done) in done {
            if let Some(toxic) = self.toxics.iter_mut().find(|toxic| toxic.name == name) {
                toxic.before.fired += done.fired;
                toxic.before.matched += done.matched;
            }
        }
        self.before = self.bytes();
    }

    /// Bytes so far.
    pub(super) fn bytes(&self) -> ByteCounts {
        let now = self.running.as_ref().map(|running| running.controlled.proxy.bytes()).unwrap_or_default();
        let before = self.before;
        ByteCounts {
            received_upstream: before.received_upstream + now.received_upstream,
            sent_upstream: before.sent_upstream + now.sent_upstream,
            received_downstream: before.received_downstream + now.received_downstream,
            sent_downstream: before.sent_downstream + now.sent_downstream,
        }
    }

    /// The toxics as clients read them.
    pub(super) fn toxics_json(&self) -> Json {
        self.done().into_iter().map(|(toxic, done)| toxic.json(done)).collect()
    }

    /// The proxy as clients read it.
    pub(super) fn json(&self) -> Json {
        let mut keys = json!({
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.running.is_some(),
            "toxics": self.toxics_json(),
        });
        if let Some(protocol) = self.protocol {
            keys["protocol"] = Json::from(protocol.name);
        }
        keys
    }
}
