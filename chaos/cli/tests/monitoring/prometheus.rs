//! Queries to a Prometheus, over its HTTP API.

use crate::support::ask;
use serde_json::Value;
use std::net::SocketAddr;

/// Samples of one series: Unix seconds and value.
pub(crate) type Samples = Vec<(f64, f64)>;

/// A Prometheus that answers.
#[derive(Clone, Copy)]
pub(crate) struct Prometheus(pub(crate) SocketAddr);

impl Prometheus {
    /// The values of an expression between two moments, every quarter of a second, by series. What is no number is left
    /// out.
    ///
    /// # Errors
    /// What Prometheus says of the expression.
    pub(crate) async fn range(&self, expr: &str, (from, to): (f64, f64)) -> Result<Vec<(Value, Samples)>, String> {
        let path = format!("/api/v1/query_range?query={}&start={from}&end={to}&step=0.25", escaped(expr));
        let data = self.get(&path).await?;
        let series = data["result"].as_array().ok_or("no result")?;
        let number = |sample: &Value| Some((sample[0].as_f64()?, sample[1].as_str()?.parse::<f64>().ok()?));
        let samples = |series: &Value| -> Samples {
            let values = series["values"].as_array().map(Vec::as_slice).unwrap_or_default();
            values.iter().filter_map(number).filter(|(_, value)| value.is_finite()).collect()
        };
        Ok(series.iter().map(|series| (series["metric"].clone(), samples(series))).collect())
    }

    /// The data of a response.
    ///
    /// # Errors
    /// What Prometheus complains of.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        // By HTTP/1.0, so that the response comes in one piece.
        let response = ask::say(self.0, &format!("GET {path} HTTP/1.0\r\nhost: x\r\n\r\n")).await;
        let (_, body) = response.split_once("\r\n\r\n").ok_or("no body")?;
        let body: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
        if body["status"] == "success" { Ok(body["data"].clone()) } else { Err(body["error"].to_string()) }
    }
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
