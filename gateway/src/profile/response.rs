//! The one value that decides a response's body, headers, metrics and log line.

use super::{flight::FlightResult, verdict::Verdict};
use crate::{
    App,
    cache::{Found, Misses, Profile},
    labels::{Label as _, Outcome, PartState, Source},
    problem::{PartError, Problem},
    upstream::services::Json,
    user_id::UserId,
};
use std::{fmt::Write as _, time::Duration};

/// Entries of `errors`.
const ERRORS_SHOWN: usize = 16;

/// The parts of a profile, in the order of all arrays of three.
const PARTS: [&str; 3] = ["user", "orders", "products"];

/// Durations of each step; `None` where it wasn't needed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timings {
    pub(super) cache: Duration,
    /// User, orders, products.
    pub(super) parts: [Option<Duration>; 3],
}

/// The content that is to be shown.
pub(super) enum Content {
    Profile { user: Option<Json>, orders: Option<Json>, products: Option<Json>, gone: Vec<String>, complete: bool },
    Problem(Problem),
}

/// A response.
pub(crate) struct ProfileResponse {
    pub(super) user_id: UserId,
    pub(super) content: Content,
    pub(super) states: [PartState; 3],
    /// The source of each part, and its age.
    pub(super) sources: [(Source, Duration); 3],
    /// The missing parts.
    pub(super) errors: Vec<PartError>,
    /// Failures that clients aren't told of: there was something old to show instead.
    pub(super) healed: Vec<PartError>,
    pub(super) outcome: Outcome,
    /// RFC 9211.
    pub(super) cache_status: String,
    /// Since the Unix epoch.
    pub(super) generated_at: Duration,
    pub(super) age: Duration,
    pub(super) max_age: Duration,
    pub(super) timings: Timings,
}

impl ProfileResponse {
    /// From the cache.
    pub(super) fn cached(app: &App, found: Found, misses: &Misses, asked: Duration) -> Self {
        let (entry, now) = (&found.entry, app.host.unix_now());
        let generated_at = entry.stored_at();
        let profile = entry.profile.clone();
        let ttl = entry.fresh_until().saturating_sub(now).as_secs();
        let tier = found.tier.label();
        let why = misses.to_string();
        let detail = if why.is_empty() { tier.to_owned() } else { format!("\"{tier} {why}\"") };
        Self {
            user_id: entry.user,
            content: Content::Profile {
                user: Some(profile.user),
                orders: Some(profile.orders),
                products: Some(profile.products),
                gone: profile.gone,
                complete: true,
            },
            states: [PartState::Fresh; 3],
            sources: [(found.tier.into(), now.saturating_sub(generated_at)); 3],
            errors: Vec::new(),
            healed: Vec::new(),
            outcome: Outcome::Complete,
            cache_status: format!("gateway; hit; ttl={ttl}; detail={detail}"),
            generated_at,
            age: now.saturating_sub(generated_at),
            max_age: app.settings.cache_ttl,
            timings: Timings { cache: asked, ..Timings::default() },
        }
    }

    /// From the services.
    pub(super) fn gathered(
        app: &App,
        user_id: UserId,
        flight: &FlightResult,
        misses: &Misses,
        shared: bool,
        asked: Duration,
    ) -> Self {
        let outcome = flight.verdict.outcome();
        let mut healed = Vec::new();
        let (content, states, mut errors) = match flight.verdict.clone() {
            Verdict::Complete(Profile { user, orders, products, gone }) => {
                let (user, orders, products) = (Some(user), Some(orders), Some(products));
                (Content::Profile { user, orders, products, gone, complete: true }, [PartState::Fresh; 3], Vec::new())
            }
            Verdict::Stale { profile: Profile { user, orders, products, gone }, states, errors } => {
                healed = errors;
                let (user, orders, products) = (Some(user), Some(orders), Some(products));
                (Content::Profile { user, orders, products, gone, complete: true }, states, Vec::new())
            }
            Verdict::Partial { user, orders, products, gone, states, errors } => {
                (Content::Profile { user, orders, products, gone, complete: false }, states, errors)
            }
            Verdict::None { problem, states, errors } => (Content::Problem(problem), states, errors),
        };
        errors.truncate(ERRORS_SHOWN);
        let collapsed = if shared { "; collapsed" } else { "" };
        let stored = if flight.stored { "; stored" } else { "" };
        let mut detail = misses.to_string();
        for (name, _) in PARTS.iter().zip(states).filter(|(_, state)| *state == PartState::Stale) {
            // Writing to a string can't fail.
            let _ = write!(detail, " stale:{name}");
        }
        let detail = if detail.is_empty() { detail } else { format!("; detail=\"{}\"", detail.trim_start()) };
        Self {
            user_id,
            content,
            states,
            sources: states.map(|state| flight.source(state)),
            errors,
            healed,
            outcome,
            cache_status: format!("gateway; fwd={}{stored}{collapsed}{detail}", misses.forwarded_because()),
            generated_at: flight.at,
            age: Duration::ZERO,
            max_age: app.settings.cache_ttl,
            timings: Timings { cache: asked, parts: flight.took },
        }
    }

    /// From the cache, which knows that there is no such user, and for how long this is still believed.
    pub(super) fn no_such_user(app: &App, user_id: UserId, left: Duration, asked: Duration) -> Self {
        let flight = FlightResult::no_such_user(app);
        let cache_status = format!("gateway; hit; ttl={}; detail=memory", left.as_secs());
        Self { cache_status, ..Self::gathered(app, user_id, &flight, &Misses::default(), false, asked) }
    }

    /// The summary for the log.
    pub(super) fn summary(&self) -> Summary {
        let part = |index: usize| PartSummary {
            state: self.states[index].label(),
            took_ms: self.timings.parts[index].map(|took| took.as_secs_f64() * 1e3),
        };
        let errors: Vec<String> = self
            .errors
            .iter()
            .chain(&self.healed)
            .map(|error| format!("{}:{}", error.service.label(), error.code.label()))
            .collect();
        Summary {
            user_id: self.user_id,
            outcome: self.outcome.label(),
            cache: self.cache_status.clone(),
            parts: [part(0), part(1), part(2)],
            errors: errors.join(" "),
        }
    }
}

/// The summary of a response for the log: it rides on the response to the outermost layer, which writes the line.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) user_id: UserId,
    pub(crate) outcome: &'static str,
    pub(crate) cache: String,
    /// User, orders, products.
    pub(crate) parts: [PartSummary; 3],
    pub(crate) errors: String,
}

/// The summary of a part for the log.
#[derive(Debug)]
pub(crate) struct PartSummary {
    pub(crate) state: &'static str,
    pub(crate) took_ms: Option<f64>,
}
