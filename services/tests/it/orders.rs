use crate::common::{ORDER, PRODUCT, Shop, USER};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn orders_have_ids_and_the_products_that_they_name() {
    let orders = Shop::open().await.get(ORDER, "/orders/user/1").await.ok();
    assert_eq!(orders.as_array().unwrap().len(), 3);
    assert_eq!(orders[0]["id"], "o1003");
    assert_eq!(orders[0]["product_ids"], json!(["p207", "p30", "p79", "p39", "p25"]));
}

#[tokio::test(start_paused = true)]
async fn a_user_without_orders_gets_an_empty_list() {
    let shop = Shop::open().await;
    let data = services::data::Shop::new(services::data::DEFAULT_SEED);
    let without = (1..=1000).find(|number| data.orders(services::id::UserId(*number)).unwrap().is_empty()).unwrap();
    assert_eq!(shop.get(ORDER, &format!("/orders/user/{without}")).await.ok(), json!([]));
    assert_eq!(shop.get(USER, &format!("/users/{without}")).await.ok()["id"], without.to_string());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_is_404_and_a_malformed_id_400() {
    let shop = Shop::open().await;
    for id in ["1001", "18446744073709551615"] {
        shop.get(ORDER, &format!("/orders/user/{id}")).await.problem(404, "unknown-user");
    }
    for id in ["0", "007", "x", "%ff", "1e3", "18446744073709551616"] {
        shop.get(ORDER, &format!("/orders/user/{id}")).await.problem(400, "malformed-id");
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_profile_fits_into_one_batch() {
    let shop = Shop::open().await;
    let mut largest: Vec<Value> = Vec::new();
    for user in 1..=1000 {
        let orders = shop.get(ORDER, &format!("/orders/user/{user}")).await.ok();
        let ids = orders.as_array().unwrap().iter().flat_map(|order| order["product_ids"].as_array().unwrap().clone());
        let ids: Vec<_> = ids.collect();
        if ids.len() > largest.len() {
            largest = ids;
        }
    }
    assert!(largest.len() > 200, "{}", largest.len());
    let found = shop.batch(json!({ "ids": largest }).to_string()).await.ok();
    assert_eq!(found["unknown"], json!([]));
    assert!(found["products"].as_array().unwrap().len() > 100);
    let first = found["products"][0]["id"].as_str().unwrap();
    assert_eq!(shop.get(PRODUCT, &format!("/products/{first}")).await.ok(), found["products"][0]);
}
