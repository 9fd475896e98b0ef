//! Vocabulary and language: what a system, a link, a fault, a phase, an expectation, an event and a verdict are, and how
//! a TOML file becomes a checked [`Scenario`] or [`Diagnostics`] with file, line, caret and advice.
//!
//! Pure data and pure functions: no clock, no network, no files (whoever loads a scenario hands in how to read one).

pub mod arrival;
pub mod attach;
pub mod calibration;
pub mod calls;
pub mod carried;
pub mod check;
pub mod compose;
pub mod diagnostic;
pub mod effect;
pub mod event;
pub mod expect;
pub mod fault;
pub mod guard;
pub mod histogram;
pub mod language;
pub mod ledger;
pub mod lifecycle;
pub mod load;
pub mod margin;
pub mod metric;
mod micros;
pub mod only;
pub mod phase;
pub mod plain;
pub mod plan;
pub mod protocol;
pub mod proxies;
pub mod quantity;
pub mod readiness;
pub mod responses;
pub mod scenario;
pub mod secret;
pub mod slice;
pub mod system;
mod term;
pub mod verdict;

pub use arrival::{ArrivalId, Nonce, RequestId, RunKey};
pub use calibration::Calibration;
pub use calls::{CallReading, Calls};
pub use check::{Check, Quantile, StatusPattern, Subject};
pub use compose::Compose;
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Source, Sources, Span};
pub use effect::{Direction, Directions, Distribution, Effect, OpenConnections, Spread};
pub use event::{Event, Record};
pub use expect::{Expectation, Scope, SomeRequests, Stops, ValueTest};
pub use fault::{Fault, Pulse, SomeInstances, Target};
pub use guard::Guard;
pub use histogram::Histogram;
pub use ledger::{Impact, Injection, KeyKind};
pub use load::{Arrivals, Load, Request, Stage, Stages, Text, Value, Values, Variable};
pub use margin::{Margin, Room};
pub use metric::Selector;
pub use only::{Nth, Only, Pattern};
pub use phase::{Phase, PhaseKind, PhaseSum, Timeline};
pub use plan::Plan;
pub use protocol::Protocol;
pub use quantity::{Comparison, Rate, Share};
pub use readiness::{HttpProbe, Readiness};
pub use responses::Responses;
pub use scenario::{Scenario, Set};
pub use slice::Slice;
pub use system::{
    ComposePorts, Endpoint, Image, Link, RunFile, Service, ServiceName, ServiceTls, Start, System, Template,
};
pub use verdict::Verdict;
