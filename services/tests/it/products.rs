use crate::common::{PRODUCT, Shop};
use services::{
    data::{DEFAULT_SEED, Lookup},
    id::ProductId,
};

/// A product that is gone.
pub(crate) fn gone() -> ProductId {
    let shop = services::data::Shop::new(DEFAULT_SEED);
    (1..=500).map(ProductId).find(|id| shop.product(*id) == Lookup::Gone).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_product_is_answered_with_id_name_and_price() {
    let product = Shop::open().await.get(PRODUCT, "/products/p1").await.ok();
    assert_eq!(product["id"], "p1");
    assert_eq!(product["name"], "Corduroy Vest");
    assert_eq!(product["price_cents"], 7449);
}

#[tokio::test(start_paused = true)]
async fn gone_unknown_and_malformed_are_told_apart() {
    let shop = Shop::open().await;
    shop.get(PRODUCT, &format!("/products/{}", gone())).await.problem(410, "product-gone");
    for id in ["p501", "p999999999"] {
        shop.get(PRODUCT, &format!("/products/{id}")).await.problem(404, "unknown-product");
    }
    for id in ["1", "p0", "p01", "P1", "o1", "p", "p1000000000", "%ff", "p1%00"] {
        shop.get(PRODUCT, &format!("/products/{id}")).await.problem(400, "malformed-id");
    }
}
