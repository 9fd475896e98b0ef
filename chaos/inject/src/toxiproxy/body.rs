//! Bodies of requests, read as leniently as Toxiproxy reads them: keys in any case, unknown ones ignored.

use super::error::ApiError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

/// The object or list that a body is; what follows its end is ignored.
pub(super) fn parse(bytes: &[u8]) -> Result<Json, ApiError> {
    let mut all = serde_json::Deserializer::from_slice(bytes).into_iter::<Json>();
    let value = all.next().ok_or_else(|| ApiError::BadBody("EOF".to_owned()))?;
    value.map_err(|error| ApiError::BadBody(error.to_string()))
}

/// A body that is an object.
pub(super) fn object(value: Json) -> Result<Map<String, Json>, ApiError> {
    match value {
        Json::Object(keys) => Ok(keys),
        other => Err(ApiError::BadBody(format!("an object is expected, and this is `{}`", shortened(&other)))),
    }
}

/// The value of a key, if it is there; null is as if it were not.
pub(super) fn field<T: DeserializeOwned>(keys: &Map<String, Json>, name: &str) -> Result<Option<T>, ApiError> {
    let exact = keys.get(name);
    let found = exact.or_else(|| keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    match found {
        None | Some(Json::Null) => Ok(None),
        Some(value) => {
            let read = serde_json::from_value(value.clone());
            read.map(Some).map_err(|error| ApiError::BadBody(format!("`{name}`: {error}")))
        }
    }
}

fn shortened(value: &Json) -> String {
    value.to_string().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_in_any_case_and_null_is_nothing() {
        let keys = object(parse(br#"{"Name":"a","NAME":"b","enabled":null,"listen":7} and more"#).unwrap()).unwrap();
        assert_eq!(field::<String>(&keys, "NAME").unwrap().as_deref(), Some("b"), "the exact one first");
        assert!(field::<String>(&keys, "name").unwrap().is_some());
        assert_eq!(field::<bool>(&keys, "enabled").unwrap(), None);
        assert!(matches!(field::<String>(&keys, "listen"), Err(ApiError::BadBody(why)) if why.contains("listen")));
        for wrong in [&b"{"[..], b"", b"nope"] {
            assert!(matches!(parse(wrong), Err(ApiError::BadBody(_))), "{}", wrong.escape_ascii());
        }
        assert!(object(parse(b"[]").unwrap()).is_err());
    }
}
