//! The use of an old profile for parts that could not be had. Pure: other code decides if it may be shown at all.
//!
//! A part is taken from it only if that makes the part whole: products for orders that are newer than they are would
//! have holes, and then what has just come is worth more. Old orders come with their own products.

use super::gather::Products;
use crate::{
    cache::Profile,
    upstream::services::{Json, list as joined},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// The products `ids`, of what has come and, for the rest, of `old`; and which of them are gone. `None` where some are
/// in neither.
pub(super) fn completed(came: &Products, ids: &[String], old: &Profile) -> Option<(Json, Vec<String>)> {
    let old_list: Vec<&RawValue> = serde_json::from_str(old.products.get()).ok()?;
    let fresh = came.found.iter().map(AsRef::as_ref);
    // Later ones win: what has just come.
    let known: BTreeMap<String, &RawValue> =
        old_list.into_iter().chain(fresh).filter_map(|product| Some((id_of(product)?, product))).collect();
    let fresh_gone: BTreeSet<&str> = came.gone.iter().map(String::as_str).collect();
    let old_gone: BTreeSet<&str> = old.gone.iter().map(String::as_str).collect();
    let (mut list, mut gone) = (Vec::new(), Vec::new());
    for id in ids {
        match known.get(id) {
            Some(product) if !fresh_gone.contains(id.as_str()) => list.push(*product),
            _ if fresh_gone.contains(id.as_str()) || old_gone.contains(id.as_str()) => gone.push(id.clone()),
            _ => return None,
        }
    }
    Some((joined(list.into_iter()), gone))
}

fn id_of(product: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Product {
        id: String,
    }
    serde_json::from_str::<Product>(product.get()).ok().map(|product| product.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn old() -> Profile {
        let products = raw(r#"[{"id":"p1","n":"old"},{"id":"p2","n":"old"}]"#).into();
        Profile { user: raw("{}").into(), orders: raw("[]").into(), products, gone: vec!["g1".to_owned()] }
    }

    fn complete(found: &[&str], gone: &[&str], ids: &[&str]) -> Option<(String, Vec<String>)> {
        let owned = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let came =
            Products { found: found.iter().map(|text| raw(text)).collect(), gone: owned(gone), ..Products::default() };
        let (list, gone) = completed(&came, &owned(ids), &old())?;
        Some((list.get().to_owned(), gone))
    }

    #[test]
    fn what_came_wins_and_the_old_fills_the_rest() {
        let (list, gone) = complete(&[r#"{"id":"p2","n":"new"}"#], &[], &["p2", "p1", "g1"]).unwrap();
        assert_eq!(list, r#"[{"id":"p2","n":"new"},{"id":"p1","n":"old"}]"#);
        assert_eq!(gone, ["g1"]);
    }

    #[test]
    fn what_is_gone_now_does_not_come_back() {
        assert_eq!(complete(&[], &["p1"], &["p1", "p2"]).unwrap().1, ["p1"]);
    }

    #[test]
    fn what_neither_knows_leaves_it_as_it_is() {
        assert_eq!(complete(&[], &[], &["p1", "p3"]), None);
    }

    proptest! {
        /// All or nothing: each id is shown or gone, once; what has just come counts for more than what is old.
        #[test]
        fn what_is_completed_is_whole(draws in prop::collection::vec(any::<(u8, u8)>(), 0..12)) {
            let ids: Vec<String> = (0..draws.len()).map(|number| format!("p{number}")).collect();
            // Of each id: what came of it, and what the old profile knows. 0: found, 1: gone, else: nothing.
            let with = |which: fn(&(u8, u8)) -> u8, wanted: u8| {
                ids.iter().zip(&draws).filter(move |(_, draw)| which(draw) % 4 == wanted).map(|(id, _)| id.clone())
            };
            let product = |id: String, from: &str| raw(&format!(r#"{{"id":"{id}","n":"{from}"}}"#));
            let came = Products {
                found: with(|draw| draw.0, 0).map(|id| product(id, "new")).collect(),
                gone: with(|draw| draw.0, 1).collect(),
                ..Products::default()
            };
            let old_products: Vec<_> = with(|draw| draw.1, 0).map(|id| product(id, "old")).collect();
            let old = Profile {
                products: joined(old_products.iter().map(AsRef::as_ref)),
                gone: with(|draw| draw.1, 1).collect(),
                ..old()
            };
            let known = draws.iter().all(|(came, old)| came % 4 < 2 || old % 4 < 2);
            let completed = completed(&came, &ids, &old);
            assert_eq!(completed.is_some(), known);
            let Some((list, gone)) = completed else { return Ok(()) };
            let shown: Vec<serde_json::Value> = serde_json::from_str(list.get()).unwrap();
            let mut shown = shown.iter().peekable();
            let mut gone = gone.iter().peekable();
            for (id, (came, old)) in ids.iter().zip(&draws) {
                let newest = if came % 4 < 2 { ("new", came % 4) } else { ("old", old % 4) };
                match newest {
                    (from, 0) => {
                        let product = shown.next().unwrap();
                        assert_eq!((product["id"].as_str(), product["n"].as_str()), (Some(id.as_str()), Some(from)));
                    }
                    _ => assert_eq!(gone.next(), Some(id)),
                }
            }
            assert!(shown.next().is_none() && gone.next().is_none());
        }
    }

    #[test]
    fn what_is_no_longer_ordered_is_not_shown() {
        assert_eq!(complete(&[], &[], &["p1"]).unwrap().0, r#"[{"id":"p1","n":"old"}]"#);
    }
}
