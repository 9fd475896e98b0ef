//! Notes over HTTP: read from the store, written there when they are asked for first. Where the store doesn't answer as
//! it should, a request is turned away.

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::get,
};
use chaos_cli::ProgramError;
use host::{Host, http};
use std::{io, sync::Arc, time::Duration};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

/// The time for which the store is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

struct Notes {
    host: Host,
    store: (String, u16),
}

pub(crate) async fn run(host: Host) -> Result<(), ProgramError> {
    let port = host.settings().get("PORT").unwrap_or("80").parse()?;
    let store = host.settings().get("STORE").ok_or("STORE is not set")?;
    let (name, at) = store.rsplit_once(':').ok_or("STORE is no address, as memo:7070")?;
    let notes = Notes { host: host.clone(), store: (name.to_owned(), at.parse()?) };
    let app = Router::new().route("/notes/{n}", get(note)).with_state(Arc::new(notes));
    http::serve(&host, host.listen(port)?, app, http::ServerConfig::default()).await;
    Ok(())
}

async fn note(State(notes): State<Arc<Notes>>, Path(n): Path<u64>) -> Result<String, StatusCode> {
    let read = tokio::time::timeout(PATIENCE, notes.read(n));
    read.await.ok().and_then(Result::ok).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

impl Notes {
    async fn read(&self, n: u64) -> io::Result<String> {
        let (name, port) = &self.store;
        let mut store = BufReader::new(self.host.dial(name, *port).await?);
        let mut ask = async |command: String| {
            store.write_all(format!("{command}\n").as_bytes()).await?;
            let mut reply = String::new();
            store.read_line(&mut reply).await?;
            // A reply that was cut off is none.
            reply.strip_suffix('\n').map(str::to_owned).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
        };
        let reply = ask(format!("GET note:{n}")).await?;
        match reply.strip_prefix("VALUE ") {
            Some(text) => Ok(text.to_owned()),
            None => {
                let text = format!("this is note {n}");
                ask(format!("SET note:{n} {text}")).await.map(|_| text)
            }
        }
    }
}
