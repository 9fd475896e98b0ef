//! `replace`: another body, under the service's own head.

use super::{
    Action, Facts, Keys, EffectKind, Level,
    action::{BodyEdit, HttpAction},
    key, term, Written};
use serde::{Deserialize, Serialize};

/// The body is another one; status and headers are the service's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replace {
    /// The body.
    pub body: String,
}

impl EffectKind for Replace {
    const FACTS: Facts = Facts {
        name: "replace",
        level: Level::Requests,
        about: "the body is another one; status and headers are the service's",
        keys: &[key("body", "the body, as `{}`")],
        example: "effect = \"replace\"\nbody = \"{}\"",
        others: &[
            term("Chaos Mesh", "replace"),
            term("k6", "errorBody"),
            term("Litmus", "pod-http-modify-body"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let body = keys.needed("body", "body = \"{}\"", |text| Ok(text.to_owned()))?;
        Some(Self { body })
    }

    fn written(&self) -> Written {
        vec![("body", self.body.clone())]
    }

    fn words(&self) -> String {
        format!("replace by {} bytes", self.body.len())
    }

    fn action(&self) -> Action {
        let body = Some(BodyEdit::Replace(self.body.clone()));
        Action::of_http(HttpAction { body, ..HttpAction::default() })
    }
}
