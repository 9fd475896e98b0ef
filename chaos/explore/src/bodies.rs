//! Likeness of the bodies of healthy responses: the values that all of them have, and those that repeat what was asked for.

use crate::point::NotTried;
use chaos_model::Scenario;
use chaos_run::Heard;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Paths that are kept of one request: a run can look for some sixty in all.
const MOST: usize = 20;
/// Levels of objects that are looked into.
const DEEPEST: usize = 2;
/// Different values that a variable has to have had before a place in bodies is said to repeat it.
const VALUES: usize = 8;

/// The likeness of the responses to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestLearnt {
    /// The request's name.
    pub(crate) name: String,
    /// Paths at which all have a value.
    pub(crate) paths: Vec<String>,
    /// Paths at which all have the value of this variable.
    pub(crate) same: Vec<(String, String)>,
}

/// Bodies of healthy responses, by request.
pub(crate) struct Bodies {
    requests: Vec<Alike>,
}

#[derive(Default)]
struct Alike {
    name: String,
    /// Paths that all have so far, with the variables whose values all have there; none before the first.
    paths: Option<BTreeMap<String, BTreeSet<String>>>,
    values: BTreeMap<String, BTreeSet<String>>,
}

impl Bodies {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let alike = |name: &String| Alike { name: name.clone(), ..Alike::default() };
        Self { requests: scenario.load.requests.iter().map(|request| alike(&request.name)).collect() }
    }

    /// Takes a response in. Only successes say what is to be there.
    pub(crate) fn hear(&mut self, response: &Heard) {
        let Some(request) = self.requests.get_mut(response.request) else { return };
        if !(200..300).contains(&response.status) {
            return;
        }
        let vars: BTreeMap<String, String> =
            response.vars.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
        let mut found = BTreeMap::new();
        if let Ok(body) = serde_json::from_slice::<Value>(&response.body) {
            look(&body, "$", DEEPEST, &vars, &mut found);
        }
        for (name, value) in vars {
            request.values.entry(name).or_default().insert(value);
        }
        request.paths = Some(match request.paths.take() {
            None => found,
            Some(known) => both(&known, &found),
        });
    }

    /// The likeness of the responses to each request, and what is not looked at.
    pub(crate) fn learnt(self) -> (Vec<RequestLearnt>, Vec<NotTried>) {
        let count = self.requests.len().max(1);
        let (mut learnt, mut not_looked_at) = (Vec::new(), Vec::new());
        for alike in self.requests {
            let (one, more) = alike.learnt(MOST.min(40 / count).max(1));
            not_looked_at.extend((more > 0).then(|| NotTried {
                what: format!("{more} places in bodies of {}", one.name),
                why: "a case looks at so many alone".to_owned(),
            }));
            learnt.push(one);
        }
        (learnt, not_looked_at)
    }
}

impl Alike {
    /// With at most so many paths; and how many more there are.
    fn learnt(self, most: usize) -> (RequestLearnt, usize) {
        let known = self.paths.unwrap_or_default();
        let many = |var: &String| self.values.get(var).is_some_and(|values| values.len() >= VALUES);
        let same =
            known.iter().filter_map(|(path, vars)| Some((path.clone(), vars.iter().find(|var| many(var))?.clone())));
        let same: Vec<_> = same.take(most / 4 + 1).collect();
        // The outer ones first: what lacks them lacks all that is in them.
        let mut paths: Vec<String> = known.into_keys().collect();
        paths.sort_by_key(|path| path.matches(['.', '[']).count());
        let more = paths.len().saturating_sub(most);
        paths.truncate(most);
        (RequestLearnt { name: self.name, paths, same }, more)
    }
}

/// Notes the paths in an object at which there are values, each with the variables that have the same value.
fn look(
    value: &Value,
    path: &str,
    deeper: usize,
    vars: &BTreeMap<String, String>,
    found: &mut BTreeMap<String, BTreeSet<String>>,
) {
    let members = match value {
        Value::Object(members) => members,
        // What always has something in it lacks it when it is empty.
        Value::Array(items) if items.first().is_some_and(|first| !first.is_null()) => {
            found.insert(format!("{path}[0]"), BTreeSet::new());
            return;
        }
        _ => return,
    };
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let Some(path) = below(path, name) else { continue };
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let is_same = |var: &String, asked: &String| text.as_ref() == Some(asked) && names(name, var);
        let same = vars.iter().filter(|(var, asked)| is_same(var, asked)).map(|(var, _)| var.clone());
        found.insert(path.clone(), same.collect());
        if deeper > 1 || value.is_array() {
            look(value, &path, deeper.saturating_sub(1), vars, found);
        }
    }
}

/// True where a member's name says that its value names what was asked for by this variable: `user_id` or `id` of `user`. A
/// price may be the item's number by chance, and another one where the service falls back.
fn names(member: &str, var: &str) -> bool {
    let (member, var) = (member.to_lowercase(), var.to_lowercase());
    member.ends_with("id") || member.contains(&var)
}

/// The path of a member, as RFC 9535 writes it; none of a name that would need quotes within quotes.
fn below(path: &str, name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(plain) {
        return Some(format!("{path}.{name}"));
    }
    let quotable = !name.chars().any(|c| c.is_control() || ['\'', '"', '\\', '{', '}'].contains(&c));
    quotable.then(|| format!("{path}['{name}']"))
}

/// Paths that are in both, with the variables that are.
fn both(
    one: &BTreeMap<String, BTreeSet<String>>,
    other: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeMap<String, BTreeSet<String>> {
    let both = |(path, vars): (&String, &BTreeSet<String>)| {
        Some((path.clone(), vars.intersection(other.get(path)?).cloned().collect()))
    };
    one.iter().filter_map(both).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::Value as Variable;

    fn learnt(responses: &[(u64, u16, &str)]) -> RequestLearnt {
        let mut bodies = Bodies { requests: vec![Alike::default()] };
        for (user, status, body) in responses {
            let vars = BTreeMap::from([("user".to_owned(), Variable::Number(*user))]);
            bodies.hear(&Heard { request: 0, vars, status: *status, body: body.as_bytes().to_vec() });
        }
        bodies.learnt().0.remove(0)
    }

    #[test]
    fn what_all_successes_have_is_what_a_response_has() {
        let one = learnt(&[
            (1, 200, r#"{"user": {"id": 1, "mail": "a"}, "orders": [7], "note": null, "a b": 1}"#),
            (2, 503, r#"{"error": "no"}"#),
            (3, 200, r#"{"user": {"id": 3}, "orders": [8, 9], "note": "x", "a b": 2}"#),
        ]);
        assert_eq!(one.paths, ["$.orders", "$.user", "$['a b']", "$.orders[0]", "$.user.id"]);
        assert!(one.same.is_empty(), "two values may be alike by chance");
        assert_eq!(learnt(&[(1, 200, "{\"a\": 1}"), (2, 200, "<html>")]).paths, [""; 0]);
    }

    #[test]
    fn a_place_that_repeats_what_was_asked_for_is_known() {
        let body = |user: u64| format!("{{\"id\": {user}, \"user\": \"{user}\", \"price\": {user}, \"seven\": 7}}");
        let bodies: Vec<String> = (1..=9).map(body).collect();
        let responses: Vec<(u64, u16, &str)> =
            (1..=9).zip(&bodies).map(|(user, body)| (user, 200, body.as_str())).collect();
        let same = |path: &str| (path.to_owned(), "user".to_owned());
        assert_eq!(learnt(&responses).same, [same("$.id"), same("$.user")]);
    }
}
