//! Toxics: their settings as clients say them, and the faults that these are.

use super::{
    body::{field, object},
    effects,
    error::ApiError,
    originals::Original,
    shares,
};
use chaos_model::{Directions, Fault, Link, Protocol, Share, Target, effect::Facts, event::Fired};
use serde_json::{Map, Value as Json, json};

/// A toxic on a proxy.
#[derive(Clone)]
pub(super) struct Toxic {
    pub(super) name: String,
    /// The type, as it was said.
    kind: String,
    /// The stream, as it was said.
    stream: String,
    pub(super) direction: Directions,
    toxicity: f64,
    attributes: Map<String, Json>,
    /// Counts of what it did while its proxy was another one, that was stopped since.
    pub(super) before: Done,
}

/// Counts of what a toxic did.
#[derive(Clone, Copy, Default)]
pub(super) struct Done {
    pub(super) fired: Fired,
    /// Connections or messages that it is for.
    pub(super) matched: u64,
}

/// The kind of a toxic.
enum Kind {
    /// One of Toxiproxy's.
    Original(&'static Original),
    /// An effect, by its name.
    Effect(&'static Facts),
}

impl Kind {
    /// The kind that a type with these attributes is. Of names that both have, attributes tell: Toxiproxy's are numbers, and
    /// the language's are texts.
    fn of(name: &str, attributes: &Map<String, Json>) -> Result<Self, ApiError> {
        let (original, effect) = (Original::of(name), effects::facts(name));
        let is_text = attributes.values().any(Json::is_string);
        match (original, effect) {
            (_, Some(facts)) if is_text || original.is_none() => Ok(Self::Effect(facts)),
            (Some(original), _) => Ok(Self::Original(original)),
            (None, _) if name == "packet_loss" => Err(ApiError::NoType(
                " packet_loss: a proxy sees no packets, and bytes that it left out would break the stream, which no loss of \
                 packets does: TCP sends them again, later. Use `latency` with `distribution` `pareto`"
                    .to_owned(),
            )),
            (None, _) => Err(ApiError::NoType(format!(
                " {name}: there are Toxiproxy's (latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data), \
                 and all effects on links by their names"
            ))),
        }
    }
}

impl Toxic {
    /// Reads a toxic that is to be made.
    pub(super) fn read(body: Json) -> Result<Self, ApiError> {
        let keys = object(body)?;
        let stream: String = field(&keys, "stream")?
            .filter(|stream: &String| !stream.is_empty())
            .unwrap_or_else(|| "downstream".to_owned());
        let direction = match stream.to_ascii_lowercase().as_str() {
            "upstream" => Directions::Upstream,
            "downstream" => Directions::Downstream,
            _ => return Err(ApiError::NoStream),
        };
        let kind: String = field(&keys, "type")?.unwrap_or_default();
        let name = field(&keys, "name")?.filter(|name: &String| !name.is_empty());
        let name = name.unwrap_or_else(|| format!("{kind}_{}", direction.name()));
        let toxicity = field(&keys, "toxicity")?.unwrap_or(1.0);
        let given: Map<String, Json> = field(&keys, "attributes")?.unwrap_or_default();
        let attributes = match Kind::of(&kind, &given)? {
            Kind::Original(original) => original.read(&given)?,
            Kind::Effect(_) => given,
        };
        Ok(Self { name, kind, stream, direction, toxicity, attributes, before: Done::default() })
    }

    /// The same with what a body says of its attributes and its toxicity; the rest of it stays.
    pub(super) fn updated(&self, body: Json) -> Result<Self, ApiError> {
        let keys = object(body)?;
        let toxicity = field(&keys, "toxicity")?.unwrap_or(self.toxicity);
        let given: Map<String, Json> = field(&keys, "attributes")?.unwrap_or_default();
        let mut attributes = self.attributes.clone();
        attributes.extend(given);
        let attributes = match Kind::of(&self.kind, &self.attributes)? {
            Kind::Original(original) => original.read(&attributes)?,
            Kind::Effect(_) => attributes,
        };
        Ok(Self { toxicity, attributes, ..self.clone() })
    }

    /// The fault that it is on this link; none where it does nothing.
    pub(super) fn fault(&self, link: &Link, protocol: Protocol) -> Result<Option<Fault>, ApiError> {
        let toxicity = shares::of_toxicity(self.toxicity);
        let on = Target::Link(link.clone());
        let fault = match Kind::of(&self.kind, &self.attributes)? {
            Kind::Original(original) => {
                let effect = original.effect(&self.attributes, self.direction);
                effect.map(|effect| Fault { share: toxicity, ..Fault::new(self.name.clone(), on, effect) })
            }
            Kind::Effect(facts) => {
                let read = effects::read(facts, &self.attributes, self.direction, protocol)?;
                let share = match (read.share == Share::ALL, toxicity == Share::ALL) {
                    (true, _) => toxicity,
                    (false, true) => read.share,
                    (false, false) => {
                        let why = "a toxicity and a `share` say the same: leave one of them out";
                        return Err(ApiError::BadBody(format!("/attributes/share: {why}")));
                    }
                };
                Some(Fault { name: self.name.clone(), on, share, ..read })
            }
        };
        Ok(fault.filter(|_| toxicity.parts > 0))
    }

    /// The toxic as clients read it, with all that it did so far.
    pub(super) fn json(&self, now: Done) -> Json {
        let mut fired = self.before.fired;
        fired += now.fired;
        let Self { name, kind, stream, toxicity, attributes, .. } = self;
        json!({
            "attributes": attributes,
            "name": name,
            "type": kind,
            "stream": stream,
            "toxicity": toxicity,
            "fired": times(&fired),
            "matched": self.before.matched + now.matched,
            "spared": fired.spared.connections() + fired.spared.messages(),
            "counts": fired,
        })
    }

    /// The type, as it was said.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }
}

/// The number of times that a toxic did something: to a message, a chunk of bytes, a connection, an attempt to connect.
pub(super) fn times(fired: &Fired) -> u64 {
    fired.chunks + fired.resets + fired.closes + fired.refused + fired.dropped + fired.messages
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SEEN;
    use chaos_model::Endpoint;

    fn link() -> Link {
        Link { from: Endpoint::Client, to: "a proxy".to_owned(), label: None }
    }

    fn fault(body: Json) -> Result<Option<String>, ApiError> {
        let fault = Toxic::read(body)?.fault(&link(), SEEN)?;
        Ok(fault.map(|fault| format!("{}: {} {}", fault.name, fault.effect.words(), fault.share)))
    }

    #[test]
    fn a_toxic_has_defaults_and_is_a_fault() {
        let toxic = Toxic::read(json!({ "type": "latency", "attributes": { "latency": 5 } })).unwrap();
        let shown = toxic.json(Done::default());
        assert_eq!(shown["name"], "latency_downstream");
        assert_eq!((&shown["toxicity"], &shown["attributes"]), (&json!(1.0), &json!({ "latency": 5, "jitter": 0 })));
        let words =
            fault(json!({ "type": "latency", "stream": "UPSTREAM", "toxicity": 0.5, "attributes": { "latency": 5 } }));
        assert_eq!(words.unwrap().as_deref(), Some("latency_upstream: latency 5ms on what is sent 50%"));
    }

    #[test]
    fn of_names_that_both_have_the_attributes_tell() {
        let text =
            json!({ "type": "latency", "attributes": { "delay": "5ms", "distribution": "normal", "jitter": "2ms" } });
        assert_eq!(fault(text).unwrap().as_deref(), Some("latency_downstream: latency 5ms ± 2ms (normal) 100%"));
        let wrong = fault(json!({ "type": "latency", "attributes": { "latency": "x" } })).unwrap_err();
        assert!(matches!(wrong, ApiError::BadBody(_)), "{wrong:?}");
    }

    #[test]
    fn a_toxicity_of_nothing_is_nothing_and_goes_with_no_other_share() {
        let toxic = |toxicity: f64, share: &str| {
            fault(json!({ "type": "miss", "toxicity": toxicity, "attributes": { "share": share } }))
        };
        assert_eq!(toxic(0.0, "100%"), Ok(None));
        assert_eq!(toxic(1.0, "20%").unwrap().as_deref(), Some("miss_downstream: miss 20%"));
        assert!(toxic(0.5, "20%").is_err());
    }

    #[test]
    fn an_update_leaves_what_it_does_not_say() {
        let toxic = Toxic::read(json!({ "type": "latency", "attributes": { "latency": 5 } })).unwrap();
        let updated =
            toxic.updated(json!({ "attributes": { "jitter": 1 }, "name": "x", "stream": "upstream" })).unwrap();
        let shown = updated.json(Done::default());
        assert_eq!((&shown["name"], &shown["stream"]), (&json!("latency_downstream"), &json!("downstream")));
        assert_eq!(shown["attributes"], json!({ "latency": 5, "jitter": 1 }));
        assert_eq!(toxic.updated(json!({ "toxicity": 0.25 })).unwrap().toxicity, 0.25);
    }

    #[test]
    fn what_is_no_type_is_told_with_what_could_be_meant() {
        let lost = fault(json!({ "type": "packet_loss" })).unwrap_err().json();
        assert!(lost["error"].as_str().unwrap().starts_with("invalid toxic type packet_loss: a proxy sees no packets"));
        assert!(matches!(fault(json!({ "type": "none" })), Err(ApiError::NoType(_))));
        assert!(matches!(fault(json!({ "type": "latency", "stream": "sideways" })), Err(ApiError::NoStream)));
    }
}
