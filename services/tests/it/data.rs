//! The shop's data is part of what a recorded run means: a change has to be on purpose, and shows here.

use serde_json::json;
use services::{
    data::{DEFAULT_SEED, Lookup, Shop},
    id::{ProductId, UserId},
};

/// One number for a whole shop.
fn fingerprint(seed: u64) -> u64 {
    let shop = Shop::new(seed);
    let users: Vec<_> = (1..=1000).map(|number| (shop.user(UserId(number)), shop.orders(UserId(number)))).collect();
    let products: Vec<_> = (1..=500)
        .map(|number| match shop.product(ProductId(number)) {
            Lookup::Found(product) => Some(product),
            Lookup::Gone | Lookup::Unknown => None,
        })
        .collect();
    host::hash(0, &[&serde_json::to_vec(&users).unwrap(), &serde_json::to_vec(&products).unwrap()])
}

#[test]
fn the_whole_shop_is_pinned() {
    assert_eq!(fingerprint(DEFAULT_SEED), 6_977_890_761_845_815_904);
    assert_eq!(fingerprint(7), 10_232_445_075_733_186_670);
}

#[test]
fn a_sample_is_pinned_in_words() {
    let shop = Shop::new(DEFAULT_SEED);
    let user = json!({
        "id": "3", "name": "João Costa", "email": "joao.3@example.com", "city": "Stockholm", "country": "SE",
        "member_since": "2022-05-13",
    });
    assert_eq!(json!(shop.user(UserId(3))), user);
    let orders = json!([{
        "id": "o3001", "product_ids": ["p1", "p296", "p25", "p54"], "created_at": "2023-03-03T14:58:30.000Z",
        "total_cents": 14296, "currency": "EUR",
    }]);
    assert_eq!(json!(shop.orders(UserId(3))), orders);
    let Lookup::Found(product) = shop.product(ProductId(9)) else { panic!("p9 is for sale") };
    let expected =
        json!({"id": "p9", "name": "Tall Planter", "category": "garden", "price_cents": 6149, "currency": "EUR"});
    assert_eq!(json!(product), expected);
    let gone: Vec<_> = (1..=500).filter(|number| shop.product(ProductId(*number)) == Lookup::Gone).collect();
    assert_eq!(gone, [14, 34, 58, 84, 109, 142, 169, 191, 211, 232, 270, 299, 324, 336, 373, 386, 411, 437, 474, 486]);
    let collectors: Vec<_> = (1..=1000).filter(|number| shop.orders(UserId(*number)).unwrap().len() == 100).collect();
    assert_eq!(collectors, [66, 349, 551, 644, 942]);
}
