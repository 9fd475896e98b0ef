//! `replace`: another body, under the service's own head.

use super::{
    Action, CODING, Coding, Explored, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction},
    key, term, Written};
use serde::{Deserialize, Serialize};

/// The body is another one; status and headers are the service's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    /// The body.
    pub body: String,
    /// Whether the head is put right.
    #[serde(default, skip_serializing_if = "Coding::is_usual")]
    pub coding: Coding,
}

impl EffectKind for Replace {
    const FACTS: Facts = Facts {
        name: "replace",
        level: Level::Requests,
        about: "the body is another one; status and headers are the service's",
        keys: &[key("body", "the body, as `{}`"), CODING],
        example: "effect = \"replace\"\nbody = \"{}\"",
        explored: Explored::By(&[&[&[("body", "{}")]], &[&[("body", "<html></html>")]]]),
        others: &[
            term("Chaos Mesh", "replace"),
            term("k6", "errorBody"),
            term("Litmus", "pod-http-modify-body"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let body = keys.needed("body", "body = \"{}\"", |text| Ok(text.to_owned()));
        let coding = keys.coding();
        Some(Self { body: body?, coding })
    }

    fn written(&self) -> Written {
        [("body", self.body.clone())].into_iter().chain(self.coding.written()).collect()
    }

    fn words(&self) -> String {
        format!("replace by {} bytes{}", self.body.len(), self.coding.words())
    }

    fn action(&self) -> Action {
        let body = Some(BodyEdit::Replace(self.body.clone()));
        Action::of_http(HttpAction { body, coding: self.coding, ..HttpAction::default() })
    }
}
