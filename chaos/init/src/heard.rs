//! Responses to a first look at a system: the paths that are asked for, and which of them say something.

use crate::openapi::is_openapi;
use serde_json::Value;
use std::collections::BTreeMap;

/// Paths that a first look asks for, beside `/`: where services usually say that they are well, and where their OpenAPI document
/// usually is.
pub const LOOKS: [&str; 10] = [
    "/",
    "/health",
    "/healthz",
    "/health/ready",
    "/ready",
    "/actuator/health",
    "/openapi.json",
    "/v3/api-docs",
    "/swagger.json",
    "/api/openapi.json",
];

/// Paths of [`LOOKS`] whose success says that a service is ready, the best first.
const READY: [&str; 5] = ["/health/ready", "/ready", "/health", "/healthz", "/actuator/health"];

/// The responses of a run, as far as they say something of its system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heard {
    /// Counts of responses by the place of their request and by their status.
    statuses: BTreeMap<usize, BTreeMap<u16, u64>>,
    /// An OpenAPI document, as the first path of [`LOOKS`] that has one gave it.
    document: Option<(usize, Value)>,
}

impl Heard {
    /// Takes in a response to the request at this place.
    pub fn hear(&mut self, request: usize, status: u16, body: &[u8]) {
        *self.statuses.entry(request).or_default().entry(status).or_default() += 1;
        let is_first = self.document.as_ref().is_none_or(|(before, _)| request < *before);
        if is_first
            && status == 200
            && let Ok(document) = serde_json::from_slice::<Value>(body)
            && is_openapi(&document)
        {
            self.document = Some((request, document));
        }
    }

    /// True where anything came.
    #[must_use]
    pub fn is_something(&self) -> bool {
        !self.statuses.is_empty()
    }

    /// True where there were responses, and all were below 400.
    #[must_use]
    pub fn serves_below_400(&self) -> bool {
        self.is_something() && self.statuses.values().flat_map(BTreeMap::keys).all(|status| *status < 400)
    }

    /// True where the request at this place had responses below 400.
    #[must_use]
    pub fn is_served(&self, request: usize) -> bool {
        self.statuses.get(&request).is_some_and(|statuses| statuses.keys().any(|status| *status < 400))
    }

    /// The most frequent status of the responses to the request at this place.
    #[must_use]
    pub fn status(&self, request: usize) -> Option<u16> {
        let statuses = self.statuses.get(&request)?;
        statuses.iter().max_by_key(|(status, count)| (**count, std::cmp::Reverse(**status))).map(|(status, _)| *status)
    }

    /// The path, of a first look, by whose success the entry shows that it is ready.
    #[must_use]
    pub fn ready(&self) -> Option<&'static str> {
        let always = |path: &&str| {
            let place = LOOKS.iter().position(|look| look == path);
            let statuses = place.and_then(|place| self.statuses.get(&place));
            statuses.is_some_and(|statuses| statuses.keys().all(|status| (200..300).contains(status)))
        };
        // A service that has a page for whatever is asked says nothing by that.
        let is_catch_all = READY.iter().filter(|path| always(path)).count() == READY.len();
        READY.iter().copied().find(always).filter(|_| !is_catch_all)
    }

    /// The OpenAPI document that a first look found, and the path that has it.
    #[must_use]
    pub fn document(&self) -> Option<(&'static str, &Value)> {
        self.document.as_ref().map(|(place, document)| (LOOKS[*place], document))
    }

    /// A path, of a first look, that clients are served at.
    #[must_use]
    pub fn path(&self) -> Option<&'static str> {
        let served = |place: &usize| self.is_served(*place);
        (0..LOOKS.len()).find(served).map(|place| LOOKS[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> usize {
        LOOKS.iter().position(|look| *look == path).unwrap()
    }

    #[test]
    fn a_first_look_finds_readiness_document_and_a_path() {
        let mut heard = Heard::default();
        assert!(!heard.is_something());
        for (path, status, body) in [
            ("/", 404, "no"),
            ("/health", 200, "ok"),
            ("/ready", 503, "not yet"),
            ("/healthz", 200, "ok"),
            ("/swagger.json", 200, r#"{"swagger": "2.0", "paths": {}}"#),
            ("/v3/api-docs", 200, r#"{"openapi": "3.0.1", "paths": {"/a": {}}}"#),
            ("/openapi.json", 200, r#"{"an": "other"}"#),
        ] {
            heard.hear(place(path), status, body.as_bytes());
        }
        assert_eq!((heard.ready(), heard.path()), (Some("/health"), Some("/health")));
        assert_eq!(heard.document().map(|(path, _)| path), Some("/v3/api-docs"));
        assert!(!heard.serves_below_400());
    }

    #[test]
    fn a_page_for_everything_is_no_word_of_readiness() {
        let mut heard = Heard::default();
        LOOKS.iter().enumerate().for_each(|(place, _)| heard.hear(place, 200, b"hello"));
        assert_eq!((heard.ready(), heard.path()), (None, Some("/")));
        assert!(heard.serves_below_400());
    }
}
