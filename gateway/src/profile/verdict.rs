//! What the parts that came are worth: a whole profile, a partial one, or none. Pure: no clock, no network.

use super::{
    answer::{PartError, Profile},
    gather::{Gathered, Parts, Products},
    stale,
};
use crate::{
    edge::problem::Problem,
    labels::{Code, Outcome, Pointer, Service, State},
    upstream::{CallError, services::Json},
};
use serde_json::value::RawValue;
use std::sync::Arc;

/// States of user, orders and products.
pub(super) type States = [State; 3];

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
    /// What metrics and log call it.
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

    /// Whether something old is shown.
    pub(super) fn shows_stale(&self) -> bool {
        match self {
            Self::Stale { .. } => true,
            Self::Partial { states, .. } => states.contains(&State::Stale),
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
            let states = [State::NotFound, State::Skipped, State::Skipped];
            return Verdict::None { problem: Problem::NoSuchUser, states, errors: Vec::new() };
        }
    };
    let Parts { user, orders, products, orders_unknown: _ } = parts;
    let mut errors = Vec::new();
    let mut states = [State::Fresh, State::Fresh, State::Skipped];
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
            (user, states[0]) = (Some(Arc::clone(&old.user)), State::Stale);
        }
        if orders.is_none() {
            (orders, products) = (Some(Arc::clone(&old.orders)), Some(Arc::clone(&old.products)));
            (gone, states[1], states[2]) = (old.gone.clone(), State::Stale, State::Stale);
        } else if let (Some((list, left_out)), State::Failed | State::Partial) = (filled, states[2]) {
            (products, gone, states[2]) = (Some(list), left_out, State::Stale);
        }
    }
    if let (Some(user), Some(orders), Some(products)) = (&user, &orders, &products)
        && states.iter().all(|state| matches!(state, State::Fresh | State::Stale))
    {
        let (user, orders, products) = (Arc::clone(user), Arc::clone(orders), Arc::clone(products));
        let profile = Profile { user, orders, products, gone };
        return if states.contains(&State::Stale) {
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

fn kept<T>(part: Result<T, CallError>, pointer: Pointer, state: &mut State, errors: &mut Vec<PartError>) -> Option<T> {
    part.map_err(|error| {
        *state = State::Failed;
        errors.push(PartError::new(&error, pointer, Vec::new()));
    })
    .ok()
}

/// All batches as one list; null where none was answered.
fn merged(products: Products, state: &mut State, errors: &mut Vec<PartError>) -> (Option<Json>, Vec<String>) {
    let Products { found, gone, unanswered, failed, answered } = products;
    *state = match (answered, failed.is_empty() && unanswered.is_empty()) {
        (true, true) => State::Fresh,
        (true, false) => State::Partial,
        (false, _) => State::Failed,
    };
    for (error, ids) in failed {
        errors.push(PartError::new(&error, Pointer::Products, ids));
    }
    if !unanswered.is_empty() {
        errors.push(PartError::of_holes(Service::Product, Code::BadPayload, Pointer::Products, unanswered));
    }
    (answered.then(|| list(found.iter().map(AsRef::as_ref))), gone)
}

/// These values as a list.
pub(super) fn list<'a>(items: impl Iterator<Item = &'a RawValue> + Clone) -> Json {
    let length = items.clone().map(|item| item.get().len() + 1).sum::<usize>() + 2;
    let mut text = String::with_capacity(length);
    text.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(item.get());
    }
    text.push(']');
    RawValue::from_string(text).expect("a list of JSON values is JSON").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{profile::gather::Timed, upstream::services::Orders};
    use proptest::prelude::{any, proptest};
    use std::time::Duration;

    fn raw(text: &str) -> Json {
        RawValue::from_string(text.to_owned()).unwrap().into()
    }

    fn error(service: Service, code: Code) -> CallError {
        CallError { service, code, attempts: 1, after: Duration::from_millis(400) }
    }

    fn timed<T>(value: T) -> Timed<T> {
        Timed { value, took: Duration::ZERO }
    }

    fn gathered(user: Option<Code>, orders: Option<Code>, products: Option<Code>) -> Gathered {
        let list = Orders { list: raw("[]"), product_ids: vec!["p1".to_owned()] };
        let found = Products {
            found: vec![RawValue::from_string("{}".to_owned()).unwrap()],
            answered: true,
            ..Products::default()
        };
        let failed = |code| Products {
            failed: vec![(error(Service::Product, code), vec!["p1".to_owned()])],
            ..Products::default()
        };
        Gathered::Parts(Box::new(Parts {
            user: timed(user.map_or_else(|| Ok(raw("{}")), |code| Err(error(Service::User, code)))),
            orders_unknown: false,
            products: orders.is_none().then(|| timed(products.map_or(found, failed))),
            orders: timed(orders.map_or(Ok(list), |code| Err(error(Service::Order, code)))),
        }))
    }

    #[test]
    fn all_parts_make_a_complete_profile() {
        assert!(judge(gathered(None, None, None), true, None).complete().is_some());
    }

    #[test]
    fn skipped_products_are_no_product_error() {
        let Verdict::Partial { products, states, errors, .. } =
            judge(gathered(None, Some(Code::Reset), None), true, None)
        else {
            panic!("it should be partial")
        };
        assert!(products.is_none());
        assert_eq!(states, [State::Fresh, State::Failed, State::Skipped]);
        assert_eq!(errors.iter().map(|error| error.service).collect::<Vec<_>>(), [Service::Order]);
    }

    #[test]
    fn some_batches_make_a_partial_list() {
        let products = Products {
            found: vec![RawValue::from_string("{}".to_owned()).unwrap()],
            unanswered: vec!["p7".to_owned()],
            failed: vec![(error(Service::Product, Code::Timeout), vec!["p9".to_owned()])],
            answered: true,
            ..Products::default()
        };
        let (mut state, mut errors) = (State::Fresh, Vec::new());
        let (list, _) = merged(products, &mut state, &mut errors);
        assert_eq!((list.unwrap().get(), state), ("[{}]", State::Partial));
        assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [Code::Timeout, Code::BadPayload]);
    }

    fn code(choice: u8) -> Option<Code> {
        [None, Some(Code::Timeout), Some(Code::DeadlineExceeded), Some(Code::Status5xx)][usize::from(choice % 4)]
    }

    proptest! {
        #[test]
        fn complete_means_no_failure_and_none_means_nothing_usable(
            user in any::<u8>(), orders in any::<u8>(), products in any::<u8>(), partial in any::<bool>(),
        ) {
            let (user, orders, products) = (code(user), code(orders), code(products));
            let asked = orders.is_none();
            let failures: Vec<Code> =
                [user, orders, products.filter(|_| asked)].into_iter().flatten().collect();
            match judge(gathered(user, orders, products), partial, None) {
                Verdict::Stale { .. } => panic!("there is nothing old"),
                Verdict::Complete(_) => assert!(failures.is_empty()),
                Verdict::Partial { errors, .. } => {
                    assert!(partial && !failures.is_empty() && (user.is_none() || orders.is_none()));
                    assert_eq!(errors.len(), failures.len());
                }
                Verdict::None { problem, .. } => {
                    assert!(!partial || (user.is_some() && orders.is_some()));
                    let timeouts = failures.iter().all(|code| code.is_timeout());
                    assert_eq!(problem == Problem::UpstreamTimeout, timeouts && !failures.is_empty());
                }
            }
        }

        #[test]
        fn whatever_failed_is_shown_old_and_nothing_else_is(
            user in any::<u8>(), orders in any::<u8>(), products in any::<u8>(), partial in any::<bool>(),
        ) {
            let (user, orders, products) = (code(user), code(orders), code(products));
            let old = Profile {
                user: raw("1"), orders: raw("2"), products: raw(r#"[{"id":"p1"}]"#), gone: vec!["gone".to_owned()],
            };
            let verdict = judge(gathered(user, orders, products), partial, Some(&old));
            let state = |failed: bool| if failed { State::Stale } else { State::Fresh };
            let wanted = [user.is_some(), orders.is_some(), orders.or(products).is_some()].map(state);
            assert_eq!(verdict.shows_stale(), wanted.contains(&State::Stale));
            match verdict {
                Verdict::Complete(_) => assert_eq!(wanted, [State::Fresh; 3]),
                Verdict::Stale { profile, states, errors } => {
                    assert_eq!((states, errors.is_empty()), (wanted, false));
                    assert_eq!(profile.user.get() == "1", user.is_some());
                    // Old orders come with their own products.
                    assert_eq!(profile.orders.get() == "2", orders.is_some());
                    assert_eq!(profile.gone == ["gone"], orders.is_some());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
