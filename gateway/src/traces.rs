//! Sends spans to a collector by OTLP over HTTP (protobuf). `main` alone starts it; requests never wait for it: finished
//! spans go into a bounded queue, a thread of its own sends them in batches, and what has no room is dropped and
//! counted in the log.

use crate::{Settings, base_url::BaseUrl, spans};
use bytes::Bytes;
use host::{
    Host, Task,
    http::{Client, ClientConfig},
};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use std::{fmt, time::Duration};
use tokio::runtime::Handle;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// Finished spans that wait; more are dropped.
const QUEUE: usize = 4096;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// The time for which spans wait for company.
const DELAY: Duration = Duration::from_secs(1);
/// A collector that needs longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time that spans in the queue have when the gateway stops.
const FLUSH: Duration = Duration::from_secs(1);
/// Bytes of a collector's response that are read.
const ANSWER_LIMIT: usize = 64 << 10;

/// The way of spans to the collector.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts to send, if the settings name a collector: it is fine if there is none yet. Call it within a runtime.
    ///
    /// # Errors
    /// Where the exporter can't be made of the settings.
    pub fn start(host: &Host, settings: &Settings) -> Result<Option<Self>, ExporterBuildError> {
        let Some(endpoint) = &settings.traces.otlp_endpoint else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(OverHost::new(host))
            .with_endpoint(url(endpoint))
            .with_timeout(PATIENCE)
            .build()?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let sampler = Sampler::TraceIdRatioBased(f64::from(settings.traces.otlp_sample) / 100.0);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(config).build())
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(Resource::builder_empty().with_service_name(host.name().to_owned()).build())
            .build();
        Ok(Some(Self { provider }))
    }

    /// Records the gateway's spans, and nothing else.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: tracing::Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    {
        let tracer = self.provider.tracer("gateway");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(spans::TARGET, tracing::Level::TRACE))
    }

    /// Sends what is left, as far as a second reaches.
    pub fn stop(&self) {
        // What failed is in the log.
        let _ = self.provider.shutdown_with_timeout(FLUSH);
    }
}

fn url(endpoint: &BaseUrl) -> String {
    format!("{endpoint}/v1/traces")
}

/// Sends through the host's network, on its runtime: the exporter's thread has none.
struct OverHost {
    host: Host,
    client: Client<Full<Bytes>>,
    runtime: Handle,
}

impl OverHost {
    fn new(host: &Host) -> Self {
        let client = host::http::client(host, ClientConfig { max_idle: 1, ..ClientConfig::default() });
        Self { host: host.clone(), client, runtime: Handle::current() }
    }

    fn start(&self, request: Request<Bytes>) -> Task<Result<Response<Bytes>, HttpError>> {
        let _runtime = self.runtime.enter();
        let client = self.client.clone();
        self.host.spawn(async move {
            let exchange = async {
                let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, ANSWER_LIMIT).collect().await?.to_bytes();
                Ok(Response::from_parts(head, body))
            };
            tokio::time::timeout(PATIENCE, exchange).await?
        })
    }
}

impl fmt::Debug for OverHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverHost")
    }
}

#[async_trait::async_trait]
impl HttpClient for OverHost {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.start(request).await?
    }
}
