//! Calls to one service: one HTTP client, one timeout, one set of words for failures. A call never outlasts the request's
//! deadline. Which calls are made, and what their bodies mean, is [`services`]' part.
//!
//! The way of a call: the breaker lets it through ([`breaker`]), there is a place in the bulkhead ([`bulkhead`]), and only
//! then is anything sent. What either turns away costs the service nothing, and says nothing about how long it takes.

mod base;
mod breaker;
mod bulkhead;
mod error;
pub(crate) mod services;

pub(crate) use base::{BaseUrl, Segment};
pub(crate) use error::CallError;

use crate::{
    edge::context::RequestContext,
    labels::{Circuit, Code, Service},
    metrics::Metrics,
    settings::UpstreamSettings,
};
use breaker::{Breaker, Permit};
use bulkhead::Bulkhead;
use bytes::Bytes;
use error::Blame;
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
    target: Target,
    client: Client<Full<Bytes>>,
    /// `None` where the settings want none.
    breaker: Option<Breaker>,
    bulkhead: Bulkhead,
    metrics: Arc<Metrics>,
}

/// What is called, and how much of its time and its answer is taken.
pub(crate) struct Target {
    pub(crate) service: Service,
    pub(crate) base: BaseUrl,
    pub(crate) timeout: Duration,
    pub(crate) body_limit: usize,
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
    pub(crate) fn new(host: &Host, target: Target, settings: &UpstreamSettings, metrics: Arc<Metrics>) -> Self {
        // The services close idle connections after 30 s.
        let client = host::http::client(host, ClientConfig::default());
        let breaker = settings.breaker.then(|| {
            let config = breaker_config(settings, target.timeout);
            Breaker::start(host, target.service, config, Arc::clone(&metrics))
        });
        Self { target, client, breaker, bulkhead: Bulkhead::new(settings.bulkhead), metrics }
    }

    pub(crate) fn service(&self) -> Service {
        self.target.service
    }

    /// The state of its circuit; `None` where it has no breaker.
    pub(crate) fn circuit(&self) -> Option<Circuit> {
        self.breaker.as_ref().map(Breaker::state)
    }

    /// One call, within the service's timeout and the request's `deadline`, whichever ends first. `understand` turns
    /// the reply into what is wanted, and fails with the code that the call then has.
    pub(crate) async fn call<T>(
        &self,
        call: Call<'_>,
        context: &RequestContext,
        deadline: Instant,
        understand: impl Fn(Reply) -> Result<T, Code>,
    ) -> Result<T, CallError> {
        let started = Instant::now();
        let mut attempts = 0;
        let result = self.attempt(&call, context, deadline, &mut attempts, &understand).await;
        result.map_err(|code| {
            self.metrics.service_error(self.target.service, code);
            CallError { service: self.target.service, code, attempts, after: started.elapsed() }
        })
    }

    /// One attempt; `attempts` grows where something is sent.
    async fn attempt<T>(
        &self,
        call: &Call<'_>,
        context: &RequestContext,
        deadline: Instant,
        attempts: &mut u32,
        understand: impl Fn(Reply) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let started = Instant::now();
        if deadline <= started {
            return Err(Code::DeadlineExceeded);
        }
        let permit = match &self.breaker {
            Some(breaker) => Some(breaker.enter().ok_or(Code::CircuitOpen)?),
            None => None,
        };
        let _place = self.bulkhead.enter().ok_or(Code::BulkheadFull)?;
        *attempts += 1;
        self.metrics.call(self.target.service);
        let active = self.metrics.upstream().active(self.target.service);
        let result = self.send(call, context, started, deadline).await.and_then(understand);
        drop(active);
        self.metrics.call_ended(self.target.service, started.elapsed());
        if let Some(permit) = permit {
            tell(permit, result.as_ref().err().copied());
        }
        result
    }

    async fn send(
        &self,
        call: &Call<'_>,
        context: &RequestContext,
        started: Instant,
        deadline: Instant,
    ) -> Result<Reply, Code> {
        let mut request = self.request(call, context);
        let connection = capture_connection(&mut request);
        let own = started + self.target.timeout;
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
        match Limited::new(response.into_body(), self.target.body_limit).collect().await {
            Ok(body) => Ok(Reply::Found(body.to_bytes())),
            Err(error) if error.is::<LengthLimitError>() => Err(Code::BodyTooLarge),
            Err(error) => Err(error::of_transfer(error.as_ref())),
        }
    }

    /// Only these headers go upstream.
    fn request(&self, call: &Call<'_>, context: &RequestContext) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(call.body.clone().unwrap_or_default()));
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = self.target.base.join(call.path);
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
        *request.uri_mut() = self.target.base.join(&[Segment::Fixed("health")]);
        let probe = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            Limited::new(response.into_body(), self.target.body_limit).collect().await.ok()?;
            Some(status == StatusCode::OK)
        };
        tokio::time::timeout(limit, probe).await.ok().flatten().unwrap_or(false)
    }
}

fn breaker_config(settings: &UpstreamSettings, timeout: Duration) -> breaker::Config {
    breaker::Config {
        limits: breaker::Limits {
            calls: settings.breaker_calls,
            age: settings.breaker_age,
            minimum: settings.breaker_minimum,
            failures_percent: settings.breaker_failures.into(),
            slow_percent: settings.breaker_slow_calls.into(),
        },
        slow_after: timeout.mul_f64(f64::from(settings.breaker_slow_after) / 100.0),
        open: settings.breaker_open,
    }
}

/// Tells the breaker how the call went. One that the gateway itself cut short says nothing, unless it was slow.
fn tell(permit: Permit<'_>, failed_with: Option<Code>) {
    match failed_with.map(error::blame) {
        Some(Blame::Service) => permit.end(true),
        None | Some(Blame::Request) => permit.end(false),
        Some(Blame::Gateway) => drop(permit),
    }
}
