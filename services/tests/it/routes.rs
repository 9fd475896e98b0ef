use crate::common::{ORDER, PRODUCT, Shop, USER};
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

#[tokio::test(start_paused = true)]
async fn every_service_tells_its_health() {
    let shop = Shop::open().await;
    for (port, name) in [(USER, "user"), (ORDER, "order"), (PRODUCT, "product")] {
        let health = shop.get(port, "/health").await.ok();
        assert_eq!(health["status"], "ok");
        assert_eq!(health["service"], name);
        assert_eq!(health["data_seed"], 42);
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_route_takes_is_a_404_of_its_own_kind() {
    let shop = Shop::open().await;
    for path in ["/", "/users", "/users/", "/users/1/", "/users/1/2", "//users/1", "/Users/1", "/orders/user/1", "/%ff"]
    {
        shop.get(USER, path).await.problem(404, "no-such-route");
    }
}

#[tokio::test(start_paused = true)]
async fn other_methods_are_405_and_say_which_are_allowed() {
    let shop = Shop::open().await;
    for (port, path, allowed) in [
        (USER, "/users/1", "GET,HEAD"),
        (ORDER, "/orders/user/1", "GET,HEAD"),
        (PRODUCT, "/products/p1", "GET,HEAD"),
        (USER, "/health", "GET,HEAD"),
        (USER, "/metrics", "GET,HEAD"),
    ] {
        for method in [Method::DELETE, Method::POST, Method::PUT, Method::from_bytes(b"BREW").unwrap()] {
            let response = shop.request(port, method, path).await;
            response.problem(405, "method-not-allowed");
            assert_eq!(response.header("allow"), Some(allowed), "{path}");
        }
    }
    let response = shop.get(PRODUCT, "/products/batch").await;
    response.problem(405, "method-not-allowed");
    assert_eq!(response.header("allow"), Some("POST"));
}

#[tokio::test(start_paused = true)]
async fn head_is_get_without_a_body() {
    let shop = Shop::open().await;
    let response = shop.request(USER, Method::HEAD, "/users/1").await;
    assert_eq!(response.status, 200);
    assert!(response.body.is_empty());
    assert_eq!(shop.request(USER, Method::HEAD, "/users/0").await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_valid_request_id_comes_back_and_another_is_replaced() {
    let shop = Shop::open().await;
    let send = async |id: &str, path: &str| {
        let request = Request::get(path).header("x-request-id", id).body(Full::<Bytes>::default()).unwrap();
        shop.send(USER, request).await.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(send("7f2c-abc", "/users/1").await, "7f2c-abc");
    assert_eq!(send("7f2c-abc", "/nowhere").await, "7f2c-abc");
    let replaced = send("<script>", "/users/1").await;
    assert_eq!(replaced.len(), 32);
    assert_ne!(send("<script>", "/users/1").await, replaced, "made ids are unique");
}

#[test]
fn no_path_gets_a_server_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let shop = runtime.block_on(Shop::open());
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(512) });
    let path =
        r"/(users|products|orders/user)/([0-9]{1,12}|p[0-9]{1,12}|(%[0-9a-fA-F]{2}|[a-z.~:@!$&'()*+,;=-]){0,12})";
    let cases = (prop::sample::select(vec![USER, ORDER, PRODUCT]), path);
    let result = runner.run(&cases, |(port, path)| {
        let response = runtime.block_on(shop.get(port, &path));
        prop_assert!([200, 400, 404, 405, 410].contains(&response.status.as_u16()), "{:?}", response);
        prop_assert!(response.json().is_object() || response.json().is_array());
        Ok(())
    });
    result.unwrap();
}
