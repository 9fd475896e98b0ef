//! Finds out how a service does, from time to time.

use super::Board;
use crate::{App, labels::Service, upstream::Upstream};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A service that needs longer counts as down.
const PATIENCE: Duration = Duration::from_secs(1);

/// Probes `service` for ever, at the interval of the settings.
pub(crate) async fn probe(app: Arc<App>, service: Service) {
    let interval = app.settings.probe_interval;
    loop {
        once(&app, app.upstreams.of(service), &app.board).await;
        app.host.sleep(interval).await;
    }
}

async fn once(app: &App, upstream: &Upstream, board: &Board) {
    let asked = Instant::now();
    let component = upstream.service().into();
    if upstream.is_well(PATIENCE).await {
        board.up(component, asked.elapsed(), app.host.unix_now());
    } else {
        board.down(component);
    }
}
