//! The load: requests, when they arrive, and the variables in them.

mod stages;
mod value;

pub use stages::{Stage, Stages};
pub use value::{Value, Values};

use crate::Span;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The load that clients put on the system. Open-loop: arrivals come when they are due, whether or not
/// earlier ones were answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The requests, at least one.
    pub requests: Vec<Request>,
    /// The rate of arrivals over the judged timeline.
    pub stages: Stages,
    /// The spread of arrivals in time.
    pub arrivals: Arrivals,
    /// Load before the timeline starts, at the rate at which that begins, which is not judged.
    pub warmup: Duration,
    /// A client's patience, from the actual start of a request to the last byte of its response.
    pub timeout: Duration,
    /// The variables that requests use, by name.
    pub vars: BTreeMap<String, Variable>,
    /// The place in the file.
    pub span: Span,
}

impl Load {
    /// The length of the judged timeline.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.stages.lasts()
    }
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The name, by which it is counted: what `name` says, else the line as written.
    pub name: String,
    /// The method, in capitals.
    pub method: String,
    /// The path and query, with variables.
    pub path: Text,
    /// Header fields, with variables.
    pub headers: BTreeMap<String, Text>,
    /// The body, with variables.
    pub body: Option<Text>,
    /// The weight of this request among the others.
    pub weight: u32,
}

impl Request {
    /// The line as it is written: `GET /api/profile/{user}`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A text with variables: `/api/profile/{user}`. `{{` and `}}` are braces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The pieces, in order.
    pub pieces: Vec<TextPiece>,
}

/// A piece of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPiece {
    /// Text as it stands.
    Plain(String),
    /// The variable of this name.
    Variable(String),
    /// The same as a part of a path or a query: percent-encoded.
    InPath(String),
    /// The same as a value of JSON: with quotes where it is no number.
    JsonValue(String),
    /// The same within a string of JSON.
    InJson(String),
}

impl Text {
    /// The text with the variables' values filled in.
    #[must_use]
    pub fn render(&self, values: &Values) -> String {
        let mut to = String::new();
        self.pieces.iter().for_each(|piece| piece.render(values, &mut to));
        to
    }

    /// The same as a path and a query, in which variables are percent-encoded.
    #[must_use]
    pub fn in_path(self) -> Self {
        let piece = |piece| match piece {
            TextPiece::Variable(name) => TextPiece::InPath(name),
            other => other,
        };
        Self { pieces: self.pieces.into_iter().map(piece).collect() }
    }

    /// The names of the variables in it.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(TextPiece::variable)
    }
}

/// The text with the names of variables in braces.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            TextPiece::Plain(text) => f.write_str(text),
            TextPiece::Variable(name)
            | TextPiece::InPath(name)
            | TextPiece::JsonValue(name)
            | TextPiece::InJson(name) => write!(f, "{{{name}}}"),
        })
    }
}

/// The spread of arrivals in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// A Poisson process: independent clients. The default, since it is what a service meets.
    #[default]
    Poisson,
    /// Evenly.
    Constant,
}

/// A variable: a value that each arrival draws for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// `zipf 1..500`: the low end is the most frequent; the exponent is 1 unless said otherwise (`zipf 1..500 1.2`).
    Zipf {
        /// The first number.
        low: u64,
        /// The last number.
        high: u64,
        /// The steepness; 0 is uniform.
        exponent: f64,
    },
    /// `uniform 1..500`: each as often.
    Uniform {
        /// The first number.
        low: u64,
        /// The last number.
        high: u64,
    },
    /// `sequence 1..500`: one after the other by arrival, from the start again after the last.
    Sequence {
        /// The first number.
        low: u64,
        /// The last number.
        high: u64,
    },
    /// A number with zeros before it (`uniform 0001..0500`): a text.
    Padded {
        /// The number.
        of: Box<Variable>,
        /// The digits that it has at the least.
        width: usize,
    },
    /// `uuid`: a random UUID (version 4, RFC 9562).
    Uuid,
    /// `one of alice, bob`: each as often.
    OneOf(Vec<String>),
    /// `random 12`: so many letters and digits.
    Random {
        /// The number of letters and digits.
        length: usize,
    },
    /// The arrival's number, `{n}`: it need not be declared.
    N,
}

impl Variable {
    /// True where each value is a whole number as it is usually written.
    #[must_use]
    pub fn is_number(&self) -> bool {
        match self {
            Self::Zipf { .. } | Self::Uniform { .. } | Self::Sequence { .. } | Self::N => true,
            Self::Padded { .. } | Self::Uuid | Self::OneOf(_) | Self::Random { .. } => false,
        }
    }
}

/// The text as it is written: `zipf 1..500`.
impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zipf { low, high, exponent } if (*exponent - 1.0).abs() < f64::EPSILON => {
                write!(f, "zipf {low}..{high}")
            }
            Self::Zipf { low, high, exponent } => write!(f, "zipf {low}..{high} {exponent}"),
            Self::Uniform { low, high } => write!(f, "uniform {low}..{high}"),
            Self::Sequence { low, high } => write!(f, "sequence {low}..{high}"),
            Self::Padded { of, width } => write!(f, "{of}, of {width} digits"),
            Self::Uuid => f.write_str("uuid"),
            Self::OneOf(texts) => write!(f, "one of {}", texts.join(", ")),
            Self::Random { length } => write!(f, "random {length}"),
            Self::N => f.write_str("the number of the request"),
        }
    }
}
