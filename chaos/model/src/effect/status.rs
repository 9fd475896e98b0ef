//! `status`: a response in the service's place, as of a proxy before it that has nobody to ask.

use super::{
    Action, Explored, Facts, Keys, EffectKind, Level,
    action::{CannedResponse, HttpAction},
    key, term, Written, there};
use crate::language::findings::Wrong;
use serde::{Deserialize, Serialize};

/// The response is this, and the service does not see the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The response's status.
    pub status: u16,
    /// The response's body.
    #[serde(default)]
    pub body: String,
    /// The body's `Content-Type`, where there is a body.
    #[serde(default)]
    pub content_type: Option<String>,
}

impl EffectKind for Status {
    const FACTS: Facts = Facts {
        name: "status",
        level: Level::Requests,
        about: "the response is this, and the service does not see the request",
        keys: &[
            key("status", "from `200` to `599`"),
            key("body", "its body (none)"),
            key("content-type", "the type of the body (`text/plain`)"),
        ],
        example: "effect = \"status\"\nstatus = \"503\"",
        explored: Explored::By(&[&[&[("status", "500")]], &[&[("status", "503")]], &[&[("status", "429")]]]),
        others: &[
            term("Istio", "httpStatus"),
            term("Envoy", "http_status"),
            term("k6", "errorCode"),
            term("Litmus", "pod-http-status-code"),
            term("AWS FIS", "aws:lambda:invocation-http-integration-response"),
        ],
    };

    fn read(keys: &mut Keys<'_, '_>) -> Option<Self> {
        let status = keys.needed("status", "status = \"503\"", |text| {
            let status = text.trim().parse::<u16>().ok().filter(|status| (200..600).contains(status));
            status.ok_or_else(|| {
                Wrong::new(format!("`{text}` is no status of a response")).advice("write one from `200` to `599`")
            })
        });
        let body = keys.text("body").map(|word| word.text.to_owned()).unwrap_or_default();
        let content_type = keys.text("content-type").map(|word| word.text.to_owned());
        if content_type.is_some() && body.is_empty() {
            keys.refuse("content-type", Wrong::new("without a body there is no type").advice("add `body = \"...\"`"));
        }
        if let Some(value) = content_type.as_ref().filter(|value| !super::header::is_value(value)) {
            let wrong = Wrong::new(format!("`{value}` can't stand in a header"));
            keys.refuse("content-type", wrong.advice("write it as `application/json`"));
            return None;
        }
        Some(Self { status: status?, body, content_type })
    }

    fn written(&self) -> Written {
        let body = Some(self.body.clone()).filter(|body| !body.is_empty());
        let keys = [("status", Some(self.status.to_string())), ("body", body), ("content-type", self.content_type.clone())];
        keys.into_iter().filter_map(there).collect()
    }

    fn words(&self) -> String {
        format!("status {}", self.status)
    }

    fn action(&self) -> Action {
        let kind = self.content_type.clone().unwrap_or_else(|| "text/plain".to_owned());
        let headers = if self.body.is_empty() { Vec::new() } else { vec![("content-type".to_owned(), kind)] };
        let response = Some(CannedResponse { status: self.status, headers, body: self.body.clone() });
        Action::of_http(HttpAction { response, ..HttpAction::default() })
    }
}
