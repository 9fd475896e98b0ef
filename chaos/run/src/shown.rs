//! Responses that are shown where a comparison fails: from the arrivals that speak against it to what people read.

use chaos_load::Draw;
use chaos_model::{
    Impact, Load, Request, RequestId, Text, Values,
    check::{Against, Example},
    event::{Shown, ShownResponse},
    ledger::Joined,
    load::TextPiece,
    secret::{hidden, is_named, masked_text},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The most characters of a request line, and of a variable's value.
const LINE: usize = 200;

/// Everything that it takes to show a request of a run.
pub(crate) struct Requests<'a> {
    load: &'a Load,
    draw: Draw,
    /// The faults whose injections each request met.
    met: BTreeMap<RequestId, BTreeSet<&'a str>>,
}

impl<'a> Requests<'a> {
    /// The requests of a load under a seed, and the injections that they met.
    pub(crate) fn new(load: &'a Load, seed: u64, joined: &'a [Joined]) -> Self {
        let mut met: BTreeMap<RequestId, BTreeSet<&str>> = BTreeMap::new();
        for one in joined.iter().filter(|one| one.impact != Impact::Background) {
            if let Some(id) = one.met {
                met.entry(id).or_default().insert(&one.injection.fault);
            }
        }
        Self { load, draw: Draw::new(load, seed), met }
    }

    /// The responses that show why a comparison failed.
    pub(crate) fn show(&self, against: &Against) -> Shown {
        Shown {
            instances: against.instances().map(|(instance, count)| (masked_text(instance), count)).collect(),
            responses: against.shown().into_iter().map(|example| self.one(example)).collect(),
        }
    }

    fn one(&self, Example { arrival, instance, excerpt, uncaptured, .. }: &Example) -> ShownResponse {
        // What was drawn for it once is drawn again: nothing of a request has to be kept.
        let drawn = self.draw.arrival(arrival.request(), Duration::ZERO);
        let request = self.load.requests.get(drawn.request);
        let texts = request.into_iter().flat_map(Request::texts);
        let used: BTreeSet<&str> = texts.flat_map(Text::variables).collect();
        let values = drawn.vars.iter().filter(|(name, _)| used.contains(name.as_str()));
        let vars = values.map(|(name, value)| (name.clone(), value_of(name, &value.to_string()))).collect();
        let line = request.map(|request| format!("{} {}", request.method, path(&request.path, &drawn.vars)));
        ShownResponse {
            n: arrival.n,
            step: arrival.step,
            at: arrival.at,
            request: cut(&line.unwrap_or_default()),
            vars,
            instance: instance.as_deref().map(masked_text),
            status: arrival.result.ok(),
            unanswered: arrival.result.err().map(str::to_owned),
            latency: arrival.latency,
            body: excerpt.as_deref().map(str::to_owned),
            uncaptured: uncaptured.as_deref().map(str::to_owned),
            met: self.met.get(&arrival.request()).into_iter().flatten().map(|fault| (*fault).to_owned()).collect(),
        }
    }
}

fn value_of(name: &str, value: &str) -> String {
    cut(&if is_named(name) { hidden(value) } else { masked_text(value) })
}

/// A path with its variables filled in, without secrets.
fn path(text: &Text, values: &Values) -> String {
    let mut shown = String::new();
    for piece in &text.pieces {
        match piece.variable().filter(|name| is_named(name)) {
            Some(name) => {
                shown += &values.get(name).map(|value| value_of(name, &value.to_string())).unwrap_or_default()
            }
            // What was captured from a response is not drawn again: its place is shown.
            None if piece.variable().is_some_and(|name| !values.contains_key(name)) => shown += &piece_of(piece),
            None => piece.render(values, &mut shown),
        }
    }
    masked_text(&shown)
}

/// The piece as it is written.
fn piece_of(piece: &TextPiece) -> String {
    Text { pieces: vec![piece.clone()] }.to_string()
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LINE { text.to_owned() } else { text.chars().take(LINE).chain("…".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chaos_model::Value;

    fn text(pieces: &[TextPiece]) -> Text {
        Text { pieces: pieces.to_vec() }
    }

    #[test]
    fn paths_hold_no_secrets() {
        let plain = |text: &str| TextPiece::Plain(text.to_owned());
        let variable = |name: &str| TextPiece::Variable(name.to_owned());
        let number = |name: &str, number| (name.to_owned(), Value::Number(number));
        let vars = Values::from([number("user", 7), number("token", 123)]);
        let all = text(&[plain("/u/"), variable("user"), plain("/"), variable("token"), plain("?api_key=abc&n=1")]);
        assert_eq!(path(&all, &vars), "/u/7/***?api_key=***&n=1");
    }

    #[test]
    fn long_lines_are_cut() {
        assert_eq!(cut(&"x".repeat(LINE + 1)).chars().count(), LINE + 1);
        assert!(cut(&"x".repeat(9000)).ends_with('…'));
    }
}
