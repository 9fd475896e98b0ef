//! Warnings of faults that are for requests which the load, as it is written, never sends. What services send, nobody knows
//! beforehand; what clients send, the load says.

use super::{
    document::Entry,
    fault::FaultRead,
    load::{LoadRead, N},
};
use crate::{
    Diagnostic, Endpoint, Fault, Only, Pattern, Request, Span, Target, Text, Variable, arrival::BAGGAGE_KEY,
    load::TextPiece,
};

/// Header fields that the load writes into each request, beside those that the scenario says.
const OWN_FIELDS: [&str; 5] = ["host", "user-agent", "baggage", "traceparent", "content-length"];

/// Stands for the value of a variable in a text, where that is to match as a whole: no pattern but a star is like it.
const UNKNOWN: u8 = 0xff;

/// Warnings of faults on the clients' link that no request of the load can meet.
pub(super) fn warnings(faults: &[FaultRead], load: &LoadRead) -> Vec<Diagnostic> {
    let Some(load) = &load.load else { return Vec::new() };
    // A text may be anything, so that nothing is said of loads that have some in their requests.
    let is_number = |name: &str| load.vars.get(name).map_or(name == N, Variable::is_number);
    let mut used = load.requests.iter().flat_map(Request::texts).flat_map(Text::variables);
    if !used.all(is_number) {
        return Vec::new();
    }
    faults.iter().filter_map(|read| warning(read, &load.requests)).collect()
}

fn warning(read: &FaultRead, requests: &[Request]) -> Option<Diagnostic> {
    let fault = read.fault.as_ref().filter(|fault| is_of_clients(fault))?;
    let [only, except] = &read.filters;
    let sent = requests.iter().map(|request| format!("`{}`", request.line()));
    let sent = format!("clients send {}", sent.collect::<Vec<_>>().join(", "));
    let told = |span: Span, message: String| Some(Diagnostic::warning(span, message).advice(sent.clone()));
    let asked = keys(&fault.only);
    if let Some(only) = only {
        let never = |key: &&Key<'_>| requests.iter().all(|request| !(key.may)(request));
        if let Some(key) = asked.iter().find(never) {
            let of = format!("`{}`: no request of the load has such a {}", fault.name, key.what);
            return told(place(only, key.path), of);
        }
        if !requests.iter().any(|request| may(&asked, request)) {
            return told(only.value.span.clone(), format!("`{}`: no request of the load has all of this", fault.name));
        }
    }
    let (entry, except) = (except.as_ref()?, fault.except.as_ref()?);
    let left = |request: &&Request| may(&asked, request) && !must(except, request);
    if requests.iter().any(|request| left(&request)) {
        return None;
    }
    told(entry.value.span.clone(), format!("`{}`: this spares every request of the load", fault.name))
}

fn is_of_clients(fault: &Fault) -> bool {
    matches!(&fault.on, Target::Link(link) if link.from == Endpoint::Client) && fault.effect.action().is_of_messages()
}

/// The place of the value at a key of a filter.
fn place(filter: &Entry, path: [&str; 2]) -> Span {
    let keys = path.into_iter().filter(|key| !key.is_empty());
    let found = keys.fold(filter, |entry, key| entry.value.table().and_then(|table| table.get(key)).unwrap_or(entry));
    found.value.span.clone()
}

/// A key of a filter, and which requests it may be for.
struct Key<'a> {
    path: [&'a str; 2],
    what: String,
    may: Box<dyn Fn(&Request) -> bool + 'a>,
}

fn keys<'a>(only: &'a Only) -> Vec<Key<'a>> {
    let mut keys: Vec<Key<'a>> = Vec::new();
    let mut add = |path: [&'a str; 2], what: String, may: Box<dyn Fn(&Request) -> bool + 'a>| {
        keys.push(Key { path, what, may });
    };
    let Only { methods, path, query, headers, baggage, .. } = only;
    if !methods.is_empty() {
        add(["method", ""], "method".to_owned(), Box::new(|request: &Request| methods.contains(&request.method)));
    }
    if let Some(pattern) = path {
        let may = move |request: &Request| may_be(pattern, &split(&request.path).0);
        add(["path", ""], "path".to_owned(), Box::new(may));
    }
    if let Some(pattern) = query {
        let may = move |request: &Request| may_be(pattern, &split(&request.path).1);
        add(["query", ""], "query".to_owned(), Box::new(may));
    }
    for (name, pattern) in headers {
        let may = move |request: &Request| match request.headers.get(name) {
            Some(value) => may_be(pattern, &symbols(value)),
            // A response of its journey may set cookies.
            None => OWN_FIELDS.contains(&name.as_str()) || (name == "cookie" && request.step.nth > 0),
        };
        // The name stands in lower case here, and as it likes in the file.
        add(["header", ""], format!("header field `{name}`"), Box::new(may));
    }
    for (name, _) in baggage {
        add(["baggage", name], format!("baggage `{name}`"), Box::new(move |_| name == BAGGAGE_KEY));
    }
    keys
}

