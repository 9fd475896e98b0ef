//! The draft of a load: requests with weights, and the variables in them.

use crate::{
    heard::{Heard, LOOKS},
    lines::{Lines, key, remark},
};

/// Requests that clients make.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadDraft {
    /// The requests, in the order in which they are written.
    pub requests: Vec<RequestDraft>,
    /// Variables, each with its values as the language has them: `uniform 1..100`.
    pub vars: Vec<(String, String)>,
    /// Requests that are not made, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// The place that the requests are from, in words.
    pub from: String,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestDraft {
    /// The line of it: `GET /items/{item}`.
    pub line: String,
    /// The weight among the requests.
    pub weight: u32,
    /// Header fields that it needs.
    pub headers: Vec<(String, String)>,
    /// A JSON body.
    pub json: Option<toml::Value>,
}

impl RequestDraft {
    /// A request of weight 1 that is nothing but its line.
    #[must_use]
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), weight: 1, headers: Vec::new(), json: None }
    }
}

impl LoadDraft {
    /// The requests of a first look.
    #[must_use]
    pub fn look() -> Self {
        let requests = LOOKS.iter().map(|path| RequestDraft::new(format!("GET {path}"))).collect();
        Self { requests, ..Self::default() }
    }

    /// The requests of these lines, from somewhere.
    #[must_use]
    pub fn of(lines: &[String], vars: &[(String, String)], from: &str) -> Self {
        let requests = lines.iter().map(RequestDraft::new).collect();
        Self { requests, vars: vars.to_vec(), left_out: Vec::new(), from: from.to_owned() }
    }

    /// Leaves out the requests that were not served, and says with what status; true where there were some.
    pub fn leave_out_unserved(&mut self, heard: &Heard) -> bool {
        let before = self.requests.len();
        let requests = std::mem::take(&mut self.requests);
        for (place, request) in requests.into_iter().enumerate() {
            // Of one that was never drawn, nothing is known.
            match heard.status(place).filter(|_| !heard.is_served(place)) {
                Some(status) => self.left_out.push((request.line, unserved(status))),
                None => self.requests.push(request),
            }
        }
        self.drop_unused_vars();
        self.requests.len() < before
    }

    /// Takes away variables that no request has.
    pub(crate) fn drop_unused_vars(&mut self) {
        let named = |name: &str, request: &RequestDraft| {
            let place = format!("{{{name}}}");
            let in_json = request.json.as_ref().is_some_and(|json| json.to_string().contains(&place));
            let in_head = request.headers.iter().any(|(_, value)| value.contains(&place));
            request.line.contains(&place) || in_head || in_json
        };
        self.vars.retain(|(name, _)| self.requests.iter().any(|request| named(name, request)));
    }

    /// The `[load]` of a scenario, so many times a second for so many seconds.
    #[must_use]
    pub fn text(&self, rate: u32, seconds: u32) -> String {
        let mut text = String::new();
        if !self.from.is_empty() {
            text += &remark(&format!("Requests: {}.", self.from));
        }
        for (line, why) in &self.left_out {
            text += &remark(&format!("Left out: {line} ({why})."));
        }
        text += "[load]\n";
        let mut lines = Lines::default();
        let single = match self.requests.as_slice() {
            [only] if only.headers.is_empty() && only.json.is_none() => Some(only),
            _ => None,
        };
        if let Some(request) = single {
            lines = lines.text("request", &request.line);
        }
        lines = lines.text("rate", &format!("{rate}/s")).text("duration", &format!("{seconds}s")).text("timeout", "2s");
        for (name, values) in &self.vars {
            lines = lines.text(&format!("vars.{}", key(name)), values);
        }
        text += &lines.written();
        if single.is_none() {
            self.requests.iter().for_each(|request| text += &request.text(self.requests.len() > 1));
        }
        text
    }
}

impl RequestDraft {
    fn text(&self, is_weighed: bool) -> String {
        let mut lines = Lines::default().text("request", &self.line);
        if is_weighed && self.weight != 1 {
            lines = lines.raw("weight", &self.weight.to_string(), None);
        }
        for (name, value) in &self.headers {
            lines = lines.text(&format!("headers.{}", key(name)), value);
        }
        if let Some(json) = &self.json {
            lines = lines.raw("json", &json.to_string(), None);
        }
        format!("\n[[load.request]]\n{}", lines.written())
    }
}

/// The reason for which a request is left out whose responses had this status.
fn unserved(status: u16) -> String {
    let advice = match status {
        401 | 403 => ", without a login: `auth.bearer = \"{env:TOKEN}\"` in [load] has one",
        404 => ": nothing is there, or nothing of this name",
        400 | 422 => ": it takes something else",
        _ => "",
    };
    format!("status {status}{advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_not_served_are_left_out_with_their_variables() {
        let lines = ["GET /items/{item}", "GET /orders/{order}", "GET /never"].map(str::to_owned);
        let vars = [("item", "uniform 1..9"), ("order", "uuid")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let mut load = LoadDraft::of(&lines, &vars, "as they were given");
        let mut heard = Heard::default();
        heard.hear(0, 404, b"");
        heard.hear(0, 200, b"");
        heard.hear(1, 401, b"");
        assert!(load.leave_out_unserved(&heard));
        insta::assert_snapshot!(load.text(40, 5));
        assert!(!load.clone().leave_out_unserved(&Heard::default()));
    }

    #[test]
    fn a_request_by_itself_stands_in_the_load() {
        let load = LoadDraft::of(&["GET /tea".to_owned()], &[], "");
        assert_eq!(
            load.text(20, 5),
            "[load]\nrequest  = \"GET /tea\"\nrate     = \"20/s\"\nduration = \"5s\"\ntimeout  = \"2s\"\n"
        );
    }
}
