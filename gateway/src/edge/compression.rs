//! Responses made smaller for clients that ask for it (`Accept-Encoding`): brotli or gzip.
//!
//! The tag of a response is weak, and so the same for every coding of it: a 304 is right whatever coding the client has.

use crate::{context::RequestContext, problem::Problem, settings::EdgeSettings};
use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, StatusCode, header};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionBody, CompressionLayer, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
};

/// The level of brotli and gzip alike.
// Level 4 needs three times as long for a fifth fewer bytes (28 kB of profile: 300 µs and 4.7 kB against 106 µs and
// 5.8 kB). Even so it is dear beside the rest of a cached response, some 20 µs, and a usual profile (1 to 2 kB) would be
// made smaller by less than a packet: so the settings leave short responses as they are.
const LEVEL: CompressionLevel = CompressionLevel::Precise(1);

/// The layer, which needs [`slim`] and [`finish`] around it; `None` where the settings want none.
pub(super) fn layer(settings: &EdgeSettings) -> Option<CompressionLayer<impl Predicate + use<>>> {
    let large = SizeAbove::new(settings.compress_above as u64);
    let worth = large.and(NotForContentType::IMAGES).and(NotForContentType::SSE);
    settings.compress.then(|| CompressionLayer::new().quality(LEVEL).compress_when(worth))
}

/// Most responses are left as they are: these go on without the room that the layer keeps for its coders, which is some
/// six kilobytes to be moved and kept.
pub(super) fn slim(response: Response<CompressionBody<Body>>) -> Response {
    if response.headers().contains_key(header::CONTENT_ENCODING) {
        response.map(Body::new)
    } else {
        response.map(CompressionBody::into_inner)
    }
}

/// Finishes what the compression layer leaves to do: a 304 says what its 200 would vary by (RFC 9110, 15.4.5), and a
/// body that can't be had in any coding that the client takes is a problem like all others.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let chooses = request.headers().contains_key(header::ACCEPT_ENCODING);
    let context = request.extensions().get::<RequestContext>().filter(|_| chooses).cloned();
    let mut response = next.run(request).await;
    match (response.status(), context) {
        (StatusCode::NOT_MODIFIED, _) => vary(response.headers_mut()),
        (StatusCode::NOT_ACCEPTABLE, Some(context)) => {
            response = Problem::NotAcceptable.response(&context, None, &[]);
            vary(response.headers_mut());
        }
        _ => {}
    }
    response
}

fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, header::ACCEPT_ENCODING.into());
}
