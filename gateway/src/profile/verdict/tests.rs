use super::*;
use crate::{
    profile::gather::Timed,
    upstream::services::{Batch, Orders},
};
use proptest::prelude::{any, prop, proptest};
use serde_json::value::RawValue;
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
    let list = Orders { list: raw("[]"), product_ids: ["p1".to_owned()].into() };
    let found = Products {
        found: vec![RawValue::from_string("{}".to_owned()).unwrap()],
        answered: true,
        ..Products::default()
    };
    let failed =
        |code| Products { failed: vec![(error(Service::Product, code), vec!["p1".to_owned()])], ..Products::default() };
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
    let Verdict::Partial { products, states, errors, .. } = judge(gathered(None, Some(Code::Reset), None), true, None)
    else {
        panic!("it should be partial")
    };
    assert!(products.is_none());
    assert_eq!(states, [PartState::Fresh, PartState::Failed, PartState::Skipped]);
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
    let (mut state, mut errors) = (PartState::Fresh, Vec::new());
    let (list, _) = merged(products, &mut state, &mut errors);
    assert_eq!((list.unwrap().get(), state), ("[{}]", PartState::Partial));
    assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [Code::Timeout, Code::BadPayload]);
}

fn code(choice: u8) -> Option<Code> {
    [None, Some(Code::Timeout), Some(Code::DeadlineExceeded), Some(Code::Status5xx)][usize::from(choice % 4)]
}

/// A batch's result for these ids: fate 0 fails it, else each id is found, gone, or not spoken of by its own draw.
fn batch(ids: &[String], fate: u8, draws: &[u8]) -> Result<Batch, CallError> {
    if fate == 0 {
        return Err(error(Service::Product, Code::Timeout));
    }
    let mut batch = Batch::default();
    for (id, draw) in ids.iter().zip(draws) {
        match draw % 4 {
            0 | 1 => batch.found.push(RawValue::from_string(format!("{{\"id\":\"{id}\"}}")).unwrap()),
            2 => batch.gone.push(id.clone()),
            _ => batch.unanswered.push(id.clone()),
        }
    }
    Ok(batch)
}

fn ids_of(list: Option<&Json>) -> Vec<String> {
    let values: Vec<serde_json::Value> = list.map(|list| serde_json::from_str(list.get()).unwrap()).unwrap_or_default();
    values.iter().map(|value| value["id"].as_str().unwrap().to_owned()).collect()
}

proptest! {
    /// Whatever becomes of the batches, each product is shown, gone or said to be missing, once, in the order of the
    /// orders; and only a response without a missing one is complete.
    #[test]
    fn every_product_of_a_merged_response_is_accounted_for_once(
        draws in prop::collection::vec(any::<u8>(), 0..20), fates in prop::collection::vec(0_u8..4, 20), size in 1_usize..6,
    ) {
        let ids: Vec<String> = (0..draws.len()).map(|number| format!("p{number}")).collect();
        let batches: Vec<_> = ids.chunks(size).zip(draws.chunks(size)).zip(&fates)
            .map(|((ids, draws), fate)| (ids, batch(ids, *fate, draws)))
            .collect();
        let none_answered = !batches.is_empty() && batches.iter().all(|(_, batch)| batch.is_err());
        let orders = Orders { list: raw("[]"), product_ids: ids.clone().into() };
        let verdict = judge(Gathered::Parts(Box::new(Parts {
            user: timed(Ok(raw("{}"))),
            orders: timed(Ok(orders)),
            orders_unknown: false,
            products: Some(timed(Products::of(batches.into_iter()))),
        })), true, None);
        let (shown, gone, missing) = match &verdict {
            Verdict::Complete(profile) => (ids_of(Some(&profile.products)), profile.gone.clone(), Vec::new()),
            Verdict::Partial { products, gone, errors, states, .. } => {
                assert_eq!(products.is_none(), none_answered);
                assert_eq!(states[2], if none_answered { PartState::Failed } else { PartState::Partial });
                let missing: Vec<String> = errors.iter().flat_map(|error| error.missing_ids().to_vec()).collect();
                assert!(!missing.is_empty(), "what is partial says what is missing");
                (ids_of(products.as_ref()), gone.clone(), missing)
            }
            other => panic!("{other:?}"),
        };
        let place = |id: &String| ids.iter().position(|asked| asked == id).expect("it was asked for");
        assert!(shown.iter().map(place).is_sorted() && gone.iter().map(place).is_sorted());
        let mut all: Vec<&String> = shown.iter().chain(&gone).chain(&missing).collect();
        all.sort_by_key(|id| place(id));
        assert_eq!(all, ids.iter().collect::<Vec<_>>());
    }

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
        let state = |failed: bool| if failed { PartState::Stale } else { PartState::Fresh };
        let wanted = [user.is_some(), orders.is_some(), orders.or(products).is_some()].map(state);
        assert_eq!(verdict.shows_stale(), wanted.contains(&PartState::Stale));
        match verdict {
            Verdict::Complete(_) => assert_eq!(wanted, [PartState::Fresh; 3]),
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
