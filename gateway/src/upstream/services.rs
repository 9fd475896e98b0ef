//! The three services as the gateway uses them: which call, and what its response must look like. What the gateway
//! doesn't know passes through as the service wrote it; what it relies on (ids, and whose data it is) is checked.

use super::{Call, CallError, Reply, Upstream};
use crate::{base_url::Segment, context::RequestContext, labels::Code, user_id::UserId};
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{collections::BTreeSet, sync::Arc};
use tokio::time::Instant;
use utoipa::ToSchema;

/// Ids that the product service takes in one batch.
pub(crate) const BATCH_LIMIT: usize = 500;

/// JSON, passed through.
pub(crate) type Json = Arc<RawValue>;

/// Joins values that are JSON into a list.
pub(crate) fn list<'a>(items: impl Iterator<Item = &'a RawValue> + Clone) -> Json {
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

/// A text that is JSON.
pub(crate) fn json_of(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).expect("it is JSON").into()
}

/// A user as the user service has them: what else it says is passed on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct User {
    id: String,
}

/// An order as the order service has it: what else it says is passed on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Order {
    #[expect(dead_code, reason = "an order must have one")]
    id: String,
    user_id: Option<String>,
    product_ids: Vec<String>,
}

/// A product as the product service has it: what else it says is passed on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Product {
    id: String,
}

/// The orders of a user.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// The list as the service wrote it.
    pub(crate) list: Json,
    /// Each product once, in order of appearance.
    pub(crate) product_ids: Arc<[String]>,
}

/// The result of one batch of products.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Products that were found, in the order of the question.
    pub(crate) found: Vec<Box<RawValue>>,
    /// Known to be missing.
    pub(crate) gone: Vec<String>,
    /// Asked for, and not spoken of in the response.
    pub(crate) unanswered: Vec<String>,
}

/// The user; `None` where the service knows that there is none.
pub(crate) async fn user(
    upstream: &Arc<Upstream>,
    context: &RequestContext,
    deadline: Instant,
    id: UserId,
) -> Result<Option<Json>, CallError> {
    let path = vec![Segment::Fixed("users"), Segment::Number(id.get())];
    let call = Call { method: Method::GET, path, body: None, idempotent: true };
    upstream
        .call(call, context, deadline, move |reply| match reply {
            Reply::NotFound => Ok(None),
            Reply::Found(body) => read_user(&body, id).map(Some),
        })
        .await
}

/// The orders of the user; `None` where the service knows no such user.
pub(crate) async fn orders(
    upstream: &Arc<Upstream>,
    context: &RequestContext,
    deadline: Instant,
    id: UserId,
) -> Result<Option<Orders>, CallError> {
    let path = vec![Segment::Fixed("orders"), Segment::Fixed("user"), Segment::Number(id.get())];
    let call = Call { method: Method::GET, path, body: None, idempotent: true };
    upstream
        .call(call, context, deadline, move |reply| match reply {
            Reply::NotFound => Ok(None),
            Reply::Found(body) => read_orders(&body, id).map(Some),
        })
        .await
}

/// The products with these ids, at most [`BATCH_LIMIT`].
pub(crate) async fn products(
    upstream: &Arc<Upstream>,
    context: &RequestContext,
    deadline: Instant,
    ids: Arc<[String]>,
) -> Result<Batch, CallError> {
    let path = vec![Segment::Fixed("products"), Segment::Fixed("batch")];
    let body = serde_json::json!({ "ids": &*ids }).to_string();
    // A question, though a POST: asked twice it changes nothing.
    let call = Call { method: Method::POST, path, body: Some(Bytes::from(body)), idempotent: true };
    upstream
        .call(call, context, deadline, move |reply| match reply {
            Reply::NotFound => Err(Code::Status4xx),
            Reply::Found(body) => read_batch(&body, &ids),
        })
        .await
}

fn json<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, Code> {
    serde_json::from_slice(text).map_err(|_| Code::BadPayload)
}

/// The body as JSON to be passed on.
fn pass(body: &[u8]) -> Result<Json, Code> {
    json::<Box<RawValue>>(body).map(Arc::from)
}

fn read_user(body: &[u8], id: UserId) -> Result<Json, Code> {
    let user: User = json(body)?;
    // Somebody else's data must never be passed on.
    if user.id == id.to_string() { pass(body) } else { Err(Code::BadPayload) }
}

fn read_orders(body: &[u8], id: UserId) -> Result<Orders, Code> {
    let list = pass(body)?;
    let orders: Vec<Order> = json(body)?;
    let id = id.to_string();
    if orders.iter().any(|order| order.user_id.as_ref().is_some_and(|owner| *owner != id)) {
        return Err(Code::BadPayload);
    }
    let mut seen = BTreeSet::new();
    let ids = orders.into_iter().flat_map(|order| order.product_ids);
    let product_ids = ids.filter(|id| seen.insert(id.clone())).collect();
    Ok(Orders { list, product_ids })
}

