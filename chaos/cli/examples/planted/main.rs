//! A `chaos` command with other programs: a shop that shows prices, with a planted bug, and the price service behind it.
//! Tests look for each bug by `--seeds`.
//!
//! The bug is the shop's setting `BUG`. Each is one of those that only a certain order of events brings about: `lock`
//! (one is held across a call), `ttl` (reading starts it again), `fallback` (there is a way into it that has no way
//! back). Without a bug the shop does what it promises.

mod shop;

use chaos_cli::{Bundle, Program};
use host::{Host, http};
use std::process::ExitCode;

const PROGRAMS: &[Program] = &[
    Program { name: "shop", run: |host| Box::pin(shop::run(host)) },
    Program { name: "prices", run: |host| Box::pin(prices(host)) },
];

fn main() -> ExitCode {
    chaos_cli::main(Bundle { programs: PROGRAMS, ..Bundle::NONE })
}

/// A price is the number of the item.
async fn prices(host: Host) -> Result<(), chaos_cli::ProgramError> {
    use axum::{Json, Router, extract::Path, routing::get};
    let app = Router::new().route("/{item}", get(async |Path(item): Path<u64>| Json(item)));
    http::serve(&host, host.listen(80)?, app, http::ServerConfig::default()).await;
    Ok(())
}
