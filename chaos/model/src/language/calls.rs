//! `calls.'shop -> stock GET /stock/*'`: a link and the kind of message on it, in one key.

use super::{
    bounds::{self, Bound},
    findings::Wrong,
    quantity::{comparison, number},
    target,
};
use crate::{
    Pattern, Protocol, System,
    calls::{Calls, Per, names_one},
};

/// The calls that a key means, of a link that proxies read along on.
pub(crate) fn read(key: &str, system: &System) -> Result<Calls, Wrong> {
    let (link, kind) = split(key);
    let link = target::link(&link, system)?;
    let protocol = system.stack(&link).protocol;
    if protocol.words.is_none() {
        let wrong = Wrong::new(format!("`{link}` speaks {protocol}, and nobody can tell its messages apart"));
        let advice = format!("say what `{}` speaks, as `protocol = \"http\"`, or judge what clients see", link.to);
        return Err(wrong.advice(advice));
    }
    if system.passes_tls(&link) {
        let wrong = Wrong::new(format!("on `{link}` TLS hides what is called"));
        return Err(wrong.advice(
            "take `tls = \"pass\"` from it, or judge what clients see, or what a service counts itself (`metric`)",
        ));
    }
    let kind = kind.map(|kind| self::kind(kind, protocol)).transpose()?;
    Ok(Calls { link, kind: kind.map(Pattern) })
}

/// The link in a key, and the kind behind it.
fn split(key: &str) -> (String, Option<&str>) {
    let Some((from, rest)) = key.split_once("->") else { return (key.to_owned(), None) };
    let (to, kind) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
    (format!("{from}-> {to}"), Some(kind.trim()).filter(|kind| !kind.is_empty()))
}

fn kind(text: &str, protocol: Protocol) -> Result<String, Wrong> {
    if protocol == Protocol::HTTP {
        return request(text);
    }
    if protocol == Protocol::REDIS {
        return match text.split_once(' ') {
            None => Ok(text.to_uppercase()),
            Some((command, _)) => {
                let wrong = Wrong::new("commands are counted by their name alone");
                Err(wrong.advice(format!("write `{}`", command.to_uppercase())))
            }
        };
    }
    Ok(text.to_owned())
}

/// `GET /stock/*`, or `GET` for all of a method.
fn request(text: &str) -> Result<String, Wrong> {
    let (method, path) = text.split_once(' ').map_or((text, "*"), |(method, path)| (method, path.trim_start()));
    let is_method = |method: &str| method == "*" || method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_method(method) {
        let near = if method.starts_with('/') { format!("GET {text}") } else { text.to_uppercase() };
        let wrong = Wrong::new(format!("`{method}` is no method of a request"));
        return Err(wrong.advice(format!("did you mean `{near}`? A kind is a method and a path, as `GET /stock/*`")));
    }
    if let Some((path, _)) = path.split_once('?') {
        return Err(Wrong::new("kinds are without a query").advice(format!("write `{method} {path}`")));
    }
    if !path.starts_with(['/', '*']) {
        return Err(Wrong::new("a path begins with `/`").advice(format!("write `{method} /{path}`")));
    }
    let general: Vec<&str> = path.split('/').map(|part| if names_one(part) { "*" } else { part }).collect();
    let general = general.join("/");
    if general != path {
        let wrong = Wrong::new("kinds have `*` for what names one thing among many");
        return Err(wrong.advice(format!("write `{method} {general}`")));
    }
    Ok(format!("{method} {path}"))
}

/// `<= 1.1 per request`, `<= 120/s`, `<= 500`.
pub(crate) fn bound(text: &str) -> Result<(Bound<f64>, Per), Wrong> {
    let text = text.trim();
    let forms = "write it as `<= 1.1 per request`, as `<= 120/s` in any second, or as `<= 500` in all";
    let (bound, per) = match (text.strip_suffix("per request"), text.strip_suffix("/s")) {
        (Some(bound), _) => (bound, Per::Request),
        (None, Some(bound)) => (bound, Per::Second),
        (None, None) => (text, Per::Scope),
    };
    let plain = |text: &str| number(text).map_err(|wrong| wrong.advice(forms));
    Ok((bounds::check_calls(comparison(bound, plain)?)?, per))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Comparison;

    #[test]
    fn keys_are_a_link_and_a_kind() {
        for (key, link, kind) in [
            ("shop -> stock", "shop -> stock", None),
            ("shop->stock", "shop-> stock", None),
            ("shop -> stock GET /a b", "shop -> stock", Some("GET /a b")),
            ("shop -> redis#cache  GET", "shop -> redis#cache", Some("GET")),
            ("shop", "shop", None),
        ] {
            assert_eq!(split(key), (link.to_owned(), kind), "{key}");
        }
    }

    #[test]
    fn kinds_are_those_that_proxies_count() {
        let http = |text: &str| kind(text, Protocol::HTTP).map_err(|wrong| wrong.advice.unwrap());
        for (text, pattern) in [("GET", "GET *"), ("GET /stock/*", "GET /stock/*"), ("* /v1/a", "* /v1/a")] {
            assert_eq!(http(text).unwrap(), pattern);
        }
        for (text, advice) in [
            ("GET /stock/7", "write `GET /stock/*`"),
            ("GET /a?x=1", "write `GET /a`"),
            ("GET a", "write `GET /a`"),
            ("/a", "did you mean `GET /a`?"),
            ("get", "did you mean `GET`?"),
        ] {
            assert!(http(text).unwrap_err().starts_with(advice), "{text}: {:?}", http(text));
        }
        assert_eq!(kind("setex", Protocol::REDIS).unwrap(), "SETEX");
        kind("GET user:7", Protocol::REDIS).unwrap_err();
    }

    #[test]
    fn bounds_say_what_calls_are_counted_per() {
        let read = |text: &str| bound(text).and_then(|(bound, per)| Ok((bound.that_can_fail()?, per)));
        let at_most = Comparison::AtMost;
        assert_eq!(read("<= 1.1 per request").unwrap(), (at_most(1.1), Per::Request));
        assert_eq!(read("<= 120/s").unwrap(), (at_most(120.0), Per::Second));
        assert_eq!(read("<= 500").unwrap(), (at_most(500.0), Per::Scope));
        assert_eq!(read("1..1.2 per request").unwrap(), (Comparison::Between(1.0, 1.2), Per::Request));
        for text in ["<= 1.1 per requests", "<= 10%", ">= 0", "< 0 per request", "1.1 per request", "<= 5/min"] {
            read(text).unwrap_err();
        }
    }
}
