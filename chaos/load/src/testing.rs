//! Loads for unit tests.

use chaos_model::{Arrivals, Load, Rate, Request, Span, Stages, Text, load::TextPiece};
use std::{collections::BTreeMap, time::Duration};

pub(crate) fn text(plain: &str) -> Text {
    Text { pieces: vec![TextPiece::Plain(plain.to_owned())] }
}

pub(crate) fn request(path: &str, weight: u32) -> Request {
    Request {
        name: path.to_owned(),
        method: "GET".to_owned(),
        path: text(path),
        headers: BTreeMap::new(),
        basic: None,
        body: None,
        weight,
        step: chaos_model::load::Step::default(),
    }
}

pub(crate) fn load() -> Load {
    Load {
        requests: vec![request("/", 1)],
        stages: Stages::constant(Rate { times: 100, per: Duration::from_secs(1) }, Duration::from_secs(1)),
        arrivals: Arrivals::Constant,
        warmup: Duration::ZERO,
        timeout: Duration::from_secs(1),
        vars: BTreeMap::new(),
        secrets: chaos_model::load::Secrets::default(),
        span: Span { source: 0, range: 0..0 },
    }
}
