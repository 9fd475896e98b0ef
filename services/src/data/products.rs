use super::{CURRENCY, PRODUCTS, Shop, draw::Draw, words::CATEGORIES};
use crate::id::ProductId;
use serde::Serialize;

/// A product, as the product service answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Product {
    /// The id.
    pub id: ProductId,
    /// The product's name; no two have the same.
    pub name: String,
    /// The part of the range that it belongs to.
    pub category: &'static str,
    /// The price in hundredths of the currency.
    pub price_cents: u32,
    /// ISO 4217.
    pub currency: &'static str,
}

/// The result of looking up a product's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The product is for sale.
    Found(Product),
    /// The product was sold once and is no more.
    Gone,
    /// There never was one.
    Unknown,
}

/// One product of each so many in a row is gone.
const SHELF: u32 = 25;

/// The best sellers of each shelf stay.
const STAYS: u32 = 5;

impl Shop {
    /// Looks up the product with this id.
    #[must_use]
    pub fn product(self, id: ProductId) -> Lookup {
        if !(1..=PRODUCTS).contains(&id.0) {
            return Lookup::Unknown;
        }
        if self.is_gone(id) {
            return Lookup::Gone;
        }
        let index = (id.0 - 1) as usize;
        let category = &CATEGORIES[index % CATEGORIES.len()];
        // Walks through the category's hundred names in a scattered order: 37 and 100 have no common factor.
        let start = usize::try_from(Draw::new(self.seed(), "shop", 0_u64).below(category.name, 100)).unwrap_or(0);
        let name = (start + index / CATEGORIES.len() * 37) % 100;
        Lookup::Found(Product {
            id,
            name: format!("{} {}", category.materials[name / 10], category.items[name % 10]),
            category: category.name,
            price_cents: self.price_cents(id),
            currency: CURRENCY,
        })
    }

    fn is_gone(self, id: ProductId) -> bool {
        let (shelf, place) = ((id.0 - 1) / SHELF, (id.0 - 1) % SHELF);
        let gone = Draw::new(self.seed(), "shelf", shelf).below("gone", u64::from(SHELF - STAYS));
        u64::from(place) == u64::from(STAYS) + gone
    }

    /// The price, also of a product that is gone: orders still count it.
    pub(super) fn price_cents(self, id: ProductId) -> u32 {
        let (low, high) = CATEGORIES[id.0.saturating_sub(1) as usize % CATEGORIES.len()].price_eur;
        // Cheap products are more common, and prices end in 49 or 99.
        let steps = u64::from((high - low) * 2);
        let step = u32::try_from(Draw::new(self.seed(), "product", id.0).skewed_at("price", 0, steps)).unwrap_or(0);
        low * 100 + step * 50 + 49
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DEFAULT_SEED;
    use std::collections::BTreeSet;

    fn all(shop: Shop) -> Vec<Lookup> {
        (1..=PRODUCTS).map(|number| shop.product(ProductId(number))).collect()
    }

    #[test]
    fn twenty_of_500_are_gone_whatever_the_seed() {
        for seed in [0, 1, DEFAULT_SEED, u64::MAX] {
            let gone = all(Shop::new(seed)).iter().filter(|lookup| **lookup == Lookup::Gone).count();
            assert_eq!(gone, 20, "seed {seed}");
        }
    }

    #[test]
    fn numbers_outside_the_range_are_unknown() {
        let shop = Shop::new(DEFAULT_SEED);
        for number in [0, 501, u32::MAX] {
            assert_eq!(shop.product(ProductId(number)), Lookup::Unknown);
        }
    }

    #[test]
    fn names_are_unique_and_prices_in_range() {
        let products: Vec<_> = all(Shop::new(DEFAULT_SEED))
            .into_iter()
            .filter_map(|lookup| if let Lookup::Found(product) = lookup { Some(product) } else { None })
            .collect();
        let names: BTreeSet<_> = products.iter().map(|product| &product.name).collect();
        assert_eq!(names.len(), products.len());
        for product in products {
            assert!((200..24_000).contains(&product.price_cents), "{product:?}");
            assert!([49, 99].contains(&(product.price_cents % 100)), "{product:?}");
        }
    }
}
