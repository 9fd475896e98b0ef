//! The profile that a user must get, from the shop's data and not from any service.

use serde_json::{Value, json};
use services::{
    data::{DEFAULT_SEED, Lookup, Order, Shop, USERS},
    id::{ProductId, UserId},
};

/// The shop that the services serve.
pub(crate) fn shop() -> Shop {
    Shop::new(DEFAULT_SEED)
}

/// The first user whose orders are so.
pub(crate) fn user_where(wanted: impl Fn(&[Order]) -> bool) -> u64 {
    (1..=USERS).find(|user| wanted(&shop().orders(UserId(*user)).unwrap())).unwrap()
}

/// The parts of a complete profile.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) user: Value,
    pub(crate) orders: Value,
    pub(crate) products: Value,
    /// Ids of products that are gone.
    pub(crate) gone: Vec<String>,
    /// Ids of all products, in the order of their first mention.
    pub(crate) product_ids: Vec<String>,
}

impl Expected {
    pub(crate) fn of(user: u64) -> Self {
        let id = UserId(user);
        let orders = shop().orders(id).unwrap();
        let mut ids: Vec<ProductId> = Vec::new();
        for id in orders.iter().flat_map(|order| &order.product_ids) {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        let (mut products, mut gone) = (Vec::new(), Vec::new());
        for id in &ids {
            match shop().product(*id) {
                Lookup::Found(product) => products.push(json!(product)),
                Lookup::Gone => gone.push(id.to_string()),
                Lookup::Unknown => panic!("orders name {id}, which never was"),
            }
        }
        Self {
            user: json!(shop().user(id)),
            orders: json!(orders),
            products: json!(products),
            gone,
            product_ids: ids.iter().map(ToString::to_string).collect(),
        }
    }
}