fn may(keys: &[Key<'_>], request: &Request) -> bool {
    keys.iter().all(|key| (key.may)(request))
}

/// True if a filter is for a request whatever its variables are.
fn must(only: &Only, request: &Request) -> bool {
    let Only { methods, path, query, headers, baggage, nth, .. } = only;
    let (own_path, own_query) = split(&request.path);
    let is = |pattern: &Pattern, text: &[Symbol]| pattern.matches(&text.iter().map(Symbol::byte).collect::<Vec<_>>());
    let has = |(name, pattern): &(String, Pattern)| {
        request.headers.get(name).is_some_and(|value| is(pattern, &symbols(value)))
    };
    (methods.is_empty() || methods.contains(&request.method))
        && path.as_ref().is_none_or(|pattern| is(pattern, &own_path))
        && query.as_ref().is_none_or(|pattern| is(pattern, &own_query))
        && headers.iter().all(has)
        && baggage.is_empty()
        && nth.is_none()
}

/// A byte of a text, or the value of a variable: a whole number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Byte(u8),
    Number,
}

impl Symbol {
    fn byte(&self) -> u8 {
        match self {
            Self::Byte(byte) => *byte,
            Self::Number => UNKNOWN,
        }
    }
}

fn symbols(text: &Text) -> Vec<Symbol> {
    let of = |piece: &TextPiece| match piece {
        TextPiece::Plain(text) => text.bytes().map(Symbol::Byte).collect(),
        _ => vec![Symbol::Number],
    };
    text.pieces.iter().flat_map(of).collect()
}

/// The path of a target, and its query.
fn split(target: &Text) -> (Vec<Symbol>, Vec<Symbol>) {
    let all = symbols(target);
    let mut parts = all.splitn(2, |symbol| *symbol == Symbol::Byte(b'?'));
    let mut next = || parts.next().unwrap_or_default().to_vec();
    (next(), next())
}

/// True if a pattern is like a text for some values of its variables.
fn may_be(pattern: &Pattern, text: &[Symbol]) -> bool {
    let pattern = pattern.0.as_bytes();
    // The places in the pattern that the text so far may have led to.
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    let skip_stars = |places: &mut Vec<bool>| {
        (0..pattern.len()).for_each(|at| places[at + 1] |= places[at] && pattern[at] == b'*');
    };
    let step = |places: &[bool], takes: &dyn Fn(u8) -> bool| {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| places[*at]) {
            if pattern[at] == b'*' {
                next[at] = true;
            } else {
                next[at + 1] |= takes(pattern[at]);
            }
        }
        skip_stars(&mut next);
        next
    };
    skip_stars(&mut places);
    for symbol in text {
        places = match symbol {
            Symbol::Byte(byte) => step(&places, &|wanted| wanted == *byte),
            Symbol::Number => {
                // One digit, or as many as it takes.
                let mut some = step(&places, &|wanted| wanted.is_ascii_digit());
                for _ in 0..pattern.len() {
                    let more = step(&some, &|wanted| wanted.is_ascii_digit());
                    some.iter_mut().zip(more).for_each(|(some, more)| *some |= more);
                }
                some
            }
        };
    }
    places[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        let pieces = text.split('#').map(|plain| TextPiece::Plain(plain.to_owned()));
        let mut all: Vec<TextPiece> = Vec::new();
        for piece in pieces {
            all.extend((!all.is_empty()).then(|| TextPiece::Variable("n".to_owned())));
            all.push(piece);
        }
        Text { pieces: all }
    }

    /// `#` stands for a variable.
    #[test]
    fn a_pattern_may_be_like_a_text_with_variables() {
        let may = |pattern: &str, of: &str| may_be(&Pattern(pattern.to_owned()), &symbols(&text(of)));
        for (pattern, of) in [
            ("/users/*", "/users/#"),
            ("/users/7", "/users/#"),
            ("/users/712", "/users/#"),
            ("/users/7*/x", "/users/#/x"),
            ("*", ""),
            ("*/x", "/a#/x"),
            ("/a", "/a"),
        ] {
            assert!(may(pattern, of), "{pattern} {of}");
        }
        for (pattern, of) in [
            ("/users/", "/users/#"),
            ("/users/a", "/users/#"),
            ("/users/7/*", "/users/#"),
            ("/orders/*", "/users/#"),
            ("", "/"),
            ("/a*b", "/a#"),
        ] {
            assert!(!may(pattern, of), "{pattern} {of}");
        }
    }

    #[test]
    fn a_pattern_is_like_all_values_where_a_star_stands_for_the_variable() {
        let request = |line: &str| Request {
            name: line.to_owned(),
            method: "GET".to_owned(),
            path: text(line),
            headers: [("x-user".to_owned(), text("#"))].into(),
            body: None,
            weight: 1,
            step: crate::load::Step::default(),
            basic: None,
        };
        let path = |pattern: &str| Only { path: Some(Pattern(pattern.to_owned())), ..Only::default() };
        let user =
            |pattern: &str| Only { headers: vec![("x-user".to_owned(), Pattern(pattern.to_owned()))], ..path("*") };
        for only in [path("/users/*"), path("*"), user("*"), Only::default()] {
            assert!(must(&only, &request("/users/#?x=1")), "{only}");
        }
        for only in
            [path("/users/7"), path("/users/*?x=1"), user("7"), Only { methods: vec!["PUT".to_owned()], ..path("*") }]
        {
            assert!(!must(&only, &request("/users/#?x=1")), "{only}");
        }
    }
}
