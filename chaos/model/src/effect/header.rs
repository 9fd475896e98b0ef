//! `header`: a header of the response that is wrong or missing.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{HeaderEdit, HttpAction},
    key, term, Written, there};
use crate::language::findings::Wrong;
use serde::{Deserialize, Serialize};

/// A header of the response is set, or taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The header's name.
    pub header: String,
    /// The header's new value; without one the header is taken away.
    #[serde(default)]
    pub value: Option<String>,
}

impl EffectKind for Header {
    const FACTS: Facts = Facts {
        name: "header",
        level: Level::Requests,
        about: "a header of the response is set, or taken away",
        keys: &[
            key("header", "its name; `content-length` and `transfer-encoding` break the framing"),
            key("value", "what it becomes; without it the header is taken away"),
        ],
        example: "effect = \"header\"\nheader = \"content-type\"",
        explored: Explored::By(&[&[&[("header", "content-type")]]]),
        others: &[
            term("Litmus", "pod-http-modify-header"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let header = keys.needed("header", "header = \"content-type\"", |text| {
            let name = text.trim().to_lowercase();
            if is_name(&name) {
                return Ok(name);
            }
            Err(Wrong::new(format!("`{text}` is no name of a header")).advice("write it as `content-type`"))
        });
        let value = keys.text("value").map(|word| word.text.to_owned());
        if value.as_ref().is_some_and(|value| !is_value(value)) {
            keys.refuse("value", Wrong::new("this can't stand in a header").advice("write it in one line"));
            return None;
        }
        Some(Self { header: header?, value })
    }

    fn written(&self) -> Written {
        [("header", Some(self.header.clone())), ("value", self.value.clone())].into_iter().filter_map(there).collect()
    }

    fn words(&self) -> String {
        match &self.value {
            Some(value) => format!("header {}: {value}", self.header),
            None => format!("header {} taken away", self.header),
        }
    }

    fn action(&self) -> Action {
        let head = vec![HeaderEdit { name: self.header.clone(), value: self.value.clone() }];
        Action::of_http(HttpAction { head, ..HttpAction::default() })
    }
}

/// RFC 9110, section 5.6.2: a token.
fn is_name(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(token)
}

/// RFC 9110, section 5.5: visible characters, spaces and tabs.
pub(super) fn is_value(text: &str) -> bool {
    text.chars().all(|c| c == '\t' || !c.is_control())
}