fn read_batch(body: &[u8], ids: &[String]) -> Result<Batch, Code> {
    #[derive(Deserialize)]
    struct BatchResponse {
        products: Vec<Box<RawValue>>,
        #[serde(default)]
        gone: Vec<String>,
        #[serde(default)]
        unknown: Vec<String>,
    }
    let response: BatchResponse = json(body)?;
    let mut asked: std::collections::BTreeMap<&str, Option<Box<RawValue>>> =
        ids.iter().map(|id| (id.as_str(), None)).collect();
    for product in response.products {
        let id = json::<Product>(product.get().as_bytes())?.id;
        // What nobody asked for isn't passed on.
        if let Some(place) = asked.get_mut(id.as_str()) {
            *place = Some(product);
        }
    }
    let known: BTreeSet<String> = response.gone.into_iter().chain(response.unknown).collect();
    let mut batch = Batch::default();
    for id in ids {
        match asked.remove(id.as_str()).flatten() {
            Some(product) => batch.found.push(product),
            None if known.contains(id) => batch.gone.push(id.clone()),
            None => batch.unanswered.push(id.clone()),
        }
    }
    Ok(batch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};
    use serde_json::json;

    fn id(number: u64) -> UserId {
        number.to_string().parse().unwrap()
    }

    #[test]
    fn another_users_data_is_a_bad_payload() {
        assert!(read_user(br#"{"id":"42","name":"Ada"}"#, id(42)).is_ok());
        assert_eq!(read_user(br#"{"id":"43"}"#, id(42)).unwrap_err(), Code::BadPayload);
        let theirs = br#"[{"id":"o1","user_id":"43","product_ids":[]}]"#;
        assert_eq!(read_orders(theirs, id(42)).unwrap_err(), Code::BadPayload);
        assert!(read_orders(br#"[{"id":"o1","user_id":"42","product_ids":[]}]"#, id(42)).is_ok());
    }

    #[test]
    fn orders_name_each_product_once() {
        let body = br#"[{"id":"o1","product_ids":["p2","p1"]},{"id":"o2","product_ids":["p1","p3"]}]"#;
        let orders = read_orders(body, id(1)).unwrap();
        assert_eq!(*orders.product_ids, ["p2", "p1", "p3"]);
        assert_eq!(orders.list.get().as_bytes(), body);
    }

    #[test]
    fn a_batch_tells_found_gone_and_unanswered_apart() {
        let ids = ["p1", "p2", "p3", "p4"].map(str::to_owned);
        let body = br#"{"products":[{"id":"p9"},{"id":"p1","name":"x"}],"gone":["p2"],"unknown":["p3"]}"#;
        let batch = read_batch(body, &ids).unwrap();
        assert_eq!(batch.found.len(), 1);
        assert_eq!(batch.gone, ["p2", "p3"]);
        assert_eq!(batch.unanswered, ["p4"]);
    }

    #[test]
    fn truncated_responses_are_bad_payloads() {
        let whole = br#"[{"id":"o1","product_ids":["p2"]}]"#;
        for length in 0..whole.len() {
            assert_eq!(read_orders(&whole[..length], id(1)).unwrap_err(), Code::BadPayload);
        }
    }

    proptest! {
        /// Whatever the service says: each id ends in one place, in the order of the question, and none but those.
        #[test]
        fn every_id_of_a_batch_is_accounted_for_once(
            asked in prop::collection::btree_set(0_u8..40, 0..30),
            found in prop::collection::vec(0_u8..40, 0..40),
            gone in prop::collection::vec(0_u8..40, 0..20),
            unknown in prop::collection::vec(0_u8..40, 0..20),
            backwards in any::<bool>(),
        ) {
            let name = |id: &u8| format!("p{id}");
            let names = |ids: &[u8]| ids.iter().map(name).collect::<Vec<_>>();
            let mut ids: Vec<String> = asked.iter().map(name).collect();
            if backwards {
                ids.reverse();
            }
            let products: Vec<_> = found.iter().map(|id| json!({ "id": name(id) })).collect();
            let body = json!({ "products": products, "gone": names(&gone), "unknown": names(&unknown) }).to_string();
            let batch = read_batch(body.as_bytes(), &ids).unwrap();
            let shown: Vec<String> = batch
                .found
                .iter()
                .map(|product| serde_json::from_str::<serde_json::Value>(product.get()).unwrap())
                .map(|product| product["id"].as_str().unwrap().to_owned())
                .collect();
            let place = |id: &String| ids.iter().position(|asked| asked == id).expect("it was asked for");
            for part in [&shown, &batch.gone, &batch.unanswered] {
                assert!(part.iter().map(place).is_sorted());
            }
            let mut all: Vec<&String> = shown.iter().chain(&batch.gone).chain(&batch.unanswered).collect();
            all.sort_by_key(|id| place(id));
            assert_eq!(all, ids.iter().collect::<Vec<_>>());
            assert!(shown.iter().all(|id| names(&found).contains(id)));
            assert!(batch.gone.iter().all(|id| names(&gone).contains(id) || names(&unknown).contains(id)));
        }
    }
}
