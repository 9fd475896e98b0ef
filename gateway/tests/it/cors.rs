//! Web pages of other origins.

use crate::support::{Mood, World};
use http::Method;

const PATH: &str = "/api/profile/42";
const APP: (&str, &str) = ("origin", "https://app.example");

fn world(settings: &[(&str, &str)]) -> World {
    World::start_with(&[&[("GATEWAY_CACHE", "off")], settings].concat(), Mood::Good)
}

#[tokio::test(start_paused = true)]
async fn by_default_no_page_of_another_origin_reads_anything() {
    let world = world(&[]);
    let response = world.get_with(PATH, &[APP]).await;
    assert_eq!((response.status.as_u16(), response.header("access-control-allow-origin")), (200, ""));
    assert_eq!(world.request(Method::OPTIONS, PATH, &[APP]).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn listed_origins_read_responses_and_problems_and_others_dont() {
    let world = world(&[
        ("GATEWAY_CORS_ORIGINS", "https://app.example, https://other.example"),
        ("GATEWAY_CLIENT_RATE", "1"),
        ("GATEWAY_CLIENT_BURST", "2"),
    ]);
    let exposed = |response: &crate::support::Response| response.header("access-control-expose-headers").to_owned();
    let good = world.get_with(PATH, &[APP]).await;
    assert_eq!((good.status.as_u16(), good.header("access-control-allow-origin")), (200, APP.1));
    let varies: Vec<_> = good.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(varies.join(",").contains("origin"), "{varies:?}");
    for header in ["etag", "x-request-id", "x-gateway-complete", "cache-status"] {
        assert!(exposed(&good).contains(header), "{header} in {}", exposed(&good));
    }
    let other = world.get_with("/nothing", &[("origin", "https://evil.example")]).await;
    assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (404, ""));
    // What is turned away before anything else can be read too.
    let limited = world.get_with(PATH, &[APP]).await;
    assert_eq!((limited.status.as_u16(), limited.header("access-control-allow-origin")), (429, APP.1));
    assert!(exposed(&limited).contains("retry-after"));
    assert_eq!(limited.header("access-control-allow-credentials"), "");
}

#[tokio::test(start_paused = true)]
async fn a_preflight_is_answered_and_counted_and_reaches_no_service() {
    let world = world(&[("GATEWAY_CORS_ORIGINS", "https://app.example"), ("GATEWAY_CORS_MAX_AGE", "1h")]);
    let asks = [APP, ("access-control-request-method", "GET"), ("access-control-request-headers", "authorization")];
    let preflight = world.request(Method::OPTIONS, PATH, &asks).await;
    assert_eq!((preflight.status.as_u16(), preflight.text.as_str()), (200, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), APP.1);
    assert_eq!(preflight.header("access-control-allow-methods"), "GET,HEAD");
    assert!(preflight.header("access-control-allow-headers").contains("authorization"));
    assert_eq!(preflight.header("access-control-max-age"), "3600");
    assert_eq!(preflight.header("x-request-id").len(), 32);
    assert_eq!(world.metric("http_requests_total{method=\"OPTIONS\",status=\"200\"}").await, 1.0);
    assert_eq!(world.user.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn any_origin_may_be_allowed() {
    let world = world(&[("GATEWAY_CORS_ORIGINS", "*")]);
    assert_eq!(world.get_with(PATH, &[APP]).await.header("access-control-allow-origin"), "*");
}
