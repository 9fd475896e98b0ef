//! Bearer tokens: who may read a profile, and how those are turned away who may not.

use crate::support::{Mood, Response, World};
use host::rfc3339;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &str = "the secret that both sides share, in a test";
const RSA: &str = include_str!("keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
const EC: &str = include_str!("keys/ec.pem");
const EC_PUBLIC: &str = include_str!("keys/ec.pub.pem");

/// A gateway that wants tokens, and a good one of user 42.
pub(crate) fn guarded() -> (World, String) {
    let world = world("hs256", SECRET, &[]);
    let token = hs256(&claims(&world, json!({})));
    (world, token)
}

fn world(auth: &str, key: &str, settings: &[(&str, &str)]) -> World {
    let ours = [("GATEWAY_CACHE", "off"), ("GATEWAY_AUTH", auth), ("GATEWAY_AUTH_KEY", key)];
    World::start_with(&[&ours, settings].concat(), Mood::Good)
}

fn now(world: &World) -> u64 {
    world.gateway.unix_now().as_secs()
}

/// Claims of user 42, for a minute, with these over them.
fn claims(world: &World, over: Value) -> Value {
    let mut claims = json!({ "sub": "42", "exp": now(world) + 60 });
    let Value::Object(over) = over else { panic!("{over}") };
    claims.as_object_mut().unwrap().extend(over);
    claims
}

fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn hs256(claims: &Value) -> String {
    signed(Algorithm::HS256, &EncodingKey::from_secret(SECRET.as_bytes()), claims)
}

async fn with(world: &World, token: &str) -> Response {
    world.get_with("/api/profile/42", &[("authorization", &format!("Bearer {token}"))]).await
}

/// Asserts a 401 that says `what`, and counts for `reason`.
async fn is_refused(world: &World, token: &str, what: &str, reason: &str) {
    let series = format!("gateway_tokens_refused_total{{reason=\"{reason}\"}}");
    let before = world.metric(&series).await;
    let response = with(world, token).await;
    assert_eq!(
        (response.status.as_u16(), response.header("content-type")),
        (401, "application/problem+json"),
        "{token}"
    );
    assert_eq!(response.at("/type"), "urn:problem-type:gateway:unauthenticated");
    assert_eq!((response.at("/detail"), response.header("cache-control")), (what.into(), "no-store"));
    let challenge = format!("Bearer realm=\"gateway\", error=\"invalid_token\", error_description=\"{what}\"");
    assert_eq!(response.header("www-authenticate"), challenge);
    assert_eq!(world.metric(&series).await, before + 1.0, "{reason}");
    assert_eq!(world.user.calls(), 0, "{token}");
}

#[tokio::test(start_paused = true)]
async fn by_default_nobody_needs_a_token() {
    let world = World::start_with(&[("GATEWAY_CACHE", "off")], Mood::Good);
    let response = with(&world, "garbage").await;
    assert_eq!((response.status.as_u16(), response.header("vary")), (200, ""));
}

#[tokio::test(start_paused = true)]
async fn a_user_reads_their_own_profile_and_no_other() {
    let world = world("hs256", SECRET, &[]);
    let token = hs256(&claims(&world, json!({})));
    let own = with(&world, &token).await;
    assert_eq!((own.status.as_u16(), own.at("/user/id")), (200, "42".into()));
    assert!(own.headers.get_all("vary").iter().any(|value| value == "authorization"));
    let calls = world.user.calls();
    let bearer = format!("bearer {token}");
    let other = world.get_with("/api/profile/43", &[("authorization", &bearer)]).await;
    assert_eq!((other.status.as_u16(), other.header("content-type")), (403, "application/problem+json"));
    assert_eq!(other.at("/type"), "urn:problem-type:gateway:forbidden");
    assert_eq!(world.metric("gateway_tokens_refused_total{reason=\"other_user\"}").await, 1.0);
    assert_eq!(world.user.calls(), calls);
    let none = world.get_with("/api/profile/..%2f42", &[("authorization", &bearer)]).await;
    assert_eq!(none.status, 400);
    // Not even from the cache, and not by HEAD.
    let head = world.request(http::Method::HEAD, "/api/profile/43", &[("authorization", &bearer)]).await;
    assert_eq!(head.status, 403);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_challenge_tells_of_no_error() {
    let world = world("hs256", SECRET, &[]);
    let good = hs256(&claims(&world, json!({})));
    let basic = [("authorization", "Basic dTpw")];
    for headers in [&[][..], &basic, &[("authorization", good.as_str())]] {
        let response = world.get_with("/api/profile/42", headers).await;
        assert_eq!((response.status.as_u16(), response.header("www-authenticate")), (401, "Bearer realm=\"gateway\""));
    }
    assert_eq!(world.metric("gateway_tokens_refused_total{reason=\"missing\"}").await, 3.0);
    // Operators need none, and what isn't there is no secret.
    for (path, status) in [("/health", 200), ("/health/live", 200), ("/metrics", 200), ("/nothing", 404)] {
        assert_eq!(world.get(path).await.status, status, "{path}");
    }
    assert_eq!(world.post("/api/profile/42", Vec::new()).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn garbage_is_refused() {
    let world = world("hs256", SECRET, &[]);
    let good = hs256(&claims(&world, json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let headless = format!(".{}.{}", parts[1], parts[2]);
    let long = format!("{good}.{}", parts[2]);
    for garbage in ["x", "a.b.c", "..", "%%%.%%%.%%%", &headless, &long, &format!("{good} {good}")] {
        is_refused(&world, garbage, "it is no token", "malformed").await;
    }
    let two = [("authorization", format!("Bearer {good}")), ("authorization", format!("Bearer {good}"))];
    let two: Vec<_> = two.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.get_with("/api/profile/42", &two).await.status, 401);
    for lacking in [json!({ "sub": "42" }), json!({ "exp": now(&world) + 60 }), json!([1]), json!("42")] {
        is_refused(&world, &hs256(&lacking), "it is no token", "malformed").await;
    }
    for wrong in [json!({ "sub": 42 }), json!({ "exp": "soon" }), json!({ "nbf": "soon" }), json!({ "exp": null })] {
        is_refused(&world, &hs256(&claims(&world, wrong)), "it is no token", "malformed").await;
    }
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["b64".to_owned()]);
    let critical = encode(&header, &claims(&world, json!({})), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    is_refused(&world, &critical, "it is no token", "malformed").await;
}

#[tokio::test(start_paused = true)]
async fn times_are_those_of_the_host() {
    let world = world("hs256", SECRET, &[("GATEWAY_AUTH_LEEWAY", "2s")]);
    // The machine's clock says something else.
    assert!(rfc3339(world.gateway.unix_now()).starts_with("2026-01-01T00:00:0"));
    let at = |seconds: i64| now(&world).checked_add_signed(seconds).unwrap();
    let expired = hs256(&claims(&world, json!({ "exp": at(-2) })));
    is_refused(&world, &expired, "the token has expired", "expired").await;
    is_refused(
        &world,
        &hs256(&claims(&world, json!({ "exp": at(-2) as f64 - 0.5 }))),
        "the token has expired",
        "expired",
    )
    .await;
    let early = hs256(&claims(&world, json!({ "nbf": at(4) })));
    is_refused(&world, &early, "the token is not valid yet", "not_yet_valid").await;
    for fine in [json!({ "exp": at(0) }), json!({ "exp": at(0) as f64 + 0.5 }), json!({ "nbf": at(1) })] {
        assert_eq!(with(&world, &hs256(&claims(&world, fine.clone()))).await.status, 200, "{fine}");
    }
    // What was too early comes of age, and what was good ends.
    let good = hs256(&claims(&world, json!({})));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(with(&world, &early).await.status, 200);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(with(&world, &good).await.at("/detail"), "the token has expired");
}

#[tokio::test(start_paused = true)]
async fn issuer_and_audience_have_to_be_right_where_they_are_set() {
    let settings = [("GATEWAY_AUTH_ISSUER", "https://id.example"), ("GATEWAY_AUTH_AUDIENCE", "profiles")];
    let strict = world("hs256", SECRET, &settings);
    let token = |over: Value| hs256(&claims(&strict, over));
    for (over, what, reason) in [
        (json!({ "aud": "profiles" }), "the token is from another issuer", "issuer"),
        (json!({ "aud": "profiles", "iss": "https://evil.example" }), "the token is from another issuer", "issuer"),
        (json!({ "aud": "profiles", "iss": 7 }), "the token is from another issuer", "issuer"),
        (json!({ "iss": "https://id.example" }), "the token is for another audience", "audience"),
        (json!({ "iss": "https://id.example", "aud": "others" }), "the token is for another audience", "audience"),
        (json!({ "iss": "https://id.example", "aud": [] }), "the token is for another audience", "audience"),
    ] {
        is_refused(&strict, &token(over), what, reason).await;
    }
    for aud in [json!("profiles"), json!(["others", "profiles"])] {
        let good = token(json!({ "iss": "https://id.example", "aud": aud }));
        assert_eq!(with(&strict, &good).await.status, 200, "{aud}");
    }
    let plain = world("hs256", SECRET, &[]);
    is_refused(&plain, &token(json!({ "aud": "others" })), "the token is for another audience", "audience").await;
    assert_eq!(with(&plain, &token(json!({ "iss": "anybody" }))).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn public_keys_check_what_private_ones_signed() {
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    let ec = EncodingKey::from_ec_pem(EC.as_bytes()).unwrap();
    for (auth, public, algorithm, key) in
        [("rs256", RSA_PUBLIC, Algorithm::RS256, &rsa), ("es256", EC_PUBLIC, Algorithm::ES256, &ec)]
    {
        let world = world(auth, public, &[]);
        let good = signed(algorithm, key, &claims(&world, json!({})));
        let broken =
            format!("{}{}", &good[..good.len() - 6], if good.ends_with("AAAAAA") { "BBBBBB" } else { "AAAAAA" });
        is_refused(&world, &broken, "the token's signature is wrong", "signature").await;
        assert_eq!(with(&world, &good).await.status, 200, "{auth}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_does_not_choose_how_it_is_checked() {
    let (not_so, wrong) = ("the token is not signed as it has to be", "the token's signature is wrong");
    let world = world("rs256", RSA_PUBLIC, &[]);
    let claims = claims(&world, json!({}));
    // The public key, which everybody has, is no shared secret.
    for secret in [RSA_PUBLIC, RSA_PUBLIC.trim_end()] {
        let confused = signed(Algorithm::HS256, &EncodingKey::from_secret(secret.as_bytes()), &claims);
        is_refused(&world, &confused, not_so, "algorithm").await;
    }
    let rsa = EncodingKey::from_rsa_pem(RSA.as_bytes()).unwrap();
    is_refused(&world, &signed(Algorithm::RS512, &rsa, &claims), not_so, "algorithm").await;
    is_refused(&world, &signed(Algorithm::PS256, &rsa, &claims), not_so, "algorithm").await;
    // {"alg":"none","typ":"JWT"} and the like, unsigned and with a signature that was another's.
    let good = signed(Algorithm::RS256, &rsa, &claims);
    let (body, signature) = good.split_once('.').unwrap().1.split_once('.').unwrap();
    for none in ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", "eyJhbGciOiJOb05lIn0", "e30"] {
        is_refused(&world, &format!("{none}.{body}."), "it is no token", "malformed").await;
        is_refused(&world, &format!("{none}.{body}.{signature}"), "it is no token", "malformed").await;
    }
    let shared = self::world("hs256", SECRET, &[]);
    let other = signed(Algorithm::HS256, &EncodingKey::from_secret(b"another secret"), &claims);
    is_refused(&shared, &other, wrong, "signature").await;
    let unsigned = hs256(&claims);
    let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
    is_refused(&shared, unsigned, wrong, "signature").await;
    let longer = signed(Algorithm::HS512, &EncodingKey::from_secret(SECRET.as_bytes()), &claims);
    is_refused(&shared, &longer, not_so, "algorithm").await;
}
