//! The simulated world: every program of a system, its proxies, its load and its scrapes in one thread, on a network in
//! memory and a virtual clock. Nothing waits for real, and the same seed gives the same events, byte for byte.
//!
//! What runs here is what runs elsewhere: programs are functions of a [`host::Host`], the proxies and the interpreter of
//! faults are those of the real worlds. The simulation counts in whole milliseconds.
//!
//! # A scenario in a test
//!
//! A service that knows nothing of this crate but the seam: it takes its network, its tasks and its settings from a
//! [`host::Host`]. Here it asks a stock service on each request, and answers without stock where that fails.
//!
//! ```
//! use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
//! use bytes::Bytes;
//! use host::{Host, http};
//! use http_body_util::{BodyExt as _, Empty};
//! use serde_json::{Value, json};
//! use std::time::Duration;
//!
//! type Client = http::Client<Empty<Bytes>>;
//!
//! /// The service that a team owns.
//! async fn shop(host: Host) -> chaos_sim::Outcome {
//!     let port = host.settings().get("PORT").unwrap_or("80").parse()?;
//!     let stock = host.settings().get("STOCK").ok_or("STOCK is not set")?.to_owned();
//!     let patience = host.settings().get("PATIENCE_MS").unwrap_or("50").parse()?;
//!     let patience = Duration::from_millis(patience);
//!     let client: Client = http::client(&host, http::ClientConfig::default());
//!     let app = Router::new().route("/items/{id}", get(item)).with_state((client, stock, patience));
//!     http::serve(&host, host.listen(port)?, app, http::ServerConfig::default()).await;
//!     Ok(())
//! }
//!
//! async fn item(State((client, stock, patience)): State<(Client, String, Duration)>) -> Json<Value> {
//!     let asked = async {
//!         let response = client.get(format!("http://{stock}/").parse().ok()?).await.ok()?;
//!         let body = response.into_body().collect().await.ok()?.to_bytes();
//!         serde_json::from_slice::<Value>(&body).ok()
//!     };
//!     let stock = tokio::time::timeout(patience, asked).await.ok().flatten();
//!     Json(json!({ "name": "a lamp", "partial": stock.is_none(), "stock": stock }))
//! }
//!
//! /// A service of somebody else's, as far as this test needs it.
//! async fn stock(host: Host) -> chaos_sim::Outcome {
//!     let app = Router::new().route("/", get(async || Json(json!(7))));
//!     http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
//!     Ok(())
//! }
//!
//! const SCENARIO: &str = r#"
//! title = "The stock service hangs, and items are shown all the same"
//! entry = "shop"
//! service.stock.program = "stock"
//! service.shop.program = "shop"
//! service.shop.env.STOCK = "{stock}"
//! responses.partial.body."$.partial" = "== true"
//! load.request = "GET /items/1"
//! load.rate = "50/s"
//! load.duration = "8s"
//!
//! [[fault]]
//! name = "silence"
//! on = "shop -> stock"
//! effect = "hang"
//! at = "2s"
//! for = "3s"
//!
//! [[expect]]
//! that = "items are shown without stock"
//! during = "silence"
//! status.200 = ">= 100%"
//! partial = ">= 95%"
//! latency.p99 = "< 100ms"
//!
//! [[expect]]
//! that = "stock is there again"
//! after = "silence"
//! within = "1s"
//! partial = "== 0%"
//! "#;
//!
//! # fn main() -> Result<(), chaos_sim::Error> {
//! let simulation = chaos_sim::Simulation::new().seed(7).program("shop", shop).program("stock", stock);
//! // Eight seconds of traffic and an outage, in some milliseconds.
//! simulation.run_text("stock_hangs.toml", SCENARIO)?.assert_passed();
//! // The timeout is what makes it so: with ten seconds of patience, nobody is answered in time.
//! let patient = simulation.set("service.shop.env.PATIENCE_MS", "10000");
//! patient.run_text("stock_hangs.toml", SCENARIO)?.assert_failed(&["items are shown without stock"]);
//! # Ok(()) }
//! ```
//!
//! Whoever keeps scenarios in files uses [`Simulation::run_file`]; the same files run in other worlds by `chaos run`. A
//! [`Draft`] builds them in code.
//!
//! # A network without a scenario
//!
//! [`block_on`] and [`host::memory::MemoryNetwork`] alone give a virtual clock and services on a network that can be
//! slow, cut or unplugged. Here a client is cut off in the middle of an exchange, and hears the response when the cut
//! is over.
//!
//! ```
//! use host::memory::{Conditions, MemoryNetwork};
//! use std::time::Duration;
//! use tokio::{io::{AsyncReadExt as _, AsyncWriteExt as _}, time::Instant};
//!
//! # fn main() -> std::io::Result<()> {
//! chaos_sim::block_on(async {
//!     let network = MemoryNetwork::new(7);
//!     let (server, client) = (network.host("server"), network.host("client"));
//!     network.set_both("client", "server", Conditions { latency: Duration::from_millis(20), ..Conditions::default() });
//!     let mut listener = server.listen(7)?;
//!     let _echo = server.spawn(async move {
//!         let (mut stream, mut word) = (listener.accept().await?, [0; 5]);
//!         stream.read_exact(&mut word).await?;
//!         stream.write_all(&word).await
//!     });
//!
//!     let mut stream = client.dial("server", 7).await?;
//!     let asked = Instant::now();
//!     stream.write_all(b"hello").await?;
//!     network.set_both("client", "server", Conditions { cut: true, ..Conditions::default() });
//!     tokio::time::sleep(Duration::from_secs(1)).await;
//!     network.set_both("client", "server", Conditions::default());
//!     let mut word = [0; 5];
//!     stream.read_exact(&mut word).await?;
//!     assert_eq!(&word, b"hello");
//!     // "hello" had left before the cut. The response, lost 20 ms later, was sent again after 200, 600 and 1400 ms,
//!     // as TCP does.
//!     assert_eq!(asked.elapsed(), Duration::from_millis(1420));
//!     Ok(())
//! })?
//! # }
//! ```
//!
//! What is deliberately absent: programs that are processes (a simulation has only functions), and time that passes
//! while code computes: it takes none.

mod draft;
mod logs;
mod programs;
mod running_service;
mod runtime;
mod simulation;
mod trace;
mod world;

pub use chaos_model::{Record, Scenario, Verdict};
pub use chaos_run::Options;
pub use draft::Draft;
pub use host;
pub use logs::Logs;
pub use programs::{Outcome, ProgramError, Programs};
pub use runtime::block_on;
pub use simulation::{Error, Run, Simulation, Wanted, simulate};
pub use trace::Tracer;
pub use world::{SimRuntime, SimWorld};
