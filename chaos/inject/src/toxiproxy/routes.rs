//! The routes, each as Toxiproxy's clients use it.

use super::{
    api::Api,
    body,
    error::ApiError,
    metrics,
    proxies::{Populated, Proxies},
};
use axum::{
    Json as JsonBody,
    body::Bytes,
    extract::{FromRequest, Path, Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};

/// The version of the interface: clients choose what they use by it.
const VERSION: &str = "2.12.0";

/// Time that a request's body may take.
const BODY: Duration = Duration::from_secs(2);

type Outcome = Result<Response, ApiError>;

/// A body, whatever its type is said to be.
pub(super) struct Body(Json);

impl FromRequest<Api> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let bytes = tokio::time::timeout(BODY, Bytes::from_request(request, api)).await;
        let bytes = bytes.map_err(|_| ApiError::BadBody("it did not come in time".to_owned()))?;
        let bytes = bytes.map_err(|rejection| ApiError::BadBody(rejection.body_text()))?;
        body::parse(&bytes).map(Self)
    }
}

pub(super) async fn version() -> Response {
    let kind = HeaderValue::from_static("application/json;charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], format!("{{\"version\": \"{VERSION}\"}}\n")).into_response()
}

pub(super) async fn list(State(api): State<Api>) -> JsonBody<Json> {
    JsonBody(api.proxies.list().await)
}

pub(super) async fn create(State(api): State<Api>, Body(body): Body) -> Outcome {
    let made = to_its_end(&api, move |proxies| async move { proxies.create(body).await }).await?;
    Ok((StatusCode::CREATED, JsonBody(made)).into_response())
}

pub(super) async fn show(State(api): State<Api>, Path(proxy): Path<String>) -> Result<JsonBody<Json>, ApiError> {
    api.proxies.look_at(&proxy, |record| JsonBody(record.json())).await
}

pub(super) async fn update(State(api): State<Api>, Path(proxy): Path<String>, Body(body): Body) -> Outcome {
    let updated = to_its_end(&api, move |proxies| async move { proxies.update(&proxy, body).await }).await?;
    Ok(JsonBody(updated).into_response())
}

pub(super) async fn delete(State(api): State<Api>, Path(proxy): Path<String>) -> Outcome {
    to_its_end(&api, move |proxies| async move { proxies.delete(&proxy).await }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn populate(State(api): State<Api>, body: Result<Body, ApiError>) -> Response {
    let populated = move |proxies: Arc<Proxies>| async move {
        Ok(match body {
            Ok(Body(body)) => proxies.populate(body).await,
            Err(error) => Populated { proxies: Vec::new(), error: Some(error) },
        })
    };
    let Populated { proxies, error } = match to_its_end(&api, populated).await {
        Ok(populated) => populated,
        Err(error) => return error.into_response(),
    };
    match error {
        None => (StatusCode::CREATED, JsonBody(json!({ "proxies": proxies }))).into_response(),
        Some(error) => {
            let mut body = error.json();
            body["proxies"] = Json::Array(proxies);
            (error.status(), JsonBody(body)).into_response()
        }
    }
}

pub(super) async fn reset(State(api): State<Api>) -> Outcome {
    to_its_end(&api, |proxies| async move { proxies.reset().await }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn toxics(State(api): State<Api>, Path(proxy): Path<String>) -> Result<JsonBody<Json>, ApiError> {
    api.proxies.look_at(&proxy, |record| JsonBody(record.toxics_json())).await
}

pub(super) async fn add_toxic(State(api): State<Api>, Path(proxy): Path<String>, Body(body): Body) -> Outcome {
    let made = to_its_end(&api, move |proxies| async move { proxies.add_toxic(&proxy, body).await }).await?;
    // As Toxiproxy does, and not 201.
    Ok(JsonBody(made).into_response())
}

pub(super) async fn show_toxic(State(api): State<Api>, Path((proxy, toxic)): Path<(String, String)>) -> Outcome {
    let shown = api.proxies.look_at(&proxy, |record| {
        let found = record.done().into_iter().find(|(one, _)| one.name == toxic);
        found.map(|(one, done)| one.json(done)).ok_or(ApiError::NoToxic)
    });
    Ok(JsonBody(shown.await??).into_response())
}

pub(super) async fn update_toxic(
    State(api): State<Api>,
    Path((proxy, toxic)): Path<(String, String)>,
    Body(body): Body,
) -> Outcome {
    let updated =
        to_its_end(&api, move |proxies| async move { proxies.update_toxic(&proxy, &toxic, body).await }).await?;
    Ok(JsonBody(updated).into_response())
}

pub(super) async fn remove_toxic(State(api): State<Api>, Path((proxy, toxic)): Path<(String, String)>) -> Outcome {
    to_its_end(&api, move |proxies| async move { proxies.remove_toxic(&proxy, &toxic).await }).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn metrics(State(api): State<Api>) -> Response {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], metrics::text(&api.proxies).await).into_response()
}

/// Goes on even if whoever asks hangs up: half a change would be nobody's.
async fn to_its_end<T, F>(api: &Api, change: impl FnOnce(Arc<Proxies>) -> F) -> Result<T, ApiError>
where
    F: Future<Output = Result<T, ApiError>> + Send + 'static,
    T: Send + 'static,
{
    // A task of its own, which no caller's hang-up cancels.
    let task = api.host.spawn(change(Arc::clone(&api.proxies)));
    task.await.unwrap_or_else(|_| Err(ApiError::Failed("the server stops".to_owned())))
}
