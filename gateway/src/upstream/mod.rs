//! Calls to one service: one HTTP client, one timeout, one set of words for failures. A call never outlasts the request's
//! deadline. Which calls are made, and what their bodies mean, is [`services`]' part.
//!
//! Retries, breakers and bulkheads would wrap [`Upstream::call`]: it makes exactly one attempt.

mod base;
mod error;
pub(crate) mod services;

pub(crate) use base::{BaseUrl, Segment};
pub(crate) use error::CallError;

use crate::{
    edge::context::RequestContext,
    labels::{Code, Service},
    metrics::Metrics,
};
use bytes::Bytes;
use host::{
    Host,
    http::{Client, ClientConfig},
};
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::connect::capture_connection;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// One service.
pub(crate) struct Upstream {
    service: Service,
    base: BaseUrl,
    client: Client<Full<Bytes>>,
    timeout: Duration,
    body_limit: usize,
    metrics: Arc<Metrics>,
}

/// What is asked.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a [Segment],
    /// JSON.
    pub(crate) body: Option<Bytes>,
}

/// What a service answered: JSON, not looked at yet, or that there is no such thing.
pub(crate) enum Reply {
    Found(Bytes),
    NotFound,
}

impl Upstream {
    pub(crate) fn new(
        host: &Host,
        service: Service,
        base: BaseUrl,
        timeout: Duration,
        body_limit: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        // The services close idle connections after 30 s.
        let client = host::http::client(host, ClientConfig::default());
        Self { service, base, client, timeout, body_limit, metrics }
    }

    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// One attempt, within the service's timeout and the request's `deadline`, whichever ends first. `understand` turns
    /// the reply into what is wanted, and fails with the code that the call then has.
    pub(crate) async fn call<T>(
        &self,
        call: Call<'_>,
        context: &RequestContext,
        deadline: Instant,
        understand: impl FnOnce(Reply) -> Result<T, Code>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        self.metrics.call(self.service);
        let result = self.attempt(call, context, started, deadline).await.and_then(understand);
        let after = started.elapsed();
        self.metrics.called(self.service, after, result.as_ref().err().copied());
        result.map_err(|code| CallError { service: self.service, code, after })
    }

    async fn attempt(
        &self,
        call: Call<'_>,
        context: &RequestContext,
        started: Instant,
        deadline: Instant,
    ) -> Result<Reply, Code> {
        if deadline <= started {
            return Err(Code::DeadlineExceeded);
        }
        let mut request = self.request(call, context);
        let connection = capture_connection(&mut request);
        let own = started + self.timeout;
        match tokio::time::timeout_at(own.min(deadline), self.exchange(request)).await {
            Ok(result) => result,
            Err(_) if deadline < own => Err(Code::DeadlineExceeded),
            Err(_) if connection.connection_metadata().is_none() => Err(Code::ConnectTimeout),
            Err(_) => Err(Code::Timeout),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Code> {
        let response = self.client.request(request).await.map_err(|error| error::of_client(&error))?;
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
    fn request(&self, call: Call<'_>, context: &RequestContext) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(call.body.clone().unwrap_or_default()));
        *request.method_mut() = call.method;
        *request.uri_mut() = self.base.join(call.path);
        let headers = request.headers_mut();
        let json = HeaderValue::from_static("application/json");
        if call.body.is_some() {
            headers.insert(header::CONTENT_TYPE, json.clone());
        }
        headers.insert(header::ACCEPT, json);
        context.propagate(headers);
        request
    }

    /// Whether the service says that it is well, within `limit`. Not counted among the calls.
    pub(crate) async fn probe(&self, limit: Duration) -> bool {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.base.join(&[Segment::Fixed("health")]);
        let probe = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            Limited::new(response.into_body(), self.body_limit).collect().await.ok()?;
            Some(status == StatusCode::OK)
        };
        tokio::time::timeout(limit, probe).await.ok().flatten().unwrap_or(false)
    }
}
