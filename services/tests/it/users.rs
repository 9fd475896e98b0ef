use crate::common::{Shop, USER};

#[tokio::test(start_paused = true)]
async fn a_user_is_answered_with_id_and_name() {
    let user = Shop::open().await.get(USER, "/users/42").await.ok();
    assert_eq!(user["id"], "42");
    assert_eq!(user["name"], "Chloé Chen");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_user_is_404() {
    let shop = Shop::open().await;
    for id in ["1001", "1000000000", "18446744073709551615"] {
        shop.get(USER, &format!("/users/{id}")).await.problem(404, "unknown-user");
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_id_is_400() {
    let shop = Shop::open().await;
    let (larger, long) = ("18446744073709551616", "9".repeat(4000));
    for id in ["0", "042", "-1", "4.2", "abc", "u42", larger, "%20", "%ff", "%00", "42%2F", "..", &long] {
        shop.get(USER, &format!("/users/{id}")).await.problem(400, "malformed-id");
    }
}
