//! One exchange with a service over HTTP: the request, and the response as far as HTTP goes.

use super::{
    Call, Reply,
    error::{self, Failed},
};
use crate::{
    base_url::{BaseUrl, Segment},
    context::RequestContext,
    labels::Code,
};
use bytes::Bytes;
use host::{
    Host,
    http::{Client, ClientConfig, Reuse},
};
use http::{Extensions, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use std::time::Duration;
use tokio::time::Instant;

/// Tells a service how many milliseconds its response is waited for: what takes longer needn't be done.
const X_REQUEST_TIMEOUT_MS: HeaderName = HeaderName::from_static("x-request-timeout-ms");

/// Until when a call may take.
#[derive(Clone, Copy)]
pub(super) struct Until {
    /// The end of the call's own time, retry included.
    pub(super) own: Instant,
    /// The end of the request's.
    pub(super) deadline: Instant,
}

impl Until {
    /// Whichever comes first.
    pub(super) fn end(self) -> Instant {
        self.own.min(self.deadline)
    }
}

/// The way to one service.
pub(super) struct Wire {
    client: Client<Full<Bytes>>,
    /// Keeps no connections: each request has one of its own.
    fresh: Client<Full<Bytes>>,
    base: BaseUrl,
    body_limit: usize,
}

impl Wire {
    pub(super) fn new(host: &Host, base: BaseUrl, body_limit: usize) -> Self {
        // The services close idle connections after 30 s.
        let client = host::http::client(host, ClientConfig::default());
        let fresh = host::http::client(host, ClientConfig { max_idle: 0, ..ClientConfig::default() });
        Self { client, fresh, base, body_limit }
    }

    /// Sends `call` and waits for the whole response; `again` is what the attempt before failed with. After a reset it
    /// goes over a connection of its own: what broke one that was kept may have broken them all.
    pub(super) async fn send(
        &self,
        call: &Call,
        context: &RequestContext,
        again: Option<Code>,
        started: Instant,
        until: Until,
    ) -> Result<Reply, Failed> {
        // The pool hands out the next kept connection, which whatever broke the first may have broken too.
        let client = if again == Some(Code::Reset) { &self.fresh } else { &self.client };
        let mut request = self.request(call, context);
        let left = until.end().duration_since(started).as_millis();
        request.headers_mut().insert(X_REQUEST_TIMEOUT_MS, HeaderValue::from(u64::try_from(left).unwrap_or(u64::MAX)));
        let connection = capture_connection(&mut request);
        let mut on_reused_connection = false;
        let exchange = self.exchange(client, request, &connection, &mut on_reused_connection);
        let result = tokio::time::timeout_at(until.end(), exchange).await.unwrap_or_else(|_| {
            Err(if until.deadline < until.own {
                Code::DeadlineExceeded
            } else if connection.connection_metadata().is_none() {
                Code::ConnectTimeout
            } else {
                Code::Timeout
            })
        });
        result.map_err(|code| Failed { code, on_reused_connection, took: started.elapsed() })
    }

    async fn exchange(
        &self,
        client: &Client<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        connection: &CaptureConnection,
        broke_on_reused: &mut bool,
    ) -> Result<Reply, Code> {
        let response = match client.request(request).await {
            Ok(response) => response,
            Err(error) => {
                let code = error::of_client(&error);
                *broke_on_reused = code == Code::Reset && reuse(connection).is_some_and(|reuse| reuse.has_answered());
                return Err(code);
            }
        };
        if let Some(reuse) = reuse(connection) {
            reuse.answered();
        }
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Reply::NotFound),
            status if status.is_client_error() => return Err(Code::Status4xx),
            status if status.is_server_error() => return Err(Code::Status5xx),
            // Redirects aren't followed, and no endpoint has any other success.
            _ => return Err(Code::BadPayload),
        }
        match Limited::new(response.into_body(), self.body_limit).collect().await {
            Ok(body) => Ok(Reply::Found(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(Code::BodyTooLarge),
            Err(error) => Err(error::of_transfer(error.as_ref())),
        }
    }

    /// Only these headers go upstream.
    fn request(&self, call: &Call, context: &RequestContext) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(call.body.clone().unwrap_or_default()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.base.join(&call.path);
        let headers = request.headers_mut();
        let json = HeaderValue::from_static("application/json");
        if call.body.is_some() {
            headers.insert(header::CONTENT_TYPE, json.clone());
        }
        headers.insert(header::ACCEPT, json);
        context.propagate(headers);
        request
    }

    /// Asks the service if it is well, within `limit`.
    pub(super) async fn is_well(&self, limit: Duration) -> bool {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.base.join(&[Segment::Fixed("health")]);
        let asked = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            Limited::new(response.into_body(), self.body_limit).collect().await.ok()?;
            Some(status == StatusCode::OK)
        };
        tokio::time::timeout(limit, asked).await.ok().flatten().unwrap_or(false)
    }
}

/// The reuse of the connection that a request went out on, as far as it is known.
fn reuse(connection: &CaptureConnection) -> Option<Reuse> {
    let mut extras = Extensions::new();
    connection.connection_metadata().as_ref()?.get_extras(&mut extras);
    extras.remove()
}
