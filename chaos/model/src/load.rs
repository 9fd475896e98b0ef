//! The load: requests, when they arrive, and the variables in them.

mod journey;
mod secrets;
mod stages;
mod value;

pub use journey::{Capture, CaptureFrom, Step, Think};
pub use secrets::Secrets;
pub use stages::{Stage, Stages};
pub(crate) use value::percent_encoded;
pub use value::{Value, Values};

use crate::Span;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, ops::Range, sync::Arc, time::Duration};

/// The load that clients put on the system. Open-loop: journeys begin when they are due, whether or not
/// earlier ones have ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// The requests, at least one. Those of a journey stand together, in the order of its steps.
    pub requests: Vec<Request>,
    /// The rate at which journeys begin, over the judged timeline.
    pub stages: Stages,
    /// The spread of arrivals in time.
    pub arrivals: Arrivals,
    /// Load before the timeline starts, at the rate at which that begins, which is not judged.
    pub warmup: Duration,
    /// A client's patience, from the actual start of a request to the last byte of its response.
    pub timeout: Duration,
    /// The variables that requests use, by name.
    pub vars: BTreeMap<String, Variable>,
    /// Secrets that requests name.
    pub secrets: Secrets,
    /// The place in the file.
    pub span: Span,
}

impl Load {
    /// The places of each journey's steps among the requests.
    pub fn journeys(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let firsts = self.requests.iter().enumerate().filter(|(_, request)| request.step.nth == 0);
        firsts.map(|(first, _)| {
            let more = self.requests[first + 1..].iter().take_while(|request| request.step.nth > 0).count();
            first..first + 1 + more
        })
    }

    /// True if a journey has several steps.
    #[must_use]
    pub fn has_journeys(&self) -> bool {
        self.requests.iter().any(|request| request.step.nth > 0)
    }

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
    /// User and password of basic authentication (RFC 7617), with a colon between them, with variables.
    pub basic: Option<Text>,
    /// The body, with variables.
    pub body: Option<Text>,
    /// The weight of its journey among the others.
    pub weight: u32,
    /// Its place in its journey. A request by itself is a journey of one step.
    pub step: Step,
}

impl Request {
    /// The texts that variables may stand in.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        [&self.path].into_iter().chain(self.headers.values()).chain(&self.basic).chain(&self.body)
    }

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

/// A variable: a value that each journey draws for itself, or that its client has otherwise.
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
    /// `file users.csv column id`: each row as often. Columns of one file are of the same row.
    Column {
        /// The file, as written.
        file: String,
        /// The column's name in the first line.
        column: String,
        /// The values, by row.
        values: Arc<[Arc<str>]>,
    },
    /// `now`, `now unix`, `now ms`: the time at which the request is made.
    Now(TimeFormat),
}

/// A way to write a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// `now`: RFC 3339, in UTC, with milliseconds (`2026-01-31T12:00:00.000Z`).
    Rfc3339,
    /// `now unix`: whole seconds since the Unix epoch.
    Seconds,
    /// `now ms`: whole milliseconds since then.
    Milliseconds,
}

impl Variable {
    /// True where each value is a whole number as it is usually written.
    #[must_use]
    pub fn is_number(&self) -> bool {
        match self {
            Self::Zipf { .. } | Self::Uniform { .. } | Self::Sequence { .. } | Self::N => true,
            Self::Now(format) => *format != TimeFormat::Rfc3339,
            Self::Padded { .. } | Self::Uuid | Self::OneOf(_) | Self::Random { .. } | Self::Column { .. } => false,
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
            Self::Column { file, column, values } => {
                write!(f, "column {column} of {file}, which has {} rows", values.len())
            }
            Self::Now(TimeFormat::Rfc3339) => f.write_str("now"),
            Self::Now(TimeFormat::Seconds) => f.write_str("now unix"),
            Self::Now(TimeFormat::Milliseconds) => f.write_str("now ms"),
        }
    }
}
