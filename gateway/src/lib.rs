//! The API gateway (Backend for Frontend) that aggregates users, orders and products.
//!
//! [`run`] builds it from a [`Host`] and takes nothing elsewhere: the same code runs on TCP and in memory. It promises
//! its clients a response in time, whatever fails behind it: whole, partial and marked as such, or a problem with a
//! reason.
//!
//! The parts: `edge` is what a client meets, `profile` what it asks for, `upstream` the services behind, `cache`
//! what is kept of them, `health` what is known of all these, `openapi` what is said of it all.

mod base_url;
mod cache;
mod context;
mod described;
mod edge;
mod exposition;
mod health;
mod labels;
mod metrics;
mod openapi;
mod planted;
mod problem;
mod profile;
mod schema;
pub mod settings;
mod spans;
#[cfg(feature = "otlp")]
pub mod traces;
mod upstream;
mod user_id;

pub use openapi::json as openapi;
#[cfg(feature = "planted")]
pub use planted::mistakes;
pub use settings::Settings;

use cache::{Cache, Flights};
use context::Ids;
use edge::{admission::Admission, auth::Auth};
use health::Board;
use host::Host;
use labels::{Label as _, Service};
use metrics::Metrics;
use planted::Planted;
use profile::Upstreams;
use settings::Limits;
use std::{io, sync::Arc, time::Duration};

/// Writes to the cache that wait when the gateway stops have this long.
const FLUSH: Duration = Duration::from_secs(1);

/// Reasons why the gateway can't run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings can't be used.
    #[error(transparent)]
    Settings(#[from] settings::Invalid),
    /// Another program has the port.
    #[error("port {0} is taken by another program: stop that one, or choose another port with --port or PORT")]
    PortTaken(u16),
    /// The port can't be listened on.
    #[error("can't listen on port {port}: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// The machine's error.
        source: io::Error,
    },
    /// The host's registry has metrics of these names already: two gateways can't share a host.
    #[error("can't register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// All that a request needs.
struct App {
    host: Host,
    settings: Settings,
    limits: Limits,
    metrics: Arc<Metrics>,
    board: Arc<Board>,
    admission: Admission,
    /// `None` where no token is asked for.
    auth: Option<Auth>,
    ids: Arc<Ids>,
    upstreams: Upstreams,
    cache: Cache,
    flights: Flights<Arc<profile::FlightResult>>,
    planted: Planted,
}

impl App {
    fn start(host: &Host, settings: Settings) -> Result<Self, Error> {
        let limits = Limits::new(&settings, host.memory_limit());
        let metrics = Arc::new(Metrics::register(host.metrics())?);
        let board = Arc::new(Board::new());
        let planted = Planted::of(&settings);
        let upstreams = Upstreams::new(host, &settings, &metrics, &planted);
        let cache = Cache::start(host, &settings, (limits.cache_bytes, &planted), &metrics, &board);
        let admission = Admission::new(&settings.edge, limits.requests);
        let auth = Auth::new(&settings.auth)?;
        let ids = Arc::new(Ids::new(host));
        let (host, flights) = (host.clone(), Flights::new());
        Ok(Self { host, settings, limits, metrics, board, admission, auth, ids, upstreams, cache, flights, planted })
    }
}

/// Runs the gateway until the host's shutdown signal, and then until what is under way has ended.
///
/// # Errors
/// Where it can't start: settings that can't be used, or a port that is taken.
pub async fn run(host: Host) -> Result<(), Error> {
    let settings = Settings::from_map(host.settings())?;
    let port = settings.port;
    let listener = host.listen(port).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Listen { port, source },
    })?;
    let app = Arc::new(App::start(&host, settings)?);
    let server = edge::server(&app);
    let probes: Vec<_> =
        Service::ALL.iter().map(|service| host.spawn(health::probe(Arc::clone(&app), *service))).collect();
    if let Some(memory_limit) = host.memory_limit() {
        let Limits { connections, requests, cache_bytes } = app.limits;
        tracing::info!(memory_limit, connections, requests, cache_bytes, "gateway: limits");
    }
    app.board.set_ready(true);
    tracing::info!(port = listener.port(), "gateway: listening");
    let draining = Arc::clone(&app);
    let signal = host.clone();
    let watch = host.spawn(async move {
        signal.shutdown().cancelled().await;
        draining.board.set_ready(false);
    });
    host::http::serve(&host, listener, edge::router(Arc::clone(&app)), server).await;
    app.cache.close(FLUSH).await;
    probes.iter().for_each(host::Task::abort);
    watch.abort();
    tracing::info!("gateway: stopped");
    Ok(())
}
