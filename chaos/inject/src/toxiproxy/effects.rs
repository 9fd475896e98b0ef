//! Toxics beyond Toxiproxy's: every effect by its name, with the keys that the language gives it.

use super::error::ApiError;
use chaos_model::{
    Directions, Effect, Endpoint, Fault, Link, Protocol,
    effect::{Facts, Level},
    language::json::{Mistake, read_fault},
};
use serde_json::{Map, Value as Json};

/// The settings that a type has where none are given, so that clients whose attributes are numbers can ask for it.
const DEFAULTS: [(&str, &str, &str); 2] = [("error", "reply", "LOADING"), ("status", "status", "503")];

/// The effect that a type names: by its name, or with the protocol before it (`http-status`, `redis-error`).
pub(super) fn facts(kind: &str) -> Option<&'static Facts> {
    let of = |name: &str| Effect::ALL.iter().find(|facts| facts.name == name && facts.level.is_of_plain_links());
    let prefixed = [("http-", Level::Requests), ("redis-", Level::Commands)].into_iter().find_map(|(prefix, level)| {
        of(kind.strip_prefix(prefix)?).filter(|facts| facts.level == level || facts.level == Level::Messages)
    });
    of(kind).or(prefixed)
}

/// Reads a toxic as a fault with these attributes as its keys, on a link that speaks `protocol`. Name and link are for the caller
/// to say.
pub(super) fn read(
    facts: &Facts,
    attributes: &Map<String, Json>,
    direction: Directions,
    protocol: Protocol,
) -> Result<Fault, ApiError> {
    for (key, advice) in [
        ("for", "take the toxic away when its time is over"),
        ("name", "a toxic has its name beside its attributes"),
        ("on", "a toxic is on its proxy"),
        ("effect", "the effect is the toxic's type"),
    ] {
        if attributes.contains_key(key) {
            return Err(ApiError::BadBody(format!("/attributes/{key}: `{key}` is no attribute: {advice}")));
        }
    }
    let link = Link { from: Endpoint::Client, to: "proxy".to_owned(), label: None };
    let mut keys: Map<String, Json> = attributes.iter().map(|(key, value)| (key.clone(), written(value))).collect();
    if let Some((_, key, value)) =
        DEFAULTS.iter().find(|(name, key, _)| *name == facts.name && !keys.contains_key(*key))
    {
        keys.insert((*key).to_owned(), Json::from(*value));
    }
    // The stream is the direction, where the effect has one and nothing else is said.
    if facts.keys.iter().any(|key| key.name == "direction") && !keys.contains_key("direction") {
        keys.insert("direction".to_owned(), Json::from(direction.name()));
    }
    for (key, value) in [("name", "toxic"), ("effect", facts.name)] {
        keys.insert(key.to_owned(), Json::from(value));
    }
    keys.insert("on".to_owned(), Json::from(link.to_string()));
    read_fault(&Json::Object(keys), &[(link, protocol)]).map_err(|mistakes| ApiError::BadBody(words(&mistakes)))
}

/// A value as the language writes it: numbers as text.
fn written(value: &Json) -> Json {
    match value {
        Json::Number(number) => Json::String(number.to_string()),
        Json::Object(keys) => Json::Object(keys.iter().map(|(key, value)| (key.clone(), written(value))).collect()),
        other => other.clone(),
    }
}

fn words(mistakes: &[Mistake]) -> String {
    let each = mistakes.iter().map(|mistake| {
        let Mistake { pointer, message, advice } = mistake;
        let advice = advice.as_ref().map(|advice| format!(" ({advice})")).unwrap_or_default();
        format!("/attributes{pointer}: {message}{advice}")
    });
    each.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SEEN;
    use chaos_model::Share;
    use serde_json::json;

    fn fault(kind: &str, attributes: &Json) -> Result<Fault, String> {
        let facts = facts(kind).ok_or("no effect")?;
        let read = read(facts, attributes.as_object().unwrap(), Directions::Upstream, SEEN);
        read.map_err(|error| format!("{:?}", error.json()["error"]))
    }

    #[test]
    fn every_effect_on_links_is_a_type_by_its_name_and_by_its_protocol() {
        for one in Effect::ALL {
            let known = facts(one.name).is_some();
            assert_eq!(known, one.level.is_of_plain_links(), "{}", one.name);
        }
        let named = |kind: &str| facts(kind).map(|facts| facts.name);
        assert_eq!(named("redis-error"), Some("error"));
        assert_eq!(named("http-status"), Some("status"));
        assert_eq!((named("http-delay"), named("redis-delay")), (Some("delay"), Some("delay")));
        assert_eq!((named("redis-status"), named("http-latency"), named("kill")), (None, None, None));
    }

    #[test]
    fn attributes_are_the_keys_of_the_language() {
        let status =
            fault("http-status", &json!({ "status": 429, "only": { "path": "/a/*", "first": 3 }, "share": "50%" }));
        let status = status.unwrap();
        assert_eq!((status.effect.words().as_str(), status.share), ("status 429", Share { parts: 50, whole: 100 }));
        assert!(status.only.path.is_some() && status.only.nth.is_some());
        assert_eq!(fault("redis-error", &json!({})).unwrap().effect.words(), "error LOADING");
        assert_eq!(fault("half-open", &json!({})).unwrap().effect.words(), "half-open (upstream is dead)");
        let slow = fault("latency", &json!({ "delay": "20ms", "direction": "both" })).unwrap();
        assert_eq!(slow.effect.words(), "latency 20ms each way");
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let error = fault("http-status", &json!({ "status": "9000", "path": "/a" })).unwrap_err();
        assert!(error.contains("/attributes/status") && error.contains("/attributes/path"), "{error}");
        let error = fault("miss", &json!({ "for": "3s" })).unwrap_err();
        assert!(error.contains("take the toxic away"), "{error}");
    }
}
