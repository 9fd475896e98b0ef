use super::{CLOSED_S, CURRENCY, PRODUCTS, Shop, draw::Draw};
use crate::id::{OrderId, ProductId, UserId};
use serde::Serialize;
use std::time::Duration;

/// An order, as the order service answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Order {
    /// The id.
    pub id: OrderId,
    /// Products that were bought; each once.
    pub product_ids: Vec<ProductId>,
    /// The time of the order, as RFC 3339.
    pub created_at: String,
    /// The sum of the products' prices in hundredths of the currency, those that are gone included.
    pub total_cents: u32,
    /// ISO 4217.
    pub currency: &'static str,
}

/// One in each stretch of so many users has a hundred orders.
const STRETCH: u64 = 200;

/// The number of a collector's orders.
const MOST_ORDERS: u64 = 100;

/// Shares of a hundred other users by their number of orders: none 12, one 24, …
const SHARES: [u64; 9] = [12, 24, 20, 14, 10, 8, 6, 4, 2];

/// The most products of an order. A collector's profile then has at most 500 products.
const MOST_PRODUCTS: u64 = 5;

impl Shop {
    /// A user's orders, newest first; none where there is no such user.
    #[must_use]
    pub fn orders(self, user: UserId) -> Option<Vec<Order>> {
        let count = self.has_user(user).then(|| self.order_count(user))?;
        Some((1..=count).rev().map(|turn| self.order(user, turn, count)).collect())
    }

    fn order_count(self, user: UserId) -> u64 {
        let group = (user.0 - 1) / STRETCH;
        let collector = Draw::new(self.seed(), "stretch", group).below("collector", STRETCH);
        if (user.0 - 1) % STRETCH == collector {
            return MOST_ORDERS;
        }
        let mut left = Draw::new(self.seed(), "user", user.0).below("orders", SHARES.iter().sum());
        let mut count = 0;
        for share in SHARES {
            if left < share {
                break;
            }
            left -= share;
            count += 1;
        }
        count
    }

    /// The `turn`-th of `count` orders, counted from the oldest.
    fn order(self, user: UserId, turn: u64, count: u64) -> Order {
        let number = user.0 * 1000 + turn;
        let draw = Draw::new(self.seed(), "order", number);
        // The time since the user joined falls into equal parts, one an order, so that ids and dates ascend alike.
        let joined_s = self.joined_s(user);
        let part_s = (CLOSED_S - joined_s) / count;
        let created_s = joined_s + (turn - 1) * part_s + draw.below("created", part_s);
        let mut product_ids = Vec::new();
        for item in 0..=draw.below("items", MOST_PRODUCTS) {
            let rank = draw.skewed_at("product", item, u64::from(PRODUCTS));
            let id = ProductId(1 + u32::try_from(rank).unwrap_or(0));
            if !product_ids.contains(&id) {
                product_ids.push(id);
            }
        }
        let total_cents = product_ids.iter().map(|id| self.price_cents(*id)).sum();
        let created_at = host::rfc3339(Duration::from_secs(created_s));
        Order { id: OrderId(number), product_ids, created_at, total_cents, currency: CURRENCY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DEFAULT_SEED, Lookup, USERS};
    use std::collections::{BTreeMap, BTreeSet};

    fn by_user(shop: Shop) -> Vec<Vec<Order>> {
        (1..=USERS).filter_map(|number| shop.orders(UserId(number))).collect()
    }

    #[test]
    fn some_users_have_no_orders_most_a_few_and_five_a_hundred() {
        for seed in [0, 1, DEFAULT_SEED, u64::MAX] {
            let counts: Vec<_> = by_user(Shop::new(seed)).iter().map(Vec::len).collect();
            let of = |range: std::ops::RangeInclusive<usize>| counts.iter().filter(|n| range.contains(n)).count();
            assert_eq!(counts.len(), 1000);
            assert!((80..=160).contains(&of(0..=0)), "seed {seed}: {} without orders", of(0..=0));
            assert_eq!(of(100..=100), 5, "seed {seed}");
            assert_eq!(of(0..=8) + 5, 1000, "seed {seed}");
        }
    }

    #[test]
    fn unknown_users_have_no_list_at_all() {
        let shop = Shop::new(DEFAULT_SEED);
        assert_eq!(shop.orders(UserId(0)), None);
        assert_eq!(shop.orders(UserId(1001)), None);
    }

    #[test]
    fn orders_share_products_and_the_first_sell_best() {
        let mut buyers = BTreeMap::<u32, BTreeSet<usize>>::new();
        for (user, orders) in by_user(Shop::new(DEFAULT_SEED)).iter().enumerate() {
            for id in orders.iter().flat_map(|order| &order.product_ids) {
                buyers.entry(id.0).or_default().insert(user);
            }
        }
        let shared = buyers.values().filter(|users| users.len() > 1).count();
        assert!(shared > 450, "{shared} of 500 products have more than one buyer");
        assert!(buyers[&1].len() > 400, "{} users bought p1", buyers[&1].len());
        assert!(buyers[&1].len() > 20 * buyers[&400].len());
    }

    #[test]
    fn some_orders_name_products_that_are_gone_and_none_an_unknown_one() {
        let shop = Shop::new(DEFAULT_SEED);
        let mut touched = 0;
        for orders in by_user(shop) {
            let mut lookups = orders.iter().flat_map(|order| &order.product_ids).map(|id| shop.product(*id));
            let found: Vec<_> = lookups.by_ref().collect();
            assert!(!found.contains(&Lookup::Unknown));
            touched += usize::from(found.contains(&Lookup::Gone));
        }
        assert!((50..=350).contains(&touched), "{touched} users ordered something that is gone");
    }

    #[test]
    fn ids_are_unique_dates_descend_and_totals_add_up() {
        let shop = Shop::new(DEFAULT_SEED);
        let mut ids = BTreeSet::new();
        for orders in by_user(shop) {
            assert!(orders.is_sorted_by(|newer, older| newer.created_at > older.created_at));
            for order in orders {
                assert!(("2019-01-01".."2026-01-01").contains(&order.created_at.as_str()), "{order:?}");
                assert!((1..=5).contains(&order.product_ids.len()));
                let sum: u32 = order.product_ids.iter().map(|id| shop.price_cents(*id)).sum();
                assert_eq!(order.total_cents, sum);
                assert!(ids.insert(order.id), "{order:?}");
            }
        }
    }
}
