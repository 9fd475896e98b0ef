//! Reading of requests: whatever would be passed over is refused, each mistake with its place.

use super::{problem::Problem, strict::Strict};
use chaos_model::language::json::Mistake;
use http::{HeaderMap, Uri, header};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

/// Reads a request's body.
///
/// # Errors
/// [`Problem::BadRequest`] where it is no JSON, and [`Problem::InvalidRequest`] where it is not what is asked for.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut text = serde_json::Deserializer::from_slice(bytes);
    let Strict(value) = serde_path_to_error::deserialize(&mut text).map_err(refused)?;
    text.end().map_err(|error| Problem::BadRequest(error.to_string()))?;
    serde_path_to_error::deserialize(value).map_err(refused)
}

/// Refuses a query: no route has one.
///
/// # Errors
/// [`Problem::InvalidRequest`].
pub(super) fn no_query(uri: &Uri) -> Result<(), Problem> {
    match uri.query() {
        None => Ok(()),
        Some(query) => Err(Problem::of_mistake("", format!("there is no query here, as `{query}`"))),
    }
}

/// Refuses a body where none is asked for.
///
/// # Errors
/// [`Problem::InvalidRequest`].
pub(super) fn no_body(headers: &HeaderMap) -> Result<(), Problem> {
    let is_empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    if is_empty && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(());
    }
    Err(Problem::of_mistake("", "there is no body here"))
}

fn refused(error: serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let pointer = pointer(error.path());
    let error = error.into_inner();
    let words = error.to_string();
    if !error.is_data() {
        return Problem::BadRequest(words);
    }
    // The place in the text is told by the pointer.
    let words = words.split(" at line ").next().unwrap_or_default();
    let (message, advice) = match words.split_once(", expected ") {
        Some((message, expected)) => (message, Some(format!("expected {expected}"))),
        None => (words, None),
    };
    Problem::InvalidRequest(vec![Mistake { pointer, message: message.to_owned(), advice }])
}

/// A path as a JSON Pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    let name = |segment: &Segment| match segment {
        Segment::Map { key: name } | Segment::Enum { variant: name } => name.replace('~', "~0").replace('/', "~1"),
        Segment::Seq { index } => index.to_string(),
        Segment::Unknown => String::new(),
    };
    path.iter().map(|segment| format!("/{}", name(segment))).collect()
}
