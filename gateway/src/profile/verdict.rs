//! The verdict on the parts that came: a whole profile, a partial one, or none. Pure: no clock, no network.

use super::{
    gather::{Gathered, Parts, Products},
    stale,
};
use crate::{
    cache::Profile,
    labels::{Code, Outcome, PartState, Pointer, Service},
    problem::{PartError, Problem},
    upstream::{
        CallError,
        services::{Json, json_of, list},
    },
};
use std::sync::Arc;

/// States of user, orders and products.
pub(super) type States = [PartState; 3];

/// The verdict.
#[derive(Clone, Debug)]
pub(super) enum Verdict {
    /// All is known.
    Complete(Profile),
    /// All can be shown, though some of it is old. `errors` say why; clients aren't told, for nothing is missing.
    Stale { profile: Profile, states: States, errors: Vec<PartError> },
    /// Something is known, something isn't.
    Partial {
        user: Option<Json>,
        orders: Option<Json>,
        products: Option<Json>,
        gone: Vec<String>,
        states: States,
        errors: Vec<PartError>,
    },
    /// There is nothing to show.
    None { problem: Problem, states: States, errors: Vec<PartError> },
}

impl Verdict {
    /// The outcome's word in metrics and log.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Complete(_) | Self::None { problem: Problem::NoSuchUser, .. } => Outcome::Complete,
            Self::Stale { .. } => Outcome::Stale,
            Self::Partial { .. } => Outcome::Partial,
            Self::None { .. } => Outcome::Failed,
        }
    }

    /// The profile, if it is complete and fresh: only then may it be cached.
    pub(super) fn complete(&self) -> Option<&Profile> {
        if let Self::Complete(profile) = self { Some(profile) } else { None }
    }

    pub(super) fn is_no_such_user(&self) -> bool {
        matches!(self, Self::None { problem: Problem::NoSuchUser, .. })
    }

    /// Tells if all is known, or that there is nothing to be known.
    pub(super) fn is_sure(&self) -> bool {
        self.complete().is_some() || self.is_no_such_user()
    }

    /// Tells if the user could not be had.
    pub(super) fn lacks_user(&self) -> bool {
        match self {
            Self::Partial { user, .. } => user.is_none(),
            Self::None { .. } => !self.is_no_such_user(),
            Self::Complete(_) | Self::Stale { .. } => false,
        }
    }

    /// A partial profile as if it were a complete one, with `null` for what it lacks: for a mistake that was planted.
    pub(super) fn with_holes(&self) -> Option<Profile> {
        let Self::Partial { user, orders, products, gone, .. } = self else { return None };
        let known = |part: &Option<Json>| part.clone().unwrap_or_else(|| json_of("null"));
        Some(Profile { user: known(user), orders: known(orders), products: known(products), gone: gone.clone() })
    }

    /// Tells if something old is shown.
    pub(super) fn shows_stale(&self) -> bool {
        match self {
            Self::Stale { .. } => true,
            Self::Partial { states, .. } => states.contains(&PartState::Stale),
            Self::Complete(_) | Self::None { .. } => false,
        }
    }
}

/// Judges what was gathered. `old` stands in for parts that failed or have holes. Where `partial` is off, every part is
/// required.
pub(super) fn judge(gathered: Gathered, partial: bool, old: Option<&Profile>) -> Verdict {
    let parts = match gathered {
        Gathered::Parts(parts) => *parts,
        Gathered::NoSuchUser { .. } => {
            let states = [PartState::NotFound, PartState::Skipped, PartState::Skipped];
            return Verdict::None { problem: Problem::NoSuchUser, states, errors: Vec::new() };
        }
    };
    let Parts { user, orders, products, orders_unknown: _ } = parts;
    let mut errors = Vec::new();
    let mut states = [PartState::Fresh, PartState::Fresh, PartState::Skipped];
    let mut user = kept(user.value, Pointer::User, &mut states[0], &mut errors);
    let orders = kept(orders.value, Pointer::Orders, &mut states[1], &mut errors);
    let filled = match (&orders, &products, old) {
        (Some(orders), Some(products), Some(old)) => stale::completed(&products.value, &orders.product_ids, old),
        _ => None,
    };
    let mut orders = orders.map(|orders| orders.list);
    let (mut products, mut gone) = match products {
        Some(products) => merged(products.value, &mut states[2], &mut errors),
        None => (None, Vec::new()),
    };
    if let Some(old) = old {
        if user.is_none() {
            (user, states[0]) = (Some(Arc::clone(&old.user)), PartState::Stale);
        }
        if orders.is_none() {
            (orders, products) = (Some(Arc::clone(&old.orders)), Some(Arc::clone(&old.products)));
            (gone, states[1], states[2]) = (old.gone.clone(), PartState::Stale, PartState::Stale);
        } else if let (Some((list, left_out)), PartState::Failed | PartState::Partial) = (filled, states[2]) {
            (products, gone, states[2]) = (Some(list), left_out, PartState::Stale);
        }
    }
    if let (Some(user), Some(orders), Some(products)) = (&user, &orders, &products)
        && states.iter().all(|state| matches!(state, PartState::Fresh | PartState::Stale))
    {
        let (user, orders, products) = (Arc::clone(user), Arc::clone(orders), Arc::clone(products));
        let profile = Profile { user, orders, products, gone };
        return if states.contains(&PartState::Stale) {
            Verdict::Stale { profile, states, errors }
        } else {
            Verdict::Complete(profile)
        };
    }
    errors.retain(|error| !error.is_healed(states));
    let usable = user.is_some() || orders.is_some();
    if partial && usable {
        return Verdict::Partial { user, orders, products, gone, states, errors };
    }
    let problem = if errors.iter().any(|error| error.code.is_unavailable()) {
        Problem::UpstreamUnavailable
    } else if errors.iter().all(|error| error.code.is_timeout()) {
        Problem::UpstreamTimeout
    } else {
        Problem::UpstreamFailed
    };
    Verdict::None { problem, states, errors }
}

fn kept<T>(
    part: Result<T, CallError>,
    pointer: Pointer,
    state: &mut PartState,
    errors: &mut Vec<PartError>,
) -> Option<T> {
    part.map_err(|error| {
        *state = PartState::Failed;
        errors.push(PartError::new(&error, pointer, Vec::new()));
    })
    .ok()
}

/// All batches as one list; null where none was answered.
fn merged(products: Products, state: &mut PartState, errors: &mut Vec<PartError>) -> (Option<Json>, Vec<String>) {
    let Products { found, gone, unanswered, failed, answered } = products;
    *state = match (answered, failed.is_empty() && unanswered.is_empty()) {
        (true, true) => PartState::Fresh,
        (true, false) => PartState::Partial,
        (false, _) => PartState::Failed,
    };
    for (error, ids) in failed {
        errors.push(PartError::new(&error, Pointer::Products, ids));
    }
    if !unanswered.is_empty() {
        errors.push(PartError::of_holes(Service::Product, Code::BadPayload, Pointer::Products, unanswered));
    }
    (answered.then(|| list(found.iter().map(AsRef::as_ref))), gone)
}

#[cfg(test)]
mod tests;
